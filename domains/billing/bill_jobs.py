"""Scheduled work on bills."""

from __future__ import annotations

from domains.billing.service import deductions
from domains.kernel.jobs import Result


async def deduct(_: object) -> Result:
    """Pay what houses owe from what they have paid ahead: what falls due, and what events have missed."""
    return dict(await deductions.deduct_everywhere())
