"""Worker and API as they are, with one event and one kind of the bench:
`python -m tests.bench.telling worker` and `… api`."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from uuid import UUID

import uvloop

from api import delivering
from api.observability import logs
from api.processes import listen, prepared, until_stopped
from api.serving import serve_api
from api.settings import Settings
from domains.kernel.events import Event, Registry
from notifications import kinds
from notifications.kinds import FieldType, Kind, Text
from notifications.notifying import notify

KIND = Kind(
    "bench.told", Text("测试", "Bench"), {"number": FieldType.NUMBER}, Text("{number}", "{number}"), Text("", ""),
    purpose=Text("测试", "Bench"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class BenchTold(Event):
    """Something that one account is told."""

    account_id: UUID
    number: int


async def tell_account(event: Event, event_id: UUID) -> None:
    """The handler."""
    assert isinstance(event, BenchTold)
    data = {"number": event.number}
    await notify([event.account_id], KIND, data, dedupe_key=str(event_id), compound_id=None)


async def worker() -> None:
    """Deliver until stopped."""
    delivering.HANDLERS = {BenchTold: (tell_account,)}  # type: ignore[attr-defined]  # instead of the product's
    delivering.EVENTS = Registry([BenchTold])  # type: ignore[attr-defined]  # the same
    async with prepared(Settings()):
        kinds.registry.fill(kinds.Registry([KIND]))
        print("ready", flush=True)
        await until_stopped(delivering.work)


async def api() -> None:
    """Serve until stopped."""
    settings = Settings()
    listening = listen(settings)
    async with prepared(settings):
        logs.configure(settings)
        kinds.registry.fill(kinds.Registry([KIND]))
        await until_stopped(lambda stop: serve_api(settings, asyncio.Event(), stop, [listening]))


if __name__ == "__main__":
    uvloop.run({"worker": worker, "api": api}[sys.argv[1]]())
