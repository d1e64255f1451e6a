from django.db import migrations, models
from django.db.models import F


def publish(apps, schema_editor):
    """Before there were drafts every questionnaire was in use: it goes on being."""
    questionnaire = apps.get_model("assessments", "Questionnaire")
    questionnaire.objects.filter(published_at=None).update(published_at=F("created_at"))


class Migration(migrations.Migration):
    dependencies = [("assessments", "0003_history_begins")]

    operations = [
        migrations.AddField(
            model_name="domain",
            name="translations",
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.RunPython(publish, migrations.RunPython.noop),
    ]
