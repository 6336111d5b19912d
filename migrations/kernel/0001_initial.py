from orjson import loads
from tortoise import fields, migrations
from tortoise.fields.data import JSON_DUMPS
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from domains.kernel.ids import uuid7


class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name="AuditEntry",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("actor_id", fields.UUIDField(null=True)),
                ("actor_kind", fields.CharField(max_length=10)),
                ("actor_name", fields.CharField(max_length=60)),
                (
                    "compound_id",
                    fields.UUIDField(null=True, description="null only for what concerns no compound"),
                ),
                ("action", fields.CharField(max_length=80)),
                ("outcome", fields.CharField(description="done | refused", max_length=8)),
                ("subject_type", fields.CharField(max_length=40)),
                ("subject_id", fields.UUIDField(null=True)),
                ("details", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ("ip", fields.CharField(max_length=45)),
                ("user_agent", fields.CharField(max_length=200)),
                ("request_id", fields.CharField(max_length=64)),
            ],
            options={
                "table": "audit_entry",
                "app": "kernel",
                "indexes": [
                    Index(fields=["compound_id", "at", "id"], name="audit_entry_compound"),
                    Index(fields=["actor_id", "at", "id"], name="audit_entry_actor"),
                    Index(fields=["subject_id", "at"], name="audit_entry_subject"),
                ],
                "pk_attr": "id",
                "table_description": "Who did what, to what, when, from where (审计日志). Inserted, never changed.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="AuditSeal",
            fields=[
                (
                    "number",
                    fields.BigIntField(
                        generated=True,
                        primary_key=True,
                        unique=True,
                        db_index=True,
                        description="from 1 on, without gaps",
                    ),
                ),
                (
                    "cluster_id",
                    fields.BigIntField(
                        description="system identifier of the database cluster that numbered them"
                    ),
                ),
                (
                    "from_snapshot",
                    fields.TextField(
                        null=True,
                        description="what was finished in this pg_snapshot is in an earlier batch; null in the first",
                        unique=False,
                    ),
                ),
                (
                    "to_snapshot",
                    fields.TextField(
                        null=True,
                        description="what is finished in this pg_snapshot is in; null for a release",
                        unique=False,
                    ),
                ),
                ("entries", fields.IntField()),
                (
                    "released_through",
                    fields.BigIntField(
                        null=True,
                        description="this seal says that the rows of all seals up to that one were let go",
                    ),
                ),
                (
                    "previous",
                    fields.BinaryField(description="hash of the seal before; 32 zero bytes for the first"),
                ),
                (
                    "hash",
                    fields.BinaryField(description="SHA-256 over previous, bounds and the rows in order"),
                ),
                ("sealed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "audit_seal",
                "app": "kernel",
                "pk_attr": "number",
                "table_description": "A batch of audit rows, hashed and chained to the seal before it. Inserted, never changed.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="HandledEvent",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("event_id", fields.UUIDField()),
                ("handler", fields.CharField(max_length=160)),
                ("handled_at", fields.DatetimeField(auto_now=False, auto_now_add=True)),
            ],
            options={
                "table": "handled_event",
                "app": "kernel",
                "unique_together": (("event_id", "handler"),),
                "pk_attr": "id",
                "table_description": "That a handler's effects of an event are committed: the same event does nothing again.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="IdempotencyRecord",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("actor_id", fields.UUIDField()),
                ("operation", fields.CharField(max_length=100)),
                ("key", fields.UUIDField()),
                ("body_hash", fields.BinaryField(description="SHA-256 of the canonical arguments")),
                ("state", fields.CharField(description="in_progress | done", max_length=12)),
                ("answer", fields.JSONField(null=True, encoder=JSON_DUMPS, decoder=loads)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=True)),
                ("done_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "idempotency_record",
                "app": "kernel",
                "unique_together": (("actor_id", "operation", "key"),),
                "pk_attr": "id",
                "table_description": "The answer a command gave to a key, kept for good (幂等键).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="JobRun",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("job", fields.CharField(max_length=80)),
                ("due_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("state", fields.CharField(description="running | succeeded | failed", max_length=10)),
                ("attempts", fields.IntField(default=1)),
                ("started_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "lease_until",
                    fields.DatetimeField(
                        description="a run that is not finished by then may be taken over",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                ("finished_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("result", fields.JSONField(null=True, encoder=JSON_DUMPS, decoder=loads)),
                ("error", fields.TextField(null=True, unique=False)),
            ],
            options={
                "table": "job_run",
                "app": "kernel",
                "unique_together": (("job", "due_at"),),
                "pk_attr": "id",
                "table_description": "One run of a scheduled job, keyed by (job, due): a second run is nothing (定时任务).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="OutboxMessage",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("event_id", fields.UUIDField(unique=True, description="handlers are idempotent by this id")),
                ("event", fields.CharField(description="the event's registered name", max_length=100)),
                ("subject", fields.CharField(description="delivery is in order per subject", max_length=120)),
                ("payload", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                (
                    "urgent",
                    fields.BooleanField(
                        default=False, description="SOS and fire do not queue behind the rest"
                    ),
                ),
                ("state", fields.CharField(default="pending", max_length=10)),
                ("attempts", fields.IntField(default=0)),
                (
                    "error",
                    fields.TextField(null=True, description="why the last attempt failed", unique=False),
                ),
                ("recorded_at", fields.DatetimeField(auto_now=False, auto_now_add=True)),
                (
                    "available_at",
                    fields.DatetimeField(
                        description="not delivered before", auto_now=False, auto_now_add=True
                    ),
                ),
                ("leased_until", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                (
                    "lease_id",
                    fields.UUIDField(null=True, description="the claim that may settle the message"),
                ),
                ("done_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "outbox_message",
                "app": "kernel",
                "pk_attr": "id",
                "table_description": "An event that was recorded in the transaction of its cause and is delivered afterwards (事务发件箱).",
            },
            bases=["Model"],
        ),
    ]
