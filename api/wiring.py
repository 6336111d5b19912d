"""The composition root: the apps, the one list "event → handlers", the one list of jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta

from domains.estate import events as estate_events
from domains.estate import permissions as estate
from domains.identity import events as identity_events
from domains.identity import jobs as identity_jobs
from domains.identity import permissions as identity
from domains.identity import sealed as identity_sealed
from domains.kernel import audit, clock, files, jobs, outbox, sealing
from domains.kernel.events import Event, Registry
from domains.kernel.jobs import Job, Result, cron
from domains.kernel.outbox import Handler
from domains.kernel.sealing import SealedColumn
from domains.residents import events as residents_events
from domains.residents import jobs as residents_jobs
from domains.residents import permissions as residents
from domains.residents import sealed as residents_sealed
from domains.residents.importing import files as register_files

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
    **dict.fromkeys(estate_events.EVENTS, ()),
    **dict.fromkeys(identity_events.EVENTS, ()),
    **dict.fromkeys(residents_events.EVENTS, ()),
}
"""What happens after a fact; the only map of it."""

EVENTS = Registry(HANDLERS)


SEALED: Sequence[SealedColumn] = (*identity_sealed.COLUMNS, *residents_sealed.COLUMNS)
"""Every encrypted column there is; what is not listed would keep an old key in use for ever."""

DELIVERED_KEPT = timedelta(days=14)
RUNS_KEPT = timedelta(days=90)
UPLOADS_KEPT = timedelta(days=1)


async def seal_audit(_: object) -> Result:
    """Seal what was written to the audit since the last time."""
    return {"sealed": await audit.seal()}


async def release_audit(_: object) -> Result:
    """Let go of the audit's rows that were kept for the term."""
    return {"released": await audit.release_expired()}


async def reseal_columns(_: object) -> Result:
    """Encrypt with the current key what an older one encrypted."""
    return {f"{each.table}.{each.column}": asdict(await sealing.reseal(each)) for each in SEALED}


async def purge_kernel(_: object) -> Result:
    """Forget delivered events and runs of jobs."""
    now = clock.now()
    return {
        "events": await outbox.purge(now - DELIVERED_KEPT),
        "runs": await jobs.purge(now - RUNS_KEPT),
    }


async def sweep_files(_: object) -> Result:
    """Remove what uploads that broke off have left in the file store."""
    return {"swept": await files.storage().sweep_partial(UPLOADS_KEPT)}


JOBS: Sequence[Job] = (
    Job("audit.seal", cron("*/5 * * * *"), seal_audit),
    Job("audit.release", cron("30 4 * * *"), release_audit),
    Job("keys.reseal", cron("0 4 * * *"), reseal_columns),
    Job("kernel.purge", cron("50 3 * * *"), purge_kernel),
    Job("files.sweep", cron("40 3 * * *"), sweep_files),
    Job("identity.purge", cron("17 3 * * *"), identity_jobs.purge),
    Job("residents.end_leases", cron("2 0 * * *"), residents_jobs.end_leases),
    Job("residents.forget_registers", cron("27 3 * * *"), register_files.forget_old),
    Job("residents.expire_invitations", cron("7 0 * * *"), residents_jobs.expire_invitations),
)
"""Scheduled work."""
