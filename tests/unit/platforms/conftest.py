"""An instance whose platforms are the stand-ins."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest

from api.instance import Addresses, running
from api.keys import Keys
from api.settings import Settings
from tests.unit.stand_ins.stand import Stand
from tests.unit.stand_ins.stand import running as stand_running


@pytest.fixture(scope="module")
def stand(settings: Settings) -> Iterator[Stand]:
    """The stand-ins, at home where the instance looks for them."""
    with stand_running(settings.home / "platform") as started:
        yield started


@pytest.fixture(scope="module")
async def reaching(settings: Settings, addresses: Addresses, stand: Stand) -> AsyncIterator[Keys]:
    """A running instance, the ways to the stand-ins among its slots."""
    url = str(stand.http.base_url).rstrip("/")
    async with running(settings, replace(addresses, platform_url=url)) as keys:
        yield keys
