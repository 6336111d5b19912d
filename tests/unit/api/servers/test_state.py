"""What is kept between runs, also when it cannot be read, and the locks."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from api.servers.errors import StillLocked
from api.servers.lock import locked
from api.servers.process import Identity
from api.servers.state import State, free_port, password, read_state, write_state


def test_a_state_is_read_as_it_was_written(tmp_path: Path) -> None:
    state = State(Identity(4711, "123456"), 50000)
    write_state(tmp_path, state)
    assert read_state(tmp_path) == state
    assert (tmp_path / "state.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"process": {"pid": "x"}}', '{"process": 1}'])
def test_a_state_that_cannot_be_read_counts_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "state.json").write_text(text)
    assert read_state(tmp_path) is None


def test_no_state_is_none(tmp_path: Path) -> None:
    assert read_state(tmp_path / "nowhere") is None


def test_a_password_is_made_once_and_is_private(tmp_path: Path) -> None:
    first = password(tmp_path / "owner")
    assert password(tmp_path / "owner") == first
    assert password(tmp_path / "other") != first
    assert len(first) == 32
    assert (tmp_path / "owner").stat().st_mode & 0o777 == 0o600


def test_the_wanted_port_is_kept_while_nobody_listens_on_it() -> None:
    port = free_port(0)
    assert free_port(port) == port
    with socket.create_server(("127.0.0.1", port)):
        assert free_port(port) != port


async def test_a_lock_that_stays_taken_is_named(tmp_path: Path) -> None:
    async with locked(tmp_path, 1):
        with pytest.raises(StillLocked, match="请稍后重试"):
            async with locked(tmp_path, 0.05):
                pass
