"""Many subscribers in one process: `python -m tests.bench.listeners PORT`, told what to do line by line.

A line {"open": [[[token, cursor], …]]} is answered when each has heard something after its cursor; {"heard":
[number, seconds]} when so much has arrived, with all of it; {"close": []} when all have left.
The protocol is spoken by hand: a client library would cost more than what is measured.
"""

from __future__ import annotations

import asyncio
import base64
import os
import struct
import sys
import time
from typing import Any, cast

import orjson
import uvloop

QUERY = "subscription Inbox($after: String) { inboxChanged(after: $after) { cursor unreadCount notification { id title } } }"
TEXT, PING, PONG = 0x1, 0x9, 0xA
OPENING_AT_ONCE, OPENING_S = 200, 60


class Listener(asyncio.Protocol):
    """One WebSocket with one subscription."""

    def __init__(self, token: str, cursor: str) -> None:
        self._token = token
        self.cursor = cursor
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.titles: list[tuple[str, float]] = []
        self._buffer = b""
        self._greeted = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        key = base64.b64encode(os.urandom(16)).decode()
        self.transport.write(
            "GET /graphql HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n"
            f"Sec-WebSocket-Key: {key}\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._greeted and b"\r\n\r\n" in self._buffer:
            self._greeted, self._buffer = True, self._buffer.split(b"\r\n\r\n", 1)[1]
            self._say({"type": "connection_init", "payload": {"authorization": f"Bearer {self._token}"}})
        while self._greeted and (frame := self._frame()) is not None:
            self._take(*frame)

    def _frame(self) -> tuple[int, bytes] | None:
        if len(self._buffer) < 2:
            return None
        kind, size, start = self._buffer[0] & 0xF, self._buffer[1], 2
        if size == 126:
            if len(self._buffer) < 4:
                return None
            size, start = struct.unpack("!H", self._buffer[2:4])[0], 4
        if len(self._buffer) < start + size:
            return None
        payload, self._buffer = self._buffer[start : start + size], self._buffer[start + size :]
        return kind, payload

    def _take(self, kind: int, payload: bytes) -> None:
        if kind == PING:
            self._write(PONG, payload)
        elif kind == TEXT:
            self._heard(orjson.loads(payload), time.monotonic())

    def _heard(self, message: dict[str, Any], at: float) -> None:  # Any: messages have any shape
        if message["type"] == "connection_ack":
            asked = {"query": QUERY, "variables": {"after": self.cursor}}
            self._say({"id": "1", "type": "subscribe", "payload": asked})
        elif message["type"] == "next":
            change = message["payload"]["data"]["inboxChanged"]
            self.cursor = change["cursor"]
            self.titles.append((change["notification"]["title"] if change["notification"] else "", at))
            if not self.opened.done():
                self.opened.set_result(None)
        elif not self.opened.done():
            self.opened.set_exception(RuntimeError(repr(message)))

    def connection_lost(self, error: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(error or ConnectionError("closed"))

    def _say(self, message: dict[str, object]) -> None:
        self._write(TEXT, orjson.dumps(message))

    def _write(self, kind: int, payload: bytes) -> None:
        size = len(payload)
        head = struct.pack("!B", 0x80 | size) if size < 126 else struct.pack("!BH", 0x80 | 126, size)
        # Masked by zeros, which changes nothing.
        self.transport.write(bytes([0x80 | kind]) + head + bytes(4) + payload)


class Listeners:
    """All of them."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._all: list[Listener] = []
        self._gate = asyncio.Semaphore(OPENING_AT_ONCE)

    async def open(self, asked: list[tuple[str, str]]) -> dict[str, object]:
        """Connect, subscribe, and wait until each has heard something."""
        began = time.monotonic()
        self._all = await asyncio.gather(*(self._opened(*each) for each in asked))
        return {"seconds": time.monotonic() - began}

    async def _opened(self, token: str, cursor: str) -> Listener:
        async with self._gate, asyncio.timeout(OPENING_S):
            loop = asyncio.get_running_loop()
            _, made = await loop.create_connection(lambda: Listener(token, cursor), "127.0.0.1", self._port)
            await made.opened
        return made

    async def heard(self, number: int, within_s: float) -> dict[str, object]:
        """Wait until so many have arrived in all since the last time: whose, what and when, and the cursors."""
        deadline = time.monotonic() + within_s
        while sum(len(each.titles) for each in self._all) < number and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        heard = [(who, *pair) for who, each in enumerate(self._all) for pair in each.titles]
        for each in self._all:
            each.titles.clear()
        return {"heard": heard, "cursors": [each.cursor for each in self._all]}

    async def close(self) -> dict[str, object]:
        """Leave."""
        for each in self._all:
            each.transport.abort()
        self._all.clear()
        return {}

    async def serve(self) -> None:
        """Do what the lines say, to the last one."""
        while True:
            line = await asyncio.to_thread(sys.stdin.buffer.readline)
            if not line:
                return
            [(name, arguments)] = orjson.loads(line).items()
            sys.stdout.buffer.write(orjson.dumps(await getattr(self, name)(*arguments)) + b"\n")
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    uvloop.run(Listeners(int(sys.argv[1])).serve())
