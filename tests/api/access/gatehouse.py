"""The device API on a real socket in this process, and gates that are processes of their own."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson
import uvicorn
from starlette.applications import Starlette

from api.devices.routes import routes
from api.settings import REPOSITORY
from tests.factories.gates import Post


def application() -> Starlette:
    """The device API over the running instance."""
    return Starlette(routes=routes())


def http() -> httpx.AsyncClient:
    """A client without a socket."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(application()), base_url="http://linli")


@asynccontextmanager
async def served() -> AsyncIterator[str]:
    """The device API on a port of its own; its address."""
    server = uvicorn.Server(uvicorn.Config(application(), port=0, log_level="error", lifespan="off"))
    task = asyncio.create_task(server.serve())
    try:
        while not server.started:
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


async def call(
    client: httpx.AsyncClient, post: Post, method: str, path: str, body: object = None
) -> httpx.Response:
    """A signed request of a gate; bytes are sent as they are."""
    sent = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
    target = f"/device/v1/gate/{path}"
    return await client.request(
        method, target, content=sent, headers=post.signer.headers(method, target, sent)
    )


@dataclass
class Machine:
    """A gate computer: what it is told to do, and its power switch."""

    folder: Path
    url: str
    post: Post
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Switch it on; it is ready."""
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.gate_simulator", str(self.folder), self.url,
            self.post.signer.key.private_bytes_raw().hex(),
            cwd=REPOSITORY, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert await self._heard() == {"ready": True}

    async def kill(self) -> None:
        """Pull the plug."""
        assert self.process is not None
        self.process.kill()
        await self.process.communicate()

    async def reboot(self) -> None:
        """Pull the plug and switch it on again; the network is as the building has it."""
        await self.kill()
        await self.start()

    async def do(self, what: str, **order: object) -> dict[str, Any]:  # Any: JSON
        """Give an order and wait for the answer."""
        assert self.process is not None
        assert self.process.stdin is not None
        self.process.stdin.write(orjson.dumps({"do": what, **order}) + b"\n")
        return await self._heard()

    async def _heard(self) -> dict[str, Any]:  # Any: JSON
        assert self.process is not None
        assert self.process.stdout is not None
        async with asyncio.timeout(30):
            heard: dict[str, Any] = orjson.loads(await self.process.stdout.readline())
        return heard

    @property
    def openings(self) -> int:
        """How often its relay fired."""
        path = self.folder / "openings"
        return len(path.read_text().splitlines()) if path.exists() else 0


@asynccontextmanager
async def machine(folder: Path, url: str, post: Post) -> AsyncIterator[Machine]:
    """A gate computer that is on, and off at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Machine(folder, url, post)
    await made.start()
    try:
        yield made
    finally:
        await made.kill()
