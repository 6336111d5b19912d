"""Pages that stay informed (页面实时更新): server-sent events over the connection of a page that is open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api import edge
from api.graphql.connections import Connections
from api.graphql.engine import Answer
from api.graphql.options import EdgeOptions
from api.graphql.stream import with_heartbeat
from api.pages.asking import Data
from schema.context import Context
from schema.errors import RequestRefusedError

EDGE = EdgeOptions()
Frame = Callable[[Data], bytes]
"""What a browser is told of an answer."""


@dataclass(frozen=True, slots=True)
class Lasting:
    """What bounds connections that last: how many a caller holds, and the end of the process."""

    connections: Connections
    stop: asyncio.Event | None = None


class EventStream(Response):
    """Events of one field of a subscription, until the browser leaves, the session ends or the process
    stops. Then a browser asks again by itself, and a session that is over is told so."""

    media_type = "text/event-stream"

    def __init__(
        self, context: Context, lasting: Lasting, answers: AsyncGenerator[Answer, None], frame: Frame
    ) -> None:
        self.status_code = 200
        self.background = None
        self.init_headers({"X-Accel-Buffering": "no"})
        self._context = context
        self._lasting = lasting
        self._answers = answers
        self._frame = frame

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._answers):
            try:
                with self._lasting.connections.held(self._context.budget_key):
                    await self._stream(receive, send)
            except RequestRefusedError:
                # No content: a browser does not ask again.
                await Response(status_code=204)(scope, receive, send)

    async def _stream(self, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        gone = asyncio.create_task(_gone(receive))
        tasks = [gone, *map(asyncio.create_task, self._ends(send))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        if not gone.done() or gone.cancelled():
            if any(isinstance(each, TimeoutError) for each in outcomes):
                return
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _ends(self, send: Send) -> list[Coroutine[None, None, object]]:
        """Whichever of these is over first ends the stream."""
        ends: list[Coroutine[None, None, object]] = [self._tell(send), self._say_over(send)]
        return [*ends, self._lasting.stop.wait()] if self._lasting.stop else ends

    async def _tell(self, send: Send) -> None:
        async with aclosing(with_heartbeat(self._answers, EDGE.heartbeat_s)) as beats:
            async for answer in beats:
                if answer is not None and answer.errors:
                    return
                body = self._body(answer)
                async with asyncio.timeout(EDGE.send_limit_s):
                    await send({"type": "http.response.body", "body": body, "more_body": True})

    def _body(self, answer: Answer | None) -> bytes:
        # A comment for nothing, so that proxies do not close what is silent.
        if answer is None:
            return b":\n\n"
        assert answer.data is not None, "an answer without errors has data"
        return self._frame(answer.data)

    async def _say_over(self, send: Send) -> None:
        await edge.session_ended(self._context)
        await send({"type": "http.response.body", "body": b"event: over\ndata:\n\n", "more_body": True})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
