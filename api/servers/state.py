"""What outlives a run: which process served on which port, and the passwords; files for our eyes only."""

from __future__ import annotations

import json
import os
import secrets
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

from api.servers.process import Identity

_FILE = "state.json"


@dataclass(frozen=True, slots=True)
class State:
    """The last known process of a server and its TCP port on 127.0.0.1."""

    process: Identity
    port: int


def read_state(home: Path) -> State | None:
    """The state kept in `home`; None when there is none, or none that can be read."""
    try:
        kept = json.loads((home / _FILE).read_text())
        return State(
            Identity(int(kept["process"]["pid"]), str(kept["process"]["started"])), int(kept["port"])
        )
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def write_state(home: Path, state: State) -> None:
    """Replaces the state in one step, so that a crash leaves the old one or the new one."""
    write_private(home / _FILE, json.dumps(asdict(state)))


def password(file: Path) -> str:
    """The password kept in `file`, made on first use: 192 random bits, safe inside an address or SQL."""
    if not file.exists():
        write_private(file, secrets.token_urlsafe(24))
    return file.read_text()


def write_private(file: Path, text: str) -> None:
    """Writes `text` so that nobody else can read it and no reader sees half of it."""
    new = file.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.write(text)
    new.replace(file)


def free_port(wanted: int) -> int:
    """`wanted` if nobody listens there, else a free ephemeral port of 127.0.0.1."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("127.0.0.1 has no free port")
