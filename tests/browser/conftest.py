"""The application behind a real server, a real browser before it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from playwright.async_api import Browser

from api.app import build_app
from api.keys import Keys
from api.settings import Settings
from tests.browser.driving import browser, installed


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[str]:
    """The address of the application over slots that are filled."""
    config = uvicorn.Config(
        build_app(settings), host="127.0.0.1", port=0, loop="none", lifespan="off", log_config=None, ws="none"
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server._serve())
    while not server.started:
        await asyncio.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await running


@pytest.fixture(scope="module")
async def served(settings: Settings, instance: Keys) -> AsyncIterator[str]:
    """The address of this module's instance."""
    async with serving(settings) as address:
        yield address


@pytest.fixture(scope="module")
async def opened() -> AsyncIterator[Browser]:
    """A browser; without Chromium the tests are skipped, but never under CI."""
    async with browser(installed()) as started:
        yield started
