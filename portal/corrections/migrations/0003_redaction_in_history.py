from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("corrections", "0002_missed_speech")]

    operations = [
        migrations.AlterField(
            model_name="edit",
            name="kind",
            field=models.CharField(
                choices=[
                    ("text", "Texto corregido"),
                    ("split", "Intervención dividida"),
                    ("merge", "Intervenciones unidas"),
                    ("move", "Cambio de quién habla"),
                    ("speaker", "Datos de quien habla"),
                    ("swap", "Voces intercambiadas"),
                    ("undo", "Cambio deshecho"),
                    ("redaction", "Fragmento tachado, o recuperado"),
                ],
                max_length=10,
            ),
        ),
    ]
