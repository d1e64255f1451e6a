from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("corrections", "0001_initial")]

    operations = [
        migrations.AlterField(
            model_name="flag",
            name="kind",
            field=models.CharField(
                choices=[
                    ("missed", "Se oye a alguien y no hay texto"),
                    ("gap", "Silencio largo"),
                    ("loop", "Palabras repetidas"),
                    ("overlap", "Hablan a la vez"),
                    ("name", "Nombre dudoso"),
                    ("number", "Cifra o fecha dudosa"),
                    ("language", "Cambio de idioma"),
                    ("silence", "Texto donde no se oye a nadie"),
                ],
                max_length=10,
            ),
        ),
    ]
