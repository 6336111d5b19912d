"""Rows of the mechanisms: outbox, idempotency, audit, jobs."""

from __future__ import annotations

from typing import Any

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from domains.kernel.ids import uuid7


class OutboxMessage(Model):
    """An event that was recorded in the transaction of its cause and is delivered afterwards (事务发件箱)."""

    id = fields.BigIntField(primary_key=True, generated=True)
    event_id = fields.UUIDField(unique=True, description="handlers are idempotent by this id")
    event = fields.CharField(max_length=100, description="the event's registered name")
    subject = fields.CharField(max_length=120, description="delivery is in order per subject")
    payload = fields.JSONField[dict[str, Any]]()  # Any: the event's own fields
    urgent = fields.BooleanField(default=False, description="SOS and fire do not queue behind the rest")
    state = fields.CharField(max_length=10, default="pending")
    attempts = fields.IntField(default=0)
    error = fields.TextField(null=True, description="why the last attempt failed")
    recorded_at = fields.DatetimeField(auto_now_add=True)
    available_at = fields.DatetimeField(auto_now_add=True, description="not delivered before")
    leased_until = fields.DatetimeField(null=True)
    lease_id = fields.UUIDField(null=True, description="the claim that may settle the message")
    done_at = fields.DatetimeField(null=True)

    class Meta:
        table = "outbox_message"


class HandledEvent(Model):
    """That a handler's effects of an event are committed: the same event does nothing again."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    event_id = fields.UUIDField()
    handler = fields.CharField(max_length=160)
    handled_at = fields.DatetimeField(auto_now_add=True)

    class Meta:
        table = "handled_event"
        unique_together = (("event_id", "handler"),)


class IdempotencyRecord(Model):
    """The answer a command gave to a key, kept for good (幂等键)."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    actor_id = fields.UUIDField()
    operation = fields.CharField(max_length=100)
    key = fields.UUIDField()
    body_hash = fields.BinaryField(description="SHA-256 of the canonical arguments")
    state = fields.CharField(max_length=12, description="in_progress | done")
    answer = fields.JSONField[Any](null=True)  # Any: whatever the command returns, as JSON
    created_at = fields.DatetimeField(auto_now_add=True)
    done_at = fields.DatetimeField(null=True)

    class Meta:
        table = "idempotency_record"
        unique_together = (("actor_id", "operation", "key"),)


class AuditEntry(Model):
    """Who did what, to what, when, from where (审计日志). Inserted, never changed."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    at = fields.DatetimeField()
    actor_id = fields.UUIDField(null=True)
    actor_kind = fields.CharField(max_length=10)
    actor_name = fields.CharField(max_length=60)
    compound_id = fields.UUIDField(null=True, description="null only for what concerns no compound")
    action = fields.CharField(max_length=80)
    outcome = fields.CharField(max_length=8, description="done | refused")
    subject_type = fields.CharField(max_length=40)
    subject_id = fields.UUIDField(null=True)
    details = fields.JSONField[dict[str, Any]]()  # Any: facts of the action, without personal data
    ip = fields.CharField(max_length=45)
    user_agent = fields.CharField(max_length=200)
    request_id = fields.CharField(max_length=64)

    class Meta:
        table = "audit_entry"
        indexes = (
            Index(fields=("compound_id", "at", "id"), name="audit_entry_compound"),
            Index(fields=("actor_id", "at", "id"), name="audit_entry_actor"),
            Index(fields=("subject_id", "at"), name="audit_entry_subject"),
        )


class AuditSeal(Model):
    """A batch of audit rows, hashed and chained to the seal before it. Inserted, never changed."""

    number = fields.BigIntField(primary_key=True, description="from 1 on, without gaps")
    cluster_id = fields.BigIntField(
        description="system identifier of the database cluster that numbered them"
    )
    from_snapshot = fields.TextField(
        null=True,
        description="what was finished in this pg_snapshot is in an earlier batch; null in the first",
    )
    to_snapshot = fields.TextField(
        null=True, description="what is finished in this pg_snapshot is in; null for a release"
    )
    entries = fields.IntField()
    released_through = fields.BigIntField(
        null=True, description="this seal says that the rows of all seals up to that one were let go"
    )
    previous = fields.BinaryField(description="hash of the seal before; 32 zero bytes for the first")
    hash = fields.BinaryField(description="SHA-256 over previous, bounds and the rows in order")
    sealed_at = fields.DatetimeField()

    class Meta:
        table = "audit_seal"


class JobRun(Model):
    """One run of a scheduled job, keyed by (job, due): a second run is nothing (定时任务)."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    job = fields.CharField(max_length=80)
    due_at = fields.DatetimeField()
    state = fields.CharField(max_length=10, description="requested | running | succeeded | failed")
    attempts = fields.IntField(default=1)
    started_at = fields.DatetimeField(null=True, description="of the last attempt; null while requested")
    lease_until = fields.DatetimeField(
        null=True, description="a run that is not finished by then may be taken over"
    )
    finished_at = fields.DatetimeField(null=True)
    result = fields.JSONField[dict[str, Any]](null=True)  # Any: what the job reports
    error = fields.TextField(null=True)
    is_requested = fields.BooleanField(
        default=False, db_default=False, description="by hand, at the time it is due, and not by the schedule"
    )
    requested_by = fields.UUIDField(null=True, description="the account; null from the command line")
    requested_by_name = fields.CharField(max_length=60, null=True, description="name at that time")

    class Meta:
        table = "job_run"
        unique_together = (("job", "due_at"),)


class JobPause(Model):
    """That a job does not run by its schedule until somebody resumes it (暂停)."""

    job = fields.CharField(max_length=80, primary_key=True)
    paused_at = fields.DatetimeField()
    paused_by = fields.UUIDField(null=True, description="the account; null from the command line")
    paused_by_name = fields.CharField(max_length=60, description="name at that time")
    reason = fields.CharField(max_length=200)

    class Meta:
        table = "job_pause"
