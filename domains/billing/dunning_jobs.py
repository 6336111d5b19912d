"""Scheduled work of dunning."""

from __future__ import annotations

from domains.billing.service import arrears_export, dunning
from domains.kernel.jobs import Result


async def remind(_: object) -> Result:
    """Remind of what is due for a step; a run that was cut short, or a second one, goes on with what is left."""
    return dict(await dunning.remind_due())


async def forget_exports(_: object) -> Result:
    """Delete exported files whose address has ended."""
    return {"files": await arrears_export.forget_exports()}
