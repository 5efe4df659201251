from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def count(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """From the events: an answer with a cost is one call, a note of unneeded answers with a cost as many as it says. What was
    copied from a parent, or said after the end, is no call of the run."""
    runs, events = apps.get_model("trajectories", "Run"), apps.get_model("trajectories", "StepEvent")
    columns = ("pk", "calls", "branch")
    for run, calls, branch in runs.objects.exclude(currency="").values_list(*columns).iterator():
        at, priced = (branch or {}).get("at") or 0, 0
        said = events.objects.filter(run=run, kind__in=["step.finished", "note", "run.finished"]).order_by("seq")
        for kind, step, payload in said.values_list("kind", "step", "payload").iterator():
            if kind == "run.finished":
                break
            detail = payload.get("detail") or {}
            asked = detail.get("calls") if kind == "note" else 1
            copied = step is not None and step < at
            if isinstance(detail.get("cost"), dict) and isinstance(asked, int) and not copied:
                priced += asked
        runs.objects.filter(pk=run).update(priced_calls=min(calls, priced))


class Migration(migrations.Migration):

    dependencies = [
        ('trajectories', '0011_awaited_parent'),
    ]

    operations = [
        migrations.AddField(
            model_name='run',
            name='priced_calls',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.RunPython(count, migrations.RunPython.noop),
    ]
