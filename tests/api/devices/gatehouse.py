"""An application with handlers behind signatures, the keys it knows, and what came through."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import httpx
import uvicorn
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.devices.signed import TIME, DeviceCall, SignedCalls
from domains.devices.signatures import KnownKey
from domains.kernel.errors import Invalid
from tests.api.devices.signing import DeviceSigner


@dataclass
class Gatehouse:
    """What the server knows and sees. `lookups` are the reads that would go to the database."""

    redis_url: str
    keys: dict[str, KnownKey] = field(default_factory=dict)
    lookups: list[str] = field(default_factory=list)
    calls: list[DeviceCall] = field(default_factory=list)
    refusals: list[tuple[UUID, str]] = field(default_factory=list)

    def register(self, signer: DeviceSigner) -> UUID:
        """Register the device's key; its id."""
        self.keys[signer.keyid] = KnownKey(uuid4(), uuid4(), signer.public_key)
        return self.keys[signer.keyid].device_id

    async def find_key(self, keyid: str) -> KnownKey | None:
        self.lookups.append(keyid)
        return self.keys.get(keyid)

    async def note_refusal(self, device_id: UUID, code: str) -> None:
        self.refusals.append((device_id, code))

    async def report(self, call: DeviceCall) -> Response:
        if call.body == b"rubbish":
            raise Invalid("BAD_REQUEST", "请求格式不正确")
        self.calls.append(call)
        return JSONResponse({"size": len(call.body), "path": call.path, "query": dict(call.query)})

    def application(self) -> Starlette:
        """An application whose lifespan ends its connections."""
        client = Redis.from_url(self.redis_url, retry=Retry(NoBackoff(), 0))
        signed = SignedCalls(client, self.find_key, self.note_refusal)
        endpoint = signed.endpoint(self.report)

        @asynccontextmanager
        async def connected(_: Starlette) -> AsyncIterator[None]:
            async with client:
                yield

        every = Route("/device/v1/{rest:path}", endpoint, methods=["GET", "POST", "PUT"])
        return Starlette(routes=[TIME, every], lifespan=connected)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Starlette]:
        """An application in this process."""
        app = self.application()
        async with app.router.lifespan_context(app):
            yield app


@dataclass
class Device:
    """A device that calls from an address."""

    http: httpx.AsyncClient
    signer: DeviceSigner = field(default_factory=DeviceSigner)

    async def call(
        self, target: str, body: bytes = b"", *, method: str = "POST", headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """A signed request, or one with these headers."""
        headers = headers or self.signer.headers(method, target, body)
        return await self.http.request(method, target, content=body, headers=headers)


def device(house: Gatehouse, app: Starlette, *, at: str = "192.0.2.1") -> Device:
    """A registered device at an address."""
    transport = httpx.ASGITransport(app, client=(at, 4000))
    made = Device(httpx.AsyncClient(transport=transport, base_url="http://linli"))
    house.register(made.signer)
    return made


@contextmanager
def listening(app: Starlette, http: str) -> Iterator[int]:
    """The application on a real socket, under one of the server's parsers; the port."""
    config = uvicorn.Config(app, port=0, log_level="error", lifespan="on", http=http)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            threading.Event().wait(0.01)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(10)
