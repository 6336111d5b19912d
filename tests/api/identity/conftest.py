"""An instance with the platforms' stand-ins beside it, and the API over it."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import httpx
import pytest

from api.app import build_app
from api.instance import Addresses, running
from api.keys import Keys
from api.settings import Settings
from tests.api.identity.clients import Api
from tests.api.identity.office import Office, open_office
from tests.unit.stand_ins.stand import Stand
from tests.unit.stand_ins.stand import running as stand_running


@pytest.fixture(scope="module")
def stand(settings: Settings) -> Iterator[Stand]:
    """The stand-ins, at home where the instance looks for them."""
    with stand_running(settings.home / "platform") as started:
        yield started


@pytest.fixture(scope="module")
async def platforms_instance(settings: Settings, addresses: Addresses, stand: Stand) -> AsyncIterator[Keys]:
    """A running instance whose platforms are the stand-ins."""
    url = str(stand.http.base_url).rstrip("/")
    async with running(settings, replace(addresses, platform_url=url)) as keys:
        yield keys


@pytest.fixture(scope="module")
async def api(settings: Settings) -> AsyncIterator[Api]:
    """A client of the API; the test names the instance it runs on."""
    # An address of its own: what others take from the limits of an address is not taken here.
    address = f"10.{secrets.randbelow(256)}.{secrets.randbelow(256)}.{secrets.randbelow(256)}"
    transport = httpx.ASGITransport(build_app(settings), client=(address, 40000))
    async with httpx.AsyncClient(transport=transport, base_url="http://linli") as http:
        yield Api(http)


@pytest.fixture(scope="module")
async def office(instance: Keys) -> Office:
    """A company with its administrator and a manager of its first compound."""
    return await open_office()
