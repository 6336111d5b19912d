"""The process: one socket on the loopback, a graceful stop, and connections that can be cut on purpose."""

from __future__ import annotations

import signal
import socket
import sys
from contextlib import closing
from pathlib import Path
from types import FrameType
from typing import NoReturn

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from miniprogram_stub.platform.app import build_app
from miniprogram_stub.platform.books import Books


class _SeverableProtocol(HttpToolsProtocol):
    """Hands each request the means to cut its own connection, which ASGI has no message for."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"]["sever"] = self.transport.abort


class _AnnouncingServer(uvicorn.Server):
    """Says where it listens once it does: whoever starts it waits for this line."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listener in sockets or []:
            sys.stdout.write(f"platform ready {_address(listener)}\n")
        sys.stdout.flush()


def _leave(_number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)


def serve(home: Path, port: int, speed_up: float) -> None:
    """Serve on 127.0.0.1 until told to stop; SystemExit with a sentence when the port is taken."""
    # uvicorn stops gracefully and then raises the signal again for the handler it found:
    # this one makes a requested stop end with status 0, also before the server is up.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with closing(Books(home / "books.sqlite3")) as books, _listen(port) as listener:
        config = uvicorn.Config(
            build_app(home, books, address=_address(listener), speed_up=speed_up),
            loop="uvloop",
            http=_SeverableProtocol,
            ws="none",
            lifespan="on",
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=2,
        )
        _AnnouncingServer(config).run([listener])


def _address(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port), backlog=512)
    except OSError as error:
        raise SystemExit(f"端口 {port} 无法使用（{error.strerror}），请换一个端口。") from error
