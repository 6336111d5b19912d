"""Scheduled work of payments."""

from __future__ import annotations

import asyncio

from payments.order_rules import ONLINE
from payments.service import asking, refund_sending


async def ask(_: object) -> dict[str, int]:
    """Ask channels about all that is due: what the workers' own loops do, for when none of them runs."""
    done = await asyncio.gather(*(_ask(channel) for channel in ONLINE))
    payments, refunds = (sum(numbers) for numbers in zip(*done, strict=True))
    return {"payments": payments, "refunds": refunds}


async def _ask(channel: str) -> tuple[int, int]:
    """Payments and refunds; of this channel alone, so that one that hangs does not hold up the others."""
    payments = refunds = 0
    while number := await asking.ask_due((channel,)):
        payments += number
    while number := await refund_sending.see_to_due((channel,)):
        refunds += number
    return payments, refunds
