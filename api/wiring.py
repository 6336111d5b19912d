"""The composition root: the apps, the one list "event → handlers", the one list of jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from domains.estate import permissions as estate
from domains.identity import events as identity_events
from domains.identity import jobs as identity_jobs
from domains.identity import permissions as identity
from domains.kernel import audit
from domains.kernel.events import Event, Registry
from domains.kernel.jobs import Job, Result, cron
from domains.kernel.outbox import Handler
from domains.residents import permissions as residents

APPS: Mapping[str, str] = {
    "kernel": "domains.kernel",
    "estate": "domains.estate",
    "identity": "domains.identity",
    "residents": "domains.residents",
}
"""ORM app → package of its models; the order is that of the foreign keys."""

PERMISSIONS: Mapping[str, str] = {**estate.LABELS, **residents.LABELS, **identity.LABELS}
"""Every permission there is, with its name for people."""

HANDLERS: Mapping[type[Event], Sequence[Handler]] = {
    **dict.fromkeys(identity_events.EVENTS, ()),
}
"""What happens after a fact; the only map of it."""

EVENTS = Registry(HANDLERS)


async def seal_audit(_: object) -> Result:
    """Seal what was written to the audit since the last time."""
    return {"sealed": await audit.seal()}


JOBS: Sequence[Job] = (
    Job("audit.seal", cron("*/5 * * * *"), seal_audit),
    Job("identity.purge", cron("17 3 * * *"), identity_jobs.purge),
)
"""Scheduled work."""
