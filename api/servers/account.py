"""Under which user id a server runs: PostgreSQL refuses root, and nobody's account is created for it."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from api.servers.errors import NoAccount

_LAUNCHER = str(Path(__file__).with_name("launcher.py"))
_PROBE = 'cd "$1" && shift && for program; do "$program" --version || exit 1; done'
_PROBE_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Account:
    """How a server gets its user id: `mode` and `uid` as launcher.py reads them."""

    mode: Literal["stay", "namespace", "drop"]
    uid: int

    def command(self, command: Sequence[str]) -> list[str]:
        """`command`, to be started under this account once a byte arrives on its standard input."""
        return [sys.executable, "-I", "-S", _LAUNCHER, self.mode, str(self.uid), *command]

    def own(self, path: Path) -> None:
        """Gives `path` and all below it to the server, also after a run under another account."""
        owner = self.uid if self.mode == "drop" else os.geteuid()
        if path.stat().st_uid == owner:
            return
        # The top comes last: it tells whether the work was ever finished.
        for each in (*path.rglob("*"), path):
            os.chown(each, owner, owner if self.mode == "drop" else os.getegid(), follow_symlinks=False)


STAY = Account("stay", 0)


def choose_account(root: Path, programs: Sequence[Path]) -> Account:
    """The first account that reaches `root` and can run `programs`; blocks for about 0.1 s as root.

    Raises NoAccount when there is none.
    """
    if os.geteuid() != 0:
        return STAY
    for account in _candidates():
        if account.mode == "drop":
            root.chmod(root.stat().st_mode | 0o011)
        if _works(account, root, programs):
            return account
    raise NoAccount(root)


def listed_account() -> Account:
    """A system account from the password database, because initdb insists that its user has a name."""
    return Account("drop", min(entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid > 0))


def _candidates() -> Iterator[Account]:
    if sys.platform == "linux":
        yield Account("namespace", listed_account().uid)
    yield Account("drop", _unused_uid())


def _unused_uid() -> int:
    # From just below the range that systemd gives to services for a while.
    taken = {entry.pw_uid for entry in pwd.getpwall()}
    return next(uid for uid in range(61_183, 1, -1) if uid not in taken)


def _works(account: Account, root: Path, programs: Sequence[Path]) -> bool:
    command = ["/bin/sh", "-c", _PROBE, "sh", str(root), *map(str, programs)]
    probe = subprocess.run(
        account.command(command), input=b"\n", capture_output=True, timeout=_PROBE_SECONDS,
        start_new_session=True, check=False,
    )  # fmt: skip
    return probe.returncode == 0
