"""Which user id the servers get, above all when the app runs as root."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from api.servers import Supervisor
from api.servers import account as accounts
from api.servers.account import STAY, Account, choose_account
from api.servers.errors import ForeignFolder, NoAccount
from api.servers.state import read_state
from tests.unit.api.servers.probes import processes_of

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to change its user id")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user id can reach, which pytest's own are not."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def without_namespaces(monkeypatch: pytest.MonkeyPatch) -> Account:
    """A machine that forbids user namespaces, as some containers do."""
    drop = Account("drop", accounts._unused_uid())
    monkeypatch.setattr(accounts, "_candidates", lambda: iter([drop]))
    return drop


async def serve(root: Path) -> None:
    """Starts, asks, stops."""
    supervisor = Supervisor(root, durable=False)
    servers = await supervisor.start()
    try:
        connection = await asyncpg.connect(servers.app_url)
        assert await connection.fetchval("SELECT 1") == 1
        await connection.close()
    finally:
        await supervisor.stop()


def test_without_root_nothing_is_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert choose_account(tmp_path, []) == STAY


@as_root
async def test_under_a_closed_parent_the_servers_run_in_a_user_namespace(root: Path) -> None:
    parent = root.parent
    parent.chmod(0o700)
    supervisor = Supervisor(root, durable=False)
    await supervisor.start()
    for name in ("postgres", "valkey"):
        state = read_state(root / name)
        assert state
        process = Path("/proc") / str(state.process.pid)
        inside, outside, length = process.joinpath("uid_map").read_text().split()
        assert (int(inside) != 0, outside, length) == (True, "0", "1")
        assert "CapEff:\t0000000000000000" in process.joinpath("status").read_text()
    await supervisor.stop()
    assert stat.S_IMODE(parent.stat().st_mode) == 0o700


@as_root
async def test_where_namespaces_are_forbidden_the_servers_get_an_unused_uid(
    open_folder: Path, without_namespaces: Account
) -> None:
    root = open_folder / ".linli"
    supervisor = Supervisor(root, durable=False)
    await supervisor.start()
    for name in ("postgres", "valkey"):
        state = read_state(root / name)
        assert state
        assert set(psutil.Process(state.process.pid).uids()) == {without_namespaces.uid}
        assert set(psutil.Process(state.process.pid).gids()) == {without_namespaces.uid}
        assert (root / name / "data").stat().st_uid == without_namespaces.uid
        assert (root / name / "state.json").stat().st_uid == 0
    await supervisor.stop()
    assert processes_of(root) == []
    assert open_folder.stat().st_uid == 0
    assert stat.S_IMODE(open_folder.stat().st_mode) == 0o755


@as_root
async def test_data_of_one_kind_of_account_serves_the_other(
    open_folder: Path, prepared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = shutil.copytree(prepared, open_folder / ".linli")
    with monkeypatch.context() as patch:
        drop = Account("drop", accounts._unused_uid())
        patch.setattr(accounts, "_candidates", lambda: iter([drop]))
        await serve(root)
        assert (root / "postgres" / "data" / "base").stat().st_uid == drop.uid
        await serve(root)
    await serve(root)
    assert (root / "postgres" / "data" / "base").stat().st_uid == 0


@as_root
async def test_where_nobody_else_may_enter_the_error_says_what_to_do(
    tmp_path: Path, without_namespaces: Account
) -> None:
    parent = tmp_path / "closed"
    parent.mkdir(mode=0o700)
    with pytest.raises(NoAccount, match=r"普通用户运行.*不要加 sudo"):
        await Supervisor(parent / ".linli").start()
    assert stat.S_IMODE(parent.stat().st_mode) == 0o700
    assert not (parent / ".linli" / "postgres" / "data").exists()


async def test_a_folder_of_another_user_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(ForeignFolder, match="删除该目录后重试"):
        await Supervisor(tmp_path / ".linli").start()
