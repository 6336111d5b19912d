"""Who is told what happened to accounts, and what broke."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from domains.identity import notices
from domains.identity.events import AccountsJoined, PhoneVerified
from domains.identity.queries import operators
from domains.kernel.events import Event
from domains.kernel.ids import timestamp_of
from domains.kernel.jobs import JobFailed
from notifications.events import MessageFault
from notifications.notifying import notify


async def tell_of_phone(event: Event, event_id: UUID) -> None:
    """The account, where it had another number; the first one is no news to who has just proved it."""
    assert isinstance(event, PhoneVerified)
    if event.replaces:
        await notify(
            [event.account_id], notices.PHONE_CHANGED, {"at": timestamp_of(event_id)},
            dedupe_key=str(event_id), compound_id=None,
        )  # fmt: skip


async def tell_of_joining(event: Event, event_id: UUID) -> None:
    """The account that was kept."""
    assert isinstance(event, AccountsJoined)
    await notify(
        [event.account_id], notices.JOINED, {"at": timestamp_of(event_id)},
        dedupe_key=str(event.closed_account_id), compound_id=None,
    )  # fmt: skip


async def alarm_of_job(event: Event, event_id: UUID) -> None:
    """Every operator, once an hour for a job."""
    assert isinstance(event, JobFailed)
    await notify(
        await operators(), notices.JOB_FAILED,
        {"job": event.job, "due": event.due, "attempts": event.attempts, "error": event.error},
        dedupe_key=f"{event.job}:{_hour(event_id)}", compound_id=None,
    )  # fmt: skip


async def alarm_of_fault(event: Event, event_id: UUID) -> None:
    """Every operator, once an hour for a channel and code."""
    assert isinstance(event, MessageFault)
    await notify(
        await operators(), notices.DELIVERY_FAULT,
        {"channel": event.channel, "code": event.code, "kind": event.kind, "detail": event.detail},
        dedupe_key=f"{event.channel}:{event.code}:{_hour(event_id)}", compound_id=None,
    )  # fmt: skip


def _hour(event_id: UUID) -> str:
    """The hour of an event, the same however late it is handled."""
    at: datetime = timestamp_of(event_id)
    return f"{at:%Y-%m-%dT%H}"
