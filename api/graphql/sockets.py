"""Subscriptions over WebSocket in the protocol graphql-transport-ws."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Protocol
from urllib.parse import urlsplit

import orjson
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from api.graphql.body import from_json
from api.graphql.connections import Connections
from api.graphql.engine import ANY, Engine, Refused
from api.graphql.stream import answers_of
from domains.kernel.errors import DomainError
from schema.context import Context, Language, language_of
from schema.errors import RequestRefusedError, log_fault, message_of, refusal

PROTOCOL = "graphql-transport-ws"
INVALID, UNAUTHORIZED, FORBIDDEN, UNACCEPTABLE = 4400, 4401, 4403, 4406
INIT_TIMEOUT, ID_TAKEN, TOO_MANY, TOO_BIG, FAULT = 4408, 4409, 4429, 1009, 4500
Message = dict[str, object]


class SocketSession(Protocol):
    """Who is behind a socket, for as long as it is open."""

    @property
    def client(self) -> str:
        """For whom connections are counted."""

    async def context(self) -> Context:
        """A fresh context for each operation; DomainError once the caller has no session any more."""

    async def ended(self) -> None:
        """Returns when the session is over: the socket is closed then."""


SessionFor = Callable[[Mapping[str, object], WebSocket], Awaitable[SocketSession]]


class CloseSocket(Exception):
    """Ends the connection with a code of the protocol."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class GraphQLSockets:
    """An ASGI application for one path.

    `session_for` reads the payload of `connection_init`; a DomainError from it closes with 4403.
    """

    def __init__(self, engine: Engine, session_for: SessionFor, connections: Connections) -> None:
        self.engine = engine
        self.session_for = session_for
        self.connections = connections

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        ws = WebSocket(scope, receive, send)
        if not origin_allowed(ws, self.engine.options.allowed_origins):
            await ws.close(1008)
            return
        offered = PROTOCOL in ws.scope.get("subprotocols", ())
        await ws.accept(PROTOCOL if offered else None)
        if not offered:
            await ws.close(UNACCEPTABLE, "Subprotocol not acceptable")
            return
        await Socket(self, ws).run()


def origin_allowed(ws: WebSocket, allowed: frozenset[str]) -> bool:
    """A page may connect from the same host or from a listed origin; what is no browser sends none."""
    origin = ws.headers.get("origin")
    return origin is None or origin in allowed or urlsplit(origin).netloc == ws.headers.get("host")


