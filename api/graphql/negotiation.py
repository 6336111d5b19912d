"""Media types of GraphQL over HTTP (draft of the GraphQL over HTTP working group)."""

from __future__ import annotations

from starlette.datastructures import Headers

from schema.errors import RequestRefusedError

GRAPHQL_RESPONSE = "application/graphql-response+json"
JSON = "application/json"
EVENT_STREAM = "text/event-stream"


def parse_media_type(value: str) -> tuple[str, dict[str, str]]:
    """A media type in lower case with its parameters."""
    essence, *rest = value.split(";")
    pairs = (part.partition("=") for part in rest)
    return essence.strip().lower(), {k.strip().lower(): v.strip().strip('"') for k, _, v in pairs}


def response_type(headers: Headers) -> str:
    """The media type to answer in; RequestRefusedError NOT_ACCEPTABLE (406) when there is none in common.

    Without a preference it is application/json, which is what clients from before the draft expect.
    """
    ranges = [parse_media_type(part) for part in headers.get("accept", "*/*").split(",")]
    wanted = sorted(ranges, key=_quality, reverse=True)
    for essence, parameters in wanted:
        if _quality((essence, parameters)) <= 0:
            break
        if essence in ("*/*", "application/*", JSON):
            return JSON
        if essence == GRAPHQL_RESPONSE:
            return GRAPHQL_RESPONSE
    raise RequestRefusedError("NOT_ACCEPTABLE", 406)


def accepts(headers: Headers, media_type: str) -> bool:
    """Whether the client names this very media type."""
    return any(parse_media_type(part)[0] == media_type for part in headers.get("accept", "").split(","))


def _quality(media_range: tuple[str, dict[str, str]]) -> float:
    try:
        return float(media_range[1].get("q", "1"))
    except ValueError:
        return 0.0
