"""The loop that asks channels what became of payments and refunds (支付结果轮询)."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass

import structlog

from domains.kernel.faults import place
from payments.service import asking, refund_sending

log = structlog.get_logger(__name__)

LANE = "payments"
"""What wakes it."""


@dataclass(frozen=True, slots=True)
class Results:
    """Sees to what is due. Any number may run beside each other: what one has taken up, another leaves alone."""

    poll_s: float = 1.0

    async def run(self, stop: asyncio.Event, woken: asyncio.Event) -> None:
        """Ask until `stop`, and finish what was begun."""
        while not stop.is_set():
            woken.clear()
            if not await self._see_to_due():
                with suppress(TimeoutError):
                    await asyncio.wait_for(woken.wait(), self.poll_s)

    async def _see_to_due(self) -> int:
        try:
            return await asking.ask_due() + await refund_sending.see_to_due()
        except Exception as error:  # the database may be away for a while; the loop outlives it
            log.error("payments.unreachable", **place(error))
            return 0
