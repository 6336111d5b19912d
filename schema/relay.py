"""Relay: opaque global ids, `node`/`nodes`, and keyset connections.

A cursor holds the sort key and the id of its row, and the name of the sort it was made under: after a
change of sort, or of the cursor itself, it is refused instead of silently skipping rows.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Generic, Protocol, TypeVar
from uuid import UUID

import orjson
import strawberry

from domains.kernel.errors import Invalid
from schema.context import Context, Info
from schema.limits.cost import cost
from schema.limits.text import CONTROL

DEFAULT_FIRST = 20
MAX_FIRST = 100
MAX_IDS = 100
T = TypeVar("T")
R = TypeVar("R")
Key = str | int | float | bool | datetime | date | UUID | None
First = Annotated[int, strawberry.argument(description="How many at most, 1 to 100.")]
After = Annotated[str | None, strawberry.argument(description="Cursor after which to go on.")]


def encode(type_name: str, id: UUID) -> str:
    """The global id of a row."""
    return base64.b64encode(f"{type_name}:{id}".encode()).decode()


def parse(global_id: str, field: str | None = None) -> tuple[str, UUID]:
    """Type name and id; Invalid BAD_ID for anything that `encode` never returned."""
    try:
        name, _, raw = base64.b64decode(global_id, validate=True).decode("ascii").partition(":")
        id = UUID(raw)
    except (ValueError, binascii.Error):
        raise _bad_id(field) from None
    if encode(name, id) != global_id:
        raise _bad_id(field)
    return name, id


def decode(global_id: str, type_name: str, field: str | None = None) -> UUID:
    """The id inside a global id of that type; Invalid BAD_ID when it is of another."""
    name, id = parse(global_id, field)
    if name != type_name:
        raise _bad_id(field)
    return id


def _bad_id(field: str | None) -> Invalid:
    return Invalid("BAD_ID", "编号无效,请使用接口返回的 id", field)


class Identified(Protocol):
    """Any row with an id, such as a domain's dataclass."""

    @property
    def id(self) -> UUID: ...


def _global_id(root: Identified, info: Info) -> strawberry.ID:
    return strawberry.ID(encode(info._raw_info.parent_type.name, root.id))


@strawberry.interface(description="A thing that can be fetched again by its global id (全局编号).")
class Node:
    """A type that implements it declares its own `id: strawberry.Private[UUID]`."""

    global_id: strawberry.ID = strawberry.field(
        name="id", resolver=_global_id, description="Opaque id, unique over all types."
    )


NodeSource = Callable[[Context, Sequence[UUID]], Awaitable[Mapping[UUID, object]]]


async def resolve_nodes(
    context: Context, sources: Mapping[str, NodeSource], ids: Sequence[str]
) -> list[object | None]:
    """The nodes in the order of the ids, None for what does not exist or may not be seen.

    Costs one call per type. Invalid BAD_ID for an id that was never issued, TOO_MANY_IDS beyond 100.
    """
    if len(ids) > MAX_IDS:
        raise Invalid("TOO_MANY_IDS", "一次最多查询 100 个编号,请分批查询", "ids")
    wanted = [parse(id, "ids") for id in ids]
    by_type: dict[str, list[UUID]] = {}
    for name, id in dict.fromkeys(wanted):
        if name not in sources:
            raise _bad_id("ids")
        by_type.setdefault(name, []).append(id)
    answers = await asyncio.gather(*(sources[name](context, keys) for name, keys in by_type.items()))
    found = dict(zip(by_type, answers, strict=True))
    return [found[name].get(id) for name, id in wanted]


@dataclass(frozen=True, slots=True)
class PageRequest:
    """What a query needs for one page: it fetches `limit` rows after `after`, ordered by (sort key, id)."""

    first: int
    sort: str
    after: tuple[Key, ...] | None = None

    @property
    def limit(self) -> int:
        """One row more than the page, which tells whether there is a next one."""
        return self.first + 1


def page_request(first: int | None, after: str | None, sort: str, *kinds: type) -> PageRequest:
    """Checks `first` (Invalid BAD_PAGE_SIZE) and `after` (Invalid BAD_CURSOR).

    `sort` names the order and everything the order depends on, such as "houses:number:asc"; `kinds` are
    the types of its keys, a text and an id unless told.
    """
    size = DEFAULT_FIRST if first is None else first
    if not 1 <= size <= MAX_FIRST:
        raise Invalid("BAD_PAGE_SIZE", f"每页数量须在 1 到 {MAX_FIRST} 之间", "first")
    keys = None if after is None else read_cursor(after, sort)
    # Whoever read this file can forge a cursor; the database must not meet what it cannot compare.
    if keys is not None and not _are_of(keys, kinds or (str, UUID)):
        raise _bad_cursor()
    return PageRequest(size, sort, keys)


