from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def mark(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Until now the reason alone told a roll-back from a promotion."""
    apps.get_model("training", "Promotion").objects.filter(reason="rolled back").update(rolled_back=True)


class Migration(migrations.Migration):

    dependencies = [
        ('training', '0006_started_from'),
    ]

    operations = [
        migrations.AddField(
            model_name='promotion',
            name='rolled_back',
            field=models.BooleanField(default=False),
        ),
        migrations.RunPython(mark, migrations.RunPython.noop),
    ]
