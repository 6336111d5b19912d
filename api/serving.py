"""Processes: all in one for the embedded default, or api, worker and scheduler apart."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from api.app import build_app
from api.instance import Addresses, cache
from api.settings import Settings
from api.wiring import EVENTS, HANDLERS, JOBS
from domains.kernel import outbox
from domains.kernel.jobs import Scheduler

WAKE = "linli:outbox"


async def wake_relays() -> None:
    """Tell every worker that something was recorded; lost, they poll."""
    await cache().publish(WAKE, b"")


async def _listen(woken: tuple[asyncio.Event, ...], stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            async with cache().pubsub() as channel:
                await channel.subscribe(WAKE)
                while not stop.is_set():
                    if await channel.get_message(ignore_subscribe_messages=True, timeout=1.0) is not None:
                        for event in woken:
                            event.set()
        except OSError:
            await asyncio.sleep(1)


async def work(stop: asyncio.Event) -> None:
    """Deliver events until `stop`: one relay for what is urgent, one for the rest."""
    relays = [outbox.Relay(EVENTS, HANDLERS, urgent=urgent) for urgent in (True, False)]
    woken = tuple(asyncio.Event() for _ in relays)
    async with asyncio.TaskGroup() as group:
        for relay, event in zip(relays, woken, strict=True):
            group.create_task(relay.run(stop, event))
        group.create_task(_listen(woken, stop))
        await stop.wait()
        for event in woken:
            event.set()


async def schedule(addresses: Addresses, stop: asyncio.Event) -> None:
    """Run the scheduled jobs here if nobody leads, else stand by."""
    await Scheduler(addresses.app_url, JOBS).run(stop)


class Server(uvicorn.Server):
    """A server that says when it is ready and leaves signals to the process: the library would
    raise them again at its end, and what runs beside it would not be stopped in order."""

    def __init__(self, config: uvicorn.Config, ready: asyncio.Event) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals set the stop event of the process, see `api.processes.until_stopped`."""
        yield

    async def serve_until(self, stop: asyncio.Event) -> None:
        """Serve; finish what is being answered once `stop` is set."""
        serving = asyncio.create_task(self.serve())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
        self.should_exit = True
        stopping.cancel()
        await serving


def server(settings: Settings, ready: asyncio.Event) -> Server:
    """The HTTP server over the application."""
    config = uvicorn.Config(
        build_app(settings),
        host=settings.host,
        port=settings.port,
        loop="none",
        log_config=None,
        access_log=False,
        proxy_headers=True,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=10,
        server_header=False,
        lifespan="off",
        ws_max_size=200_000,
    )
    return Server(config, ready)


async def serve_all(
    settings: Settings, addresses: Addresses, ready: asyncio.Event, stop: asyncio.Event
) -> None:
    """API, worker and scheduler in one process: the embedded default."""
    outbox.wake_with(wake_relays)
    beside = [asyncio.create_task(work(stop)), asyncio.create_task(schedule(addresses, stop))]
    try:
        await server(settings, ready).serve_until(stop)
    finally:
        stop.set()
        await asyncio.gather(*beside)


async def serve_api(settings: Settings, ready: asyncio.Event, stop: asyncio.Event) -> None:
    """The API alone."""
    outbox.wake_with(wake_relays)
    await server(settings, ready).serve_until(stop)
