"""Folders for private servers: initdb takes its time, so most tests use one that was used before."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from api.servers import Supervisor
from tests.unit.api.servers.probes import running


@pytest.fixture
async def empty_root(tmp_path: Path) -> AsyncIterator[Path]:
    """A folder that does not exist yet; whatever a failed test leaves running in it is stopped."""
    folder = tmp_path / "邻里 data" / ".linli"
    yield folder
    await Supervisor(folder)._stop_all()
    shutil.rmtree(folder, ignore_errors=True)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def prepared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Path]:
    """A folder after its first run."""
    folder = tmp_path_factory.mktemp("prepared") / "邻里 data" / ".linli"
    async with running(folder):
        pass
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
async def root(prepared: Path) -> AsyncIterator[Path]:
    """A folder that has been used before and is in order after the test, too."""
    yield prepared
    await Supervisor(prepared)._stop_all()


@pytest.fixture
async def copied_root(empty_root: Path, prepared: Path) -> Path:
    """A folder that has been used before, for the test to break."""
    shutil.copytree(prepared, empty_root)
    return empty_root
