"""The application behind a real server with sockets, a real browser of a phone's size before it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
import uvicorn
from playwright.async_api import Browser

from api.app import build_app
from api.keys import Keys
from api.settings import Settings
from tests.browser.driving import browser, installed
from tests.unit.stand_ins.stand import Stand
from tests.unit.stand_ins.stand import running as stand_running


@pytest.fixture(scope="module")
async def served(settings: Settings, instance: Keys) -> AsyncIterator[str]:
    """The address of this module's instance, which accepts the mini-program's documents and no others."""
    strict = settings.model_copy(update={"trusted_documents_only": True})
    config = uvicorn.Config(
        build_app(strict), host="127.0.0.1", port=0, loop="none", lifespan="off", log_config=None,
        ws="websockets-sansio",
    )  # fmt: skip
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve())
    while not server.started:
        await asyncio.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    server.force_exit = True
    await serving


@pytest.fixture(scope="module")
async def opened() -> AsyncIterator[Browser]:
    """A browser; without Chromium the tests are skipped, but never under CI."""
    async with browser(installed()) as started:
        yield started


@pytest.fixture(scope="module")
def stand(settings: Settings) -> Iterator[Stand]:
    """The stand-ins of the platforms, at home where an instance looks for them; for the tests that name them."""
    with stand_running(settings.home / "platform") as started:
        yield started
