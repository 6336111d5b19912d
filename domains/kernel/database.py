"""The one way to the database: a pool per process, one transaction per command.

Rows that are written go through the ORM or a named statement inside `transaction()`; what a
transaction promised to do afterwards (waking the relay, dropping a cache entry) is registered
with `after_commit` and never runs for a transaction that was rolled back.

A transaction belongs to the task that began it. A task that was started inside of it inherits
its context, would use its connection while it is busy, or after it was given back: such a task is
refused, for the ORM as for statements, by a RuntimeError.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast
from urllib.parse import unquote, urlsplit

import asyncpg
import structlog
from tortoise.backends.asyncpg.client import AsyncpgDBClient, TransactionWrapper
from tortoise.backends.base.client import ConnectionWrapper, TransactionContext
from tortoise.connection import get_connection, get_connections
from tortoise.context import TortoiseContext

from domains.kernel.faults import place

CONNECTION = "default"
T = TypeVar("T")

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Statements:
    """What a piece of work cost: the number of statements and the seconds spent in them."""

    count: int = 0
    seconds: float = 0.0
    texts: list[str] = field(default_factory=list)

    def add(self, inner: Statements) -> None:
        """Take over what a part of the work cost."""
        self.count += inner.count
        self.seconds += inner.seconds
        self.texts += inner.texts


_counter: ContextVar[Statements | None] = ContextVar("statements", default=None)
_OVERHEAD = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")
# The driver asks once per connection how a type is built.
_DRIVERS_OWN = re.compile(r"\s*(WITH RECURSIVE typeinfo_tree|SELECT\s+current_setting\('jit'\))")


@asynccontextmanager
async def counted() -> AsyncIterator[Statements]:
    """Count the statements of the enclosed work, transaction control left out; whoever counts around
    it counts them too."""
    outer, statements = _counter.get(), Statements()
    token = _counter.set(statements)
    try:
        yield statements
    finally:
        _counter.reset(token)
        if outer is not None:
            outer.add(statements)


def _count(query: asyncpg.connection.LoggedQuery) -> None:
    statements = _counter.get()
    if statements is None or query.query.startswith(_OVERHEAD) or _DRIVERS_OWN.match(query.query):
        return
    statements.count += 1
    statements.seconds += query.elapsed
    statements.texts.append(query.query)


async def _prepare(connection: asyncpg.Connection) -> None:
    connection.add_query_logger(_count)


async def _leave_as_it_is(_: asyncpg.Connection) -> None:
    """Nothing here changes a session's state (locks are the transaction's, LISTEN has connections of
    its own), so that resetting it would be a round trip for nothing."""


def orm_config(
    url: str, apps: Mapping[str, str], pool_size: int
) -> dict[str, Any]:  # Any: the ORM's own shape
    """The ORM's configuration: one connection; per app its models and its migrations."""
    parts = urlsplit(url)
    credentials = {
        "host": parts.hostname,
        "port": parts.port or 5432,
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "database": parts.path.lstrip("/"),
        "minsize": 1,
        "maxsize": pool_size,
        "init": _prepare,
        "reset": _leave_as_it_is,
        "command_timeout": 60,
        "server_settings": {"timezone": "UTC", "application_name": "linli"},
    }
    return {
        "connections": {CONNECTION: {"engine": "tortoise.backends.asyncpg", "credentials": credentials}},
        "apps": {
            label: {
                "models": [f"{package}.models"],
                "default_connection": CONNECTION,
                "migrations": f"migrations.{label}",
            }
            for label, package in apps.items()
        },
        "use_tz": True,
        "timezone": "UTC",
    }


@asynccontextmanager
async def connected(
    url: str, apps: Mapping[str, str], *, pool_size: int = 10
) -> AsyncIterator[TortoiseContext]:
    """Open the pool for this task and every task it starts; close it at the end."""
    async with TortoiseContext() as context:
        await context.init(config=orm_config(url, apps, pool_size))
        client = cast(AsyncpgDBClient, get_connection(CONNECTION))
        await client.create_connection(with_db=True)
        yield context


def _require_own(task: asyncio.Task[Any] | None) -> None:  # Any: whatever the task returns
    if asyncio.current_task() is not task:
        raise RuntimeError("a transaction belongs to the task that began it: start others after the commit")


class _Joined(TransactionWrapper):
    """The open transaction as the ORM sees it."""

    def __init__(self, parent: AsyncpgDBClient, connection: asyncpg.Connection) -> None:
        super().__init__(parent)
        self._connection = connection
        self._task = asyncio.current_task()

    def acquire_connection(self) -> ConnectionWrapper[asyncpg.Connection]:
        _require_own(self._task)
        return super().acquire_connection()

    def _in_transaction(self) -> TransactionContext:
        _require_own(self._task)
        return super()._in_transaction()


