"""Becomes a server: `python -I -S launcher.py MODE UID PROGRAM ARGUMENTS…`.

Runs as a script of its own, with nothing but the standard library, so that no code runs between
fork and exec in the big process. MODE is `stay`, `namespace` (root maps itself to UID inside a
user namespace and keeps its access to files) or `drop` (root becomes UID).
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

_CLONE_NEWUSER = 0x10000000


def _enter_namespace(uid: int) -> None:
    outside = os.geteuid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    Path("/proc/self/uid_map").write_text(f"{uid} {outside} 1\n")


def _drop_to(uid: int) -> None:
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)


def main(mode: str, uid: int, command: list[str]) -> None:
    # The word comes once our identity is on disk. Without it the parent was killed in between,
    # and a server that nobody knows of must not come to life.
    if not sys.stdin.buffer.read(1):
        sys.exit("launcher: the parent is gone")
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    if mode == "namespace":
        _enter_namespace(uid)
    elif mode == "drop":
        _drop_to(uid)
    os.execv(command[0], command)  # noqa: S606 - replacing ourselves by the server is the purpose


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
