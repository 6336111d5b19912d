"""A platform process of its own per module, spoken to over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.stand_ins.merchant import upload_merchant_key
from tests.unit.stand_ins.stand import Stand, running


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with running(Path(tmp_path_factory.mktemp("platform"))) as started:
        yield started


@pytest.fixture(scope="module")
def paying(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """One whose notifications and refunds wait for hundredths of seconds, with the merchant's key uploaded."""
    with running(Path(tmp_path_factory.mktemp("paying")), speed_up=24_000) as started:
        upload_merchant_key(started)
        yield started
