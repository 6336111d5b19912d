"""What a long-running process does around its work: servers, migrations, slots, signals."""

from __future__ import annotations

import asyncio
import ctypes
import errno
import gc
import importlib
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from api.addresses import Addresses, servers
from api.settings import Settings

UNTAKEN_MS = 30_000
_TRIM, _MAP = -1, -3  # parameters of mallopt(3)
_MAPPED_FROM = 1024 * 1024


class CannotStart(Exception):
    """程序无法启动。"""


@asynccontextmanager
async def prepared(
    settings: Settings, *, platform: bool = False, program: str = "api.instance"
) -> AsyncIterator[Addresses]:
    """Servers up, database current, slots filled. The modules of `program` are imported while the
    servers start: either takes most of a second."""
    _return_memory()
    importing = asyncio.create_task(asyncio.to_thread(_import, program))
    try:
        async with servers(settings, platform=platform) as addresses:
            await importing  # first: a module that two threads import at once may be seen half made
            await _reach_given(settings, addresses)
            async with _connected(settings, addresses):
                yield addresses
    finally:
        with suppress(BaseException):  # its failure was raised above, if it was ever waited for
            await importing


@asynccontextmanager
async def _connected(settings: Settings, addresses: Addresses) -> AsyncIterator[None]:
    from api.instance import running
    from api.migrating import migrate

    # What is imported stays: the collector need not look at it ever again.
    gc.freeze()
    gc.enable()
    if settings.profile == "embedded":
        await migrate(addresses.owner_url, addresses.app_url)
    async with running(settings, addresses):
        yield


async def _reach_given(settings: Settings, addresses: Addresses) -> None:
    from api.migrating import role_problems
    from api.reaching import database_at, reach_cache

    if settings.database_url:
        async with database_at(addresses.app_url, "DATABASE_URL") as connection:
            if settings.profile == "production" and (problems := await role_problems(connection)):
                raise CannotStart("\n".join(problems))
    if settings.database_owner_url and settings.profile == "embedded":
        async with database_at(addresses.owner_url, "DATABASE_OWNER_URL"):
            pass
    if settings.redis_url:
        await reach_cache(addresses.redis_url, "REDIS_URL")


def _return_memory() -> None:
    """Large blocks go back to the system when they are free. By itself glibc takes the 19 MiB of the first
    password's hash for the usual size, and from then on keeps as much; other C libraries have no such habit."""
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        set_option(_MAP, _MAPPED_FROM)
        set_option(_TRIM, 2 * _MAPPED_FROM)


def _import(program: str) -> None:
    from tortoise import models

    # For each model the ORM would parse its whole file, for descriptions in `#:` comments, which nobody writes here.
    models._get_comments = lambda cls: {}
    for name in ("api.instance", "api.migrating", program):
        importlib.import_module(name)


def listen(settings: Settings) -> socket.socket:
    """The socket that will be served, taken before anything else is started. Raises CannotStart."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        # For every connection: a client that takes nothing is cut by the system, for closing in order
        # would wait for ever until it has taken the rest.
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNTAKEN_MS)
    try:
        made.bind((settings.host, settings.port))
        made.listen(2048)
    except OSError as error:
        made.close()
        raise CannotStart(_why_not(settings, error)) from None
    made.setblocking(False)
    return made


def _why_not(settings: Settings, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"端口 {settings.port} 已被占用。请停止占用它的程序,或换一个端口:PORT=9000 make demo"
    if isinstance(error, PermissionError):
        return f"没有权限使用端口 {settings.port}。请换用 1024 以上的端口,例如 PORT=8000"
    return f"无法在 {settings.host}:{settings.port} 上监听({error.strerror})。请检查 LINLI_HOST 和 PORT"


async def until_stopped(work: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run work that ends when its event is set; SIGTERM and SIGINT set it."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        await work(stop)
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
