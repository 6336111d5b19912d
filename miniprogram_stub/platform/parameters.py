"""Parameters as both gateways take them: from the query and the urlencoded body alike."""

from __future__ import annotations

from urllib.parse import parse_qsl

from starlette.requests import Request


async def given_parameters(request: Request) -> dict[str, str]:
    """All of them, empty ones too; the body wins over the query, and bytes that are not UTF-8 never match."""
    query: bytes = request.scope["query_string"]
    text = (query + b"&" + await request.body()).decode("utf-8", "replace")
    return dict(parse_qsl(text, keep_blank_values=True))
