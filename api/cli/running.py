"""How a command runs: settings read, work done, and what goes wrong said in words instead of a trace."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import typer
from pydantic import ValidationError

from api.settings import Settings, refused_settings


def load_settings() -> Settings:
    """The settings with logging set up accordingly; exits 2 with what is wrong with them."""
    try:
        return Settings()
    except ValidationError as error:
        for line in refused_settings(error):
            print(line, file=sys.stderr)
        raise typer.Exit(2) from None


def run(work: Coroutine[Any, Any, None]) -> None:  # Any: a coroutine's other two types are asyncio's
    """Run an asynchronous command to its end; exits 1 with a message where it is refused."""
    import uvloop

    try:
        uvloop.run(_ended_in_order(work))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except asyncio.CancelledError:
        raise typer.Exit(128 + signal.SIGTERM) from None
    except Exception as error:
        told = _in_words(error)
        if told is None:
            raise
        print(told, file=sys.stderr)
        raise typer.Exit(1) from None


async def _ended_in_order(work: Coroutine[Any, Any, None]) -> None:  # Any: as above
    """SIGTERM while something starts undoes what was started, as Ctrl-C does."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await work


def _in_words(error: Exception) -> str | None:
    from api.keys import BadKey
    from api.processes import CannotStart
    from api.reaching import Unreachable
    from api.servers.errors import ServersError
    from domains.kernel.errors import DomainError

    if isinstance(error, DomainError):
        return f"{error.message}({error.code})"
    if isinstance(error, (ServersError, CannotStart, Unreachable, BadKey)):
        return str(error)
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"无法使用 {error.filename}({error.strerror}),请检查权限和磁盘空间"
    return None


def in_instance(work: Callable[[], Awaitable[None]], *, platform: bool = False) -> None:
    """Run work in a prepared instance."""
    settings = load_settings()

    async def main() -> None:
        from api.processes import prepared

        async with prepared(settings, platform=platform):
            await work()

    run(main())


async def announce(ready: asyncio.Event, text: Callable[[], str]) -> None:
    """Print once the server answers."""
    await ready.wait()
    print(text(), flush=True)