def _are_of(keys: tuple[Key, ...], kinds: tuple[type, ...]) -> bool:
    texts = [key for key in keys if isinstance(key, str)]
    return (
        len(keys) == len(kinds) and all(map(isinstance, keys, kinds)) and not any(map(CONTROL.search, texts))
    )


def cursor(sort: str, *keys: Key) -> str:
    """The cursor of a row under a sort; instants and ids come back as what they were."""
    body = orjson.dumps([_pack(key) for key in keys])
    return base64.urlsafe_b64encode(_seal(sort, body) + body).decode().rstrip("=")


def read_cursor(text: str, sort: str) -> tuple[Key, ...]:
    """The keys in a cursor of this sort; Invalid BAD_CURSOR for any other text."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        seal, body = raw[:6], raw[6:]
        if seal == _seal(sort, body):
            return tuple(_unpack(*pair) for pair in orjson.loads(body))
    except (ValueError, TypeError, OverflowError, binascii.Error):
        pass
    raise _bad_cursor()


def _bad_cursor() -> Invalid:
    return Invalid("BAD_CURSOR", "分页游标无效,请从第一页重新加载", "after")


def _seal(sort: str, body: bytes) -> bytes:
    # No secret: the rows behind a forged cursor are scoped by the actor anyway. It tells a cursor
    # of another sort, or a damaged one, from a good one.
    return hashlib.blake2s(sort.encode() + b"\0" + body, digest_size=6).digest()


def _instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a naive datetime names no instant")
    return moment.astimezone(UTC)


_PACKERS: Mapping[type, str] = {datetime: "t", date: "d", UUID: "u"}
_UNPACKERS: Mapping[str, Callable[[str], Key]] = {
    "t": _instant,
    "d": date.fromisoformat,
    "u": UUID,
}


def _pack(key: Key) -> tuple[str, object]:
    # Not by exact type: the database driver's UUID is a subclass.
    kind = next((mark for packed, mark in _PACKERS.items() if isinstance(key, packed)), None)
    if kind is None:
        return "v", key
    return kind, key.isoformat() if isinstance(key, date) else str(key)


def _unpack(kind: str, value: str) -> Key:
    return value if kind == "v" else _UNPACKERS[kind](value)


@strawberry.type(description="Where a page ends (分页信息).")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether rows follow this page.")
    has_previous_page: bool = strawberry.field(description="Whether this page was asked for by a cursor.")
    start_cursor: str | None = strawberry.field(description="Cursor of the first row; null on an empty page.")
    end_cursor: str | None = strawberry.field(description="Cursor of the last row: pass it as `after`.")


@strawberry.type(description="A row and its place in the list.")
class Edge(Generic[T]):
    cursor: str = strawberry.field(description="Opaque place of the row.")
    node: T = strawberry.field(description="The row.")


Count = Callable[[], Awaitable[int]]


async def _total(root: Connection[T]) -> int | None:
    return await root.count() if root.count else None


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    edges: list[Edge[T]] = strawberry.field(description="The rows with their cursors.", metadata=cost(own=0))
    nodes: list[T] = strawberry.field(description="The rows alone.")
    page_info: PageInfo = strawberry.field(description="Where the page ends.", metadata=cost(own=0))
    total_count: int | None = strawberry.field(
        resolver=_total,
        description="Rows over all pages, counted when asked for; null when not offered.",
    )
    count: strawberry.Private[Count | None] = None


def connection(
    page: PageRequest,
    rows: Sequence[R],
    keys: Callable[[R], tuple[Key, ...]],
    node: Callable[[R], T],
    count: Count | None = None,
) -> Connection[T]:
    """A connection from up to `page.limit` rows; `keys` gives (sort key, id) of a row."""
    shown = rows[: page.first]
    edges = [Edge(cursor=cursor(page.sort, *keys(row)), node=node(row)) for row in shown]
    info = PageInfo(
        has_next_page=len(rows) > page.first,
        has_previous_page=page.after is not None,
        start_cursor=edges[0].cursor if edges else None,
        end_cursor=edges[-1].cursor if edges else None,
    )
    return Connection(edges=edges, nodes=[edge.node for edge in edges], page_info=info, count=count)