@dataclass(slots=True)
class Transaction:
    """An open transaction, what it still has to write, and what is to happen once it is committed."""

    connection: asyncpg.Connection
    task: asyncio.Task[Any] | None = field(default_factory=asyncio.current_task)  # Any: as in _require_own
    callbacks: list[Callable[[], Awaitable[object]]] = field(default_factory=list)
    collected: list[tuple[Callable[[list[Any]], Awaitable[object]], object]] = field(default_factory=list)

    def at_end(self, write: Callable[[list[T]], Awaitable[object]], item: T) -> None:
        """Let `write` have this item, together with all others it was given, right before the commit."""
        self.collected.append((write, item))

    def after_commit(self, callback: Callable[[], Awaitable[object]]) -> None:
        """Run `callback` after the commit; its failure is logged and undoes nothing."""
        self.callbacks.append(callback)

    async def write_collected(self) -> None:
        """What `at_end` was told to; called by `transaction`."""
        while self.collected:
            write = self.collected[0][0]
            items = [item for each, item in self.collected if each is write]
            self.collected = [pair for pair in self.collected if pair[0] is not write]
            await write(items)


_open: ContextVar[Transaction | None] = ContextVar("transaction", default=None)


def open_transaction() -> Transaction | None:
    """The transaction this task is in, if any."""
    return _open.get()


@asynccontextmanager
async def transaction() -> AsyncIterator[Transaction]:
    """Begin a transaction, or join the one that is open: a command has exactly one.

    What fails in a joined part is undone at once, so that a caller who catches the failure goes on
    with nothing half-written; what it promised for later is dropped with it.
    """
    outer = _open.get()
    async with _begun() if outer is None else _joined(outer) as current:
        yield current


@asynccontextmanager
async def _begun() -> AsyncIterator[Transaction]:
    client = cast(AsyncpgDBClient, get_connection(CONNECTION))
    async with _pool().acquire() as connection:
        current = Transaction(cast(asyncpg.Connection, connection))
        async with connection.transaction():
            seen_by_orm = get_connections().set(CONNECTION, _Joined(client, current.connection))
            token = _open.set(current)
            try:
                yield current
                await current.write_collected()
            finally:
                _open.reset(token)
                get_connections().reset(seen_by_orm)
    for callback in current.callbacks:
        try:
            await callback()
        except Exception as error:  # the commit stands; what follows is a convenience (a wake-up, a cache)
            log.error("after_commit.failed", **place(error))


@asynccontextmanager
async def _joined(outer: Transaction) -> AsyncIterator[Transaction]:
    _require_own(outer.task)
    promised, collected = len(outer.callbacks), len(outer.collected)
    try:
        async with outer.connection.transaction():
            yield outer
    except BaseException:
        del outer.callbacks[promised:], outer.collected[collected:]
        raise


@dataclass(frozen=True, slots=True)
class PoolUse:
    """Connections that this process holds, of those the idle ones, and how many it may hold."""

    size: int
    idle: int
    most: int


def pool_use() -> PoolUse:
    """How the pool stands now."""
    pool = _pool()
    return PoolUse(pool.get_size(), pool.get_idle_size(), pool.get_max_size())


def _pool() -> asyncpg.Pool:
    pool = cast(AsyncpgDBClient, get_connection(CONNECTION))._pool
    assert pool is not None, "connected"
    return pool


def _executor() -> asyncpg.Connection | asyncpg.Pool:
    """The open transaction's connection, or the pool: the ORM's way to either costs more than the driver's."""
    current = _open.get()
    if current is None:
        return _pool()
    _require_own(current.task)
    return current.connection


async def fetch(sql: str, *args: object) -> Sequence[asyncpg.Record]:
    """All rows of a named statement, inside the open transaction if there is one."""
    return cast(Sequence[asyncpg.Record], await _executor().fetch(sql, *args))


async def fetchrow(sql: str, *args: object) -> asyncpg.Record | None:
    """The first row, or None."""
    return await _executor().fetchrow(sql, *args)


async def fetchval(sql: str, *args: object) -> Any:  # Any: the column's type is the statement's
    """The first column of the first row, or None."""
    return await _executor().fetchval(sql, *args)


async def execute(sql: str, *args: object) -> int:
    """Run a statement; the number of rows it touched (0 where that means nothing)."""
    tag = await _executor().execute(sql, *args)
    words = str(tag).split()
    return int(words[-1]) if words and words[-1].isdigit() else 0
