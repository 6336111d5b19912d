"""Runs that somebody requests, and jobs that somebody paused."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

FORWARD = """
ALTER TABLE job_run DROP CONSTRAINT job_run_state;
ALTER TABLE job_run ADD CONSTRAINT job_run_state CHECK (state IN ('requested', 'running', 'succeeded', 'failed'));
ALTER TABLE job_run ADD CONSTRAINT job_run_started
    CHECK (state = 'requested' OR (started_at IS NOT NULL AND lease_until IS NOT NULL));
ALTER TABLE job_run ADD CONSTRAINT job_run_requested CHECK (state <> 'requested' OR is_requested);
ALTER TABLE job_run ADD CONSTRAINT job_run_requester CHECK (is_requested = (requested_by_name IS NOT NULL));
"""


class Migration(migrations.Migration):
    dependencies = [("kernel", "0002_integrity")]
    operations = [
        ops.AlterField(
            model_name="JobRun",
            name="state",
            field=fields.CharField(description="requested | running | succeeded | failed", max_length=10),
        ),
        ops.AlterField(
            model_name="JobRun",
            name="started_at",
            field=fields.DatetimeField(
                null=True,
                description="of the last attempt; null while requested",
                auto_now=False,
                auto_now_add=False,
            ),
        ),
        ops.AlterField(
            model_name="JobRun",
            name="lease_until",
            field=fields.DatetimeField(
                null=True,
                description="a run that is not finished by then may be taken over",
                auto_now=False,
                auto_now_add=False,
            ),
        ),
        ops.AddField(
            model_name="JobRun",
            name="is_requested",
            field=fields.BooleanField(
                default=False,
                db_default=False,
                description="by hand, at the time it is due, and not by the schedule",
            ),
        ),
        ops.AddField(
            model_name="JobRun",
            name="requested_by",
            field=fields.UUIDField(null=True, description="the account; null from the command line"),
        ),
        ops.AddField(
            model_name="JobRun",
            name="requested_by_name",
            field=fields.CharField(null=True, description="name at that time", max_length=60),
        ),
        ops.CreateModel(
            name="JobPause",
            fields=[
                ("job", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=80)),
                ("paused_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "paused_by",
                    fields.UUIDField(null=True, description="the account; null from the command line"),
                ),
                ("paused_by_name", fields.CharField(description="name at that time", max_length=60)),
                ("reason", fields.CharField(max_length=200)),
            ],
            options={
                "table": "job_pause",
                "app": "kernel",
                "pk_attr": "job",
                "table_description": "That a job does not run by its schedule until somebody resumes it (暂停).",
            },
            bases=["Model"],
        ),
        ops.RunSQL(FORWARD),
    ]