class Socket:
    """One connection and its operations."""

    def __init__(self, app: GraphQLSockets, ws: WebSocket) -> None:
        self.app = app
        self.ws = ws
        self.options = app.engine.options
        self.id = uuid.uuid4().hex
        self.operations: dict[str, asyncio.Task[None]] = {}
        self.is_stuck = False
        self.served_by = asyncio.current_task()

    async def run(self) -> None:
        """Serves the connection to its end, whoever ends it."""
        try:
            await self._run_to_end()
        except asyncio.CancelledError:
            if not self.is_stuck or self.served_by is None:
                raise
            self.served_by.uncancel()

    async def _run_to_end(self) -> None:
        try:
            session = await self._opened()
            with self.app.connections.held(session.client):
                await self._send({"type": "connection_ack"})
                await self._serve(session)
        except WebSocketDisconnect:
            pass
        except CloseSocket as end:
            await self._close(end.code, end.reason)
        except DomainError as error:
            await self._close(FORBIDDEN, error.code)
        except RequestRefusedError as error:
            await self._close(TOO_MANY, error.code)
        except Exception as error:  # the client learns that it failed, the log learns where
            log_fault("graphql.socket_fault", error, self.id)
            await self._close(FAULT, "Internal server error")

    async def _opened(self) -> SocketSession:
        try:
            async with asyncio.timeout(self.options.init_timeout_s):
                message = await self._until_init()
        except TimeoutError:
            raise CloseSocket(INIT_TIMEOUT, "Connection initialisation timeout") from None
        payload = message.get("payload") or {}
        if not isinstance(payload, dict):
            raise CloseSocket(INVALID, "Invalid payload")
        return await self.app.session_for(payload, self.ws)

    async def _until_init(self) -> Message:
        while (message := await self._receive())["type"] != "connection_init":
            if message["type"] == "ping":
                await self._send({"type": "pong"})
            elif message["type"] == "subscribe":
                raise CloseSocket(UNAUTHORIZED, "Unauthorized")
            elif message["type"] != "pong":
                raise CloseSocket(INVALID, "Unexpected message")
        return message

    async def _serve(self, session: SocketSession) -> None:
        watch = asyncio.create_task(self._close_at_end(session))
        try:
            while True:
                await self._handle(await self._receive(), session)
        finally:
            tasks = [watch, *self.operations.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _close_at_end(self, session: SocketSession) -> None:
        await session.ended()
        await self._close(FORBIDDEN, "Session ended")

    async def _handle(self, message: Message, session: SocketSession) -> None:
        kind, id = message["type"], message.get("id")
        if kind == "ping":
            await self._send({"type": "pong"})
        elif kind == "subscribe" and isinstance(id, str) and id:
            await self._start(id, message.get("payload"), session)
        elif kind == "complete" and isinstance(id, str):
            if task := self.operations.pop(id, None):
                task.cancel()
        elif kind == "connection_init":
            raise CloseSocket(TOO_MANY, "Too many initialisation requests")
        elif kind != "pong":
            raise CloseSocket(INVALID, "Invalid message")

    async def _start(self, id: str, payload: object, session: SocketSession) -> None:
        if id in self.operations:
            raise CloseSocket(ID_TAKEN, f"Subscriber for {id[:64]} already exists")
        if len(self.operations) >= self.options.operations_per_socket:
            shown = refusal(RequestRefusedError("TOO_MANY_OPERATIONS"), self.id, self._language())
            await self._send({"id": id, "type": "error", "payload": [shown]})
            return
        self.operations[id] = asyncio.create_task(self._operate(id, payload, session))

    async def _operate(self, id: str, payload: object, session: SocketSession) -> None:
        errors: list[object] | None = None
        try:
            await self._run(id, payload, await session.context())
        except Refused as error:
            errors = list(error.answer.errors)
        except RequestRefusedError as error:
            errors = [refusal(error, self.id, self._language())]
        except DomainError as error:
            message = message_of(error, self._language())
            errors = [{"message": message, "extensions": {"code": error.code, "requestId": self.id}}]
        except Exception as error:  # one operation's fault is not the connection's
            if self.is_stuck or self.ws.application_state is not WebSocketState.CONNECTED:
                return
            log_fault("graphql.socket_fault", error, self.id)
            errors = [refusal(RequestRefusedError("INTERNAL"), self.id, self._language())]
        self.operations.pop(id, None)
        await self._finish(id, errors)

    async def _run(self, id: str, payload: object, context: Context) -> None:
        ready = await self.app.engine.prepare(from_json(payload), context, ANY)
        async with aclosing(await answers_of(self.app.engine, ready)) as answers:
            async for answer in answers:
                await self._send({"id": id, "type": "next", "payload": answer.body()})

    async def _finish(self, id: str, errors: list[object] | None) -> None:
        if errors:
            await self._send({"id": id, "type": "error", "payload": errors})
        else:
            await self._send({"id": id, "type": "complete"})

    async def _receive(self) -> Message:
        frame = await self.ws.receive()
        if frame["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(frame.get("code", 1005))
        text = frame.get("text")
        if text is None:
            raise CloseSocket(INVALID, "Invalid message")
        if len(text) > self.options.message_limit:
            raise CloseSocket(TOO_BIG, "Message too big")
        try:
            message = orjson.loads(text)
        except orjson.JSONDecodeError:
            raise CloseSocket(INVALID, "Invalid message") from None
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise CloseSocket(INVALID, "Invalid message")
        return message

    async def _send(self, message: Message) -> None:
        if self.ws.application_state is WebSocketState.CONNECTED:
            try:
                async with asyncio.timeout(self.options.send_limit_s):
                    await self.ws.send_text(orjson.dumps(message).decode())
            except TimeoutError:
                self._abandon()
                raise

    def _abandon(self) -> None:
        """Nothing gets through to a client that does not read, not even a close: end without one."""
        self.is_stuck = True
        if self.served_by is not None:
            self.served_by.cancel()

    async def _close(self, code: int, reason: str) -> None:
        if self.ws.application_state is WebSocketState.CONNECTED:
            await self.ws.close(code, reason)

    def _language(self) -> Language:
        return language_of(self.ws.headers.get("accept-language", ""))
