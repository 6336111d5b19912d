"""Scheduled work of payments."""

from __future__ import annotations

from payments.service import asking, refund_sending


async def ask(_: object) -> dict[str, int]:
    """Ask channels about all that is due: what the workers' own loop does, for when none of them runs."""
    done = {"payments": 0, "refunds": 0}
    while number := await asking.ask_due():
        done["payments"] += number
    while number := await refund_sending.see_to_due():
        done["refunds"] += number
    return done
