"""The HTTP server, alone or with worker and scheduler in one process: the embedded default."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from api.app import build_app
from api.delivering import schedule, wake_others, work
from api.instance import Addresses
from api.settings import Settings


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

    async def serve_until(
        self, stop: asyncio.Event, sockets: list[socket.socket] | None = None, *, drain_s: float = 0
    ) -> None:
        """Serve; once `stop` is set go on for `drain_s` seconds, in which the balancer learns of it, then
        finish what is being answered."""
        serving = asyncio.create_task(self.serve(sockets))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
        if not serving.done():
            await asyncio.sleep(drain_s)
        self.should_exit = True
        stopping.cancel()
        await serving


def server(settings: Settings, ready: asyncio.Event, stop: asyncio.Event | None = None) -> Server:
    """The HTTP server over the application."""
    config = uvicorn.Config(
        build_app(settings, stop),
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
        # Compression costs a socket more memory than all else of it, and its messages are small.
        ws_per_message_deflate=False,
    )
    return Server(config, ready)


async def serve_all(
    settings: Settings,
    addresses: Addresses,
    ready: asyncio.Event,
    stop: asyncio.Event,
    sockets: list[socket.socket] | None = None,
) -> None:
    """API, worker and scheduler in one process: the embedded default."""
    beside = [asyncio.create_task(work(stop)), asyncio.create_task(schedule(addresses, stop))]
    try:
        await serve_api(settings, ready, stop, sockets)
    finally:
        stop.set()
        await asyncio.gather(*beside)


async def serve_api(
    settings: Settings,
    ready: asyncio.Event,
    stop: asyncio.Event,
    sockets: list[socket.socket] | None = None,
) -> None:
    """The API alone, on sockets that listen already or on the settings' address."""
    wake_others()
    made = server(settings, ready, stop)
    await made.serve_until(stop, sockets, drain_s=settings.drain_s)
