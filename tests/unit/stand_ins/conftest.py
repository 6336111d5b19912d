"""A platform process of its own per module, spoken to over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.stand_ins.stand import Stand, running


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with running(Path(tmp_path_factory.mktemp("platform"))) as started:
        yield started
