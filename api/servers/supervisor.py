"""The private servers of one `.linli` folder: shared by the runs that use it, stopped by the last one."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from api.servers import child, postgres, valkey
from api.servers.account import choose_account
from api.servers.errors import ForeignFolder
from api.servers.lock import locked, try_lock
from api.servers.process import StopStep, stop
from api.servers.programs import postgres_programs, valkey_program
from api.servers.server import Server, bring_up
from api.servers.state import read_state

_LOCK_SECONDS = 120.0
_PRIVATE_FOLDERS = ("log", "run", "secrets")


@dataclass(frozen=True, slots=True)
class Servers:
    """Addresses with their passwords; an address is empty for a server that was not asked for."""

    owner_url: str = field(default="", repr=False)
    """PostgreSQL as `linli_owner`, which migrates and may create databases."""
    app_url: str = field(default="", repr=False)
    """PostgreSQL as `linli_app`, which may create nothing and sees what the owner grants."""
    redis_url: str = field(default="", repr=False)
    children: Mapping[str, str] = field(default_factory=dict)
    """Base URLs of the children by name."""


class Supervisor:
    """Starts, adopts and stops the private servers (私有服务) below `root`, the `.linli` folder.

    Every run that started or adopted holds a shared lock, which the kernel takes back however the run
    ends. `stop` of the last holder stops the servers; anybody else's leaves them to the others.
    `durable=False` is for tests: the data may be lost if the machine crashes.
    """

    def __init__(self, root: Path, *, durable: bool = True) -> None:
        self._root = root.absolute()
        self._durable = durable
        self._use: int | None = None

    async def start(
        self,
        *,
        with_postgres: bool = True,
        with_valkey: bool = True,
        children: Sequence[child.Child] = (),
    ) -> Servers:
        """Brings up what is asked for, all at once, and returns when everything answers.

        Raises ServersError, whose message a person can act on; nothing is left running then.
        """
        assert self._use is None, "started already"
        self._make_folders()
        async with locked(self._root / "run", _LOCK_SECONDS):
            alone = self._join()
            try:
                return await self._bring_up(alone, with_postgres, with_valkey, children)
            except BaseException:
                await self._leave()
                raise

    async def stop(self) -> None:
        """Stops children, Valkey and PostgreSQL, in this order, unless another run still uses them."""
        if self._use is None:
            return
        async with locked(self._root / "run", _LOCK_SECONDS):
            await self._leave()

    async def _bring_up(
        self, alone: bool, with_postgres: bool, with_valkey: bool, children: Sequence[child.Child]
    ) -> Servers:
        database, cache = await asyncio.to_thread(self._choose, with_postgres, with_valkey)
        beside = [child.ChildServer(self._root, each) for each in children]
        ports = await _all_up([each for each in (database, cache, *beside) if each], alone)
        return Servers(
            owner_url=database.url(postgres.OWNER, ports[database.home]) if database else "",
            app_url=database.url(postgres.APPLICATION, ports[database.home]) if database else "",
            redis_url=cache.url(ports[cache.home]) if cache else "",
            children={each.name: f"http://127.0.0.1:{ports[each.home]}" for each in beside},
        )

    def _choose(
        self, with_postgres: bool, with_valkey: bool
    ) -> tuple[postgres.Postgres | None, valkey.Valkey | None]:
        programs = postgres_programs() if with_postgres else None
        program = valkey_program() if with_valkey else None
        tried = [each for each in (programs and programs / "postgres", program) if each]
        account = choose_account(self._root, tried)
        return (
            postgres.Postgres(self._root, programs, account, durable=self._durable) if programs else None,
            valkey.Valkey(self._root, program, account) if program else None,
        )

    def _make_folders(self) -> None:
        self._root.mkdir(parents=True, exist_ok=True)
        if not os.access(self._root, os.R_OK | os.W_OK | os.X_OK):
            raise ForeignFolder(self._root)
        for folder in (self._root / name for name in _PRIVATE_FOLDERS):
            folder.mkdir(mode=0o700, exist_ok=True)
            if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
                raise ForeignFolder(self._root)

    def _join(self) -> bool:
        """Becomes a user of the servers; says whether there is no other."""
        self._use = os.open(self._root / "run" / "users", os.O_RDWR | os.O_CREAT, 0o600)
        alone = try_lock(self._use)
        # Nobody holds it exclusively but for a moment, and only under the lock that we hold as well.
        assert try_lock(self._use, shared=True)
        return alone

    async def _leave(self) -> None:
        assert self._use is not None
        try:
            if try_lock(self._use):
                await self._stop_all()
        finally:
            os.close(self._use)
            self._use = None

    async def _stop_all(self) -> None:
        beside = (self._root / "children").glob("*")
        await asyncio.gather(*(_stop_known(home, child.STOP_STEPS) for home in beside))
        await _stop_known(self._root / "valkey", valkey.STOP_STEPS)
        await _stop_known(self._root / "postgres", postgres.STOP_STEPS)


async def _all_up(servers: Sequence[Server], alone: bool) -> dict[Path, int]:
    """The ports by home; the first failure is raised only when every start has come to its end."""
    came = await asyncio.gather(*(bring_up(each, alone=alone) for each in servers), return_exceptions=True)
    for failure in came:
        if isinstance(failure, BaseException):
            raise failure
    return {each.home: port for each, port in zip(servers, came, strict=True) if isinstance(port, int)}


async def _stop_known(home: Path, steps: Sequence[StopStep]) -> None:
    if known := read_state(home):
        await stop(known.process, steps)
