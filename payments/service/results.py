"""The loops that ask channels what became of payments and refunds (支付结果轮询): a lane for each channel, so that one
that hangs keeps nobody from asking another."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass

import structlog

from domains.kernel.faults import place
from payments.order_rules import ONLINE
from payments.service import asking, refund_sending

log = structlog.get_logger(__name__)

LANE = "payments"
"""What wakes them."""


@dataclass(frozen=True, slots=True)
class Results:
    """Sees to what is due. Any number may run beside each other: what one has taken up, another leaves alone."""

    poll_s: float = 1.0

    async def run(self, stop: asyncio.Event, woken: asyncio.Event) -> None:
        """Ask until `stop`, and finish what was begun."""
        bells = {channel: asyncio.Event() for channel in sorted(ONLINE)}
        async with asyncio.TaskGroup() as group:
            passing_on = group.create_task(_pass_on(woken, bells.values()))
            await asyncio.gather(*(self._keep_asking(channel, stop, bell) for channel, bell in bells.items()))
            passing_on.cancel()

    async def _keep_asking(self, channel: str, stop: asyncio.Event, bell: asyncio.Event) -> None:
        while not stop.is_set():
            bell.clear()
            if not await _see_to_due(channel):
                with suppress(TimeoutError):
                    await asyncio.wait_for(bell.wait(), self.poll_s)


async def _pass_on(woken: asyncio.Event, bells: Collection[asyncio.Event]) -> None:
    """Every lane has a bell of its own: none clears what another has not heard yet."""
    while True:
        await woken.wait()
        woken.clear()
        for bell in bells:
            bell.set()


async def _see_to_due(channel: str) -> int:
    try:
        return await asking.ask_due((channel,)) + await refund_sending.see_to_due((channel,))
    except Exception as error:  # the database may be away for a while; the loop outlives it
        log.error("payments.unreachable", channel=channel, **place(error))
        return 0
