"""Request bodies with a limit (请求体上限), of which no more is read than may be used."""

from __future__ import annotations

from starlette.requests import Request


class TooLargeError(Exception):
    """The body has more bytes than it may have."""


async def body_up_to(request: Request, most: int) -> bytes:
    """The whole body."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise TooLargeError
    return bytes(body)
