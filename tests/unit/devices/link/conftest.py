"""A broker of the module's own, devices that it knows, and a handler that keeps what it is given."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from uuid import UUID, uuid4

import pytest

from domains.devices.link import Link, Message
from tests.broker import Broker


class Taken:
    """A handler; `payloads` in the order in which they were handed over, `batches` by size."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.batches: list[int] = []
        self.may = asyncio.Event()
        self.may.set()

    async def __call__(self, batch: list[Message]) -> None:
        await self.may.wait()
        self.batches.append(len(batch))
        self.messages += batch

    @property
    def payloads(self) -> list[bytes]:
        return [each.payload for each in self.messages]

    def of(self, device: UUID) -> list[bytes]:
        """What this device said."""
        return [each.payload for each in self.messages if each.device_id == device]


async def eventually(condition: Callable[[], object], limit_s: float = 10.0) -> None:
    """Wait until it holds; TimeoutError when it does not in time."""
    async with asyncio.timeout(limit_s):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.fixture
def taken() -> Taken:
    return Taken()


@pytest.fixture
async def devices(broker: Broker) -> list[UUID]:
    """Three devices that may sign in."""
    made = [uuid4() for _ in range(3)]
    await broker.admit(*made)
    return made


@pytest.fixture
async def link(broker: Broker) -> AsyncIterator[Link]:
    """A line that only publishes, connected."""
    async with Link(broker.url, f"test-{uuid4()}") as made:
        await asyncio.wait_for(made.online.wait(), 10)
        yield made
