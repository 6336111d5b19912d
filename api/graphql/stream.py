"""GraphQL over server-sent events, in the protocol's "distinct connections" mode (graphql-sse).

On a path of its own: clients that find it on the main path send their queries here as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

import orjson
from graphql import OperationType
from starlette.requests import Request as HTTPRequest
from starlette.types import Receive, Scope, Send

from api.graphql.body import Received, receive
from api.graphql.connections import Connections
from api.graphql.endpoint import GraphQLEndpoint, refused_answer, rendered
from api.graphql.engine import ANY, QUERY, Answer, Engine, Ready, Refused
from api.graphql.negotiation import EVENT_STREAM, GRAPHQL_RESPONSE, accepts
from schema.context import Context
from schema.errors import RequestRefusedError

HEADERS = {"Content-Type": f"{EVENT_STREAM}; charset=utf-8", "Cache-Control": "no-cache, no-transform"}
HEADERS["X-Accel-Buffering"] = "no"
SessionEnded = Callable[[Context], Awaitable[None]]


class GraphQLStream:
    """An ASGI application for one path. `session_ended` returns when the caller's session is over."""

    def __init__(
        self,
        endpoint: GraphQLEndpoint,
        connections: Connections,
        session_ended: SessionEnded | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.options = endpoint.options
        self.connections = connections
        self.session_ended = session_ended

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        http = HTTPRequest(scope, receive)
        try:
            ready, received = await self._ready(http)
            with self.connections.held(ready.context.budget_key):
                await self._stream(ready, received, http, send)
        except Refused as refusal:
            await rendered(refusal.answer, GRAPHQL_RESPONSE)(scope, receive, send)
        except Exception as error:  # whatever it is, the client gets a coded error and no internals
            await rendered(refused_answer(http, error), GRAPHQL_RESPONSE)(scope, receive, send)

    async def _ready(self, http: HTTPRequest) -> tuple[Ready, Received]:
        if http.method not in ("GET", "POST"):
            raise RequestRefusedError("METHOD_NOT_ALLOWED", 405)
        if not accepts(http.headers, EVENT_STREAM):
            raise RequestRefusedError("NOT_ACCEPTABLE", 406)
        context = await self.endpoint.context_for(http)
        received = await receive(http, self.options)
        kinds = QUERY | {OperationType.SUBSCRIPTION} if http.method == "GET" else ANY
        return await self.endpoint.engine.prepare(received.request, context, kinds), received

    async def _stream(self, ready: Ready, received: Received, http: HTTPRequest, send: Send) -> None:
        answers = await answers_of(self.endpoint.engine, ready)
        headers = {**HEADERS, **ready.context.headers}
        raw = [(k.lower().encode(), v.encode()) for k, v in headers.items()]
        await send({"type": "http.response.start", "status": 200, "headers": raw})
        # Tasks of our own instead of StreamingResponse: there a client that leaves cancels the clean-up
        # of the source too, and the source would stay subscribed.
        tasks = [asyncio.create_task(self._send(answers, send)), asyncio.create_task(_gone(http))]
        if self.session_ended:
            tasks.append(asyncio.ensure_future(self.session_ended(ready.context)))
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await received.close()
        stuck = tasks[0].done() and not tasks[0].cancelled() and tasks[0].exception() is not None
        if not stuck and not http.scope.get("linli.gone"):
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send(self, answers: AsyncGenerator[Answer, None], send: Send) -> None:
        async with aclosing(with_heartbeat(answers, self.options.heartbeat_s)) as beats:
            async for answer in beats:
                async with asyncio.timeout(self.options.send_limit_s):
                    await send({"type": "http.response.body", "body": event(answer), "more_body": True})
        body = b"event: complete\ndata:\n\n"
        await send({"type": "http.response.body", "body": body, "more_body": True})


async def answers_of(engine: Engine, ready: Ready) -> AsyncGenerator[Answer, None]:
    """The answers of any operation: one, or as many as the subscription gives."""
    if ready.operation.kind is OperationType.SUBSCRIPTION:
        return await engine.subscribe(ready)
    return _single(engine, ready)


async def _single(engine: Engine, ready: Ready) -> AsyncGenerator[Answer, None]:
    yield await engine.execute(ready)


def event(answer: Answer | None) -> bytes:
    """A `next` event, or a comment that keeps proxies from closing a silent stream."""
    return b":\n\n" if answer is None else b"event: next\ndata: " + orjson.dumps(answer.body()) + b"\n\n"


async def with_heartbeat(
    answers: AsyncGenerator[Answer, None], interval_s: float
) -> AsyncGenerator[Answer | None, None]:
    """The answers, and None whenever there was none for that long."""
    pending = asyncio.ensure_future(anext(answers, None))
    try:
        while True:
            done, _ = await asyncio.wait({pending}, timeout=interval_s)
            if done and (answer := pending.result()) is None:
                return
            yield answer if done else None
            if done:
                pending = asyncio.ensure_future(anext(answers, None))
    finally:
        pending.cancel()
        await asyncio.gather(pending, return_exceptions=True)
        await answers.aclose()


async def _gone(http: HTTPRequest) -> None:
    while (await http.receive())["type"] != "http.disconnect":
        pass
    http.scope["linli.gone"] = True
