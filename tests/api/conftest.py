"""The API over a running instance."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from api.app import build_app
from api.settings import Settings
from tests.api.identity.clients import Api


@pytest.fixture(scope="module")
async def api(settings: Settings) -> AsyncIterator[Api]:
    """A client of the API; the test names the instance it runs on."""
    transport = httpx.ASGITransport(build_app(settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://linli") as http:
        yield Api(http)
