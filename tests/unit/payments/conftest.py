"""The platforms that take payments, as a process of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from domains.platforms.calling import pool
from tests.unit.stand_ins.merchant import forget, upload_merchant_key
from tests.unit.stand_ins.stand import Stand, running


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """Its notifications and refunds wait for hundredths of seconds; the merchant's keys are uploaded."""
    with running(Path(tmp_path_factory.mktemp("paying")), speed_up=24_000) as started:
        upload_merchant_key(started)
        yield started


@pytest.fixture
def calm(stand: Stand) -> Iterator[None]:
    """Faults and notifications of a test end with it."""
    yield
    forget(stand)


@pytest.fixture(scope="module")
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """The one client of a process."""
    async with pool() as client:
        yield client
