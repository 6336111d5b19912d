"""A schema small enough to see through, with every kind of behaviour that the edge has to carry."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from uuid import UUID

import strawberry

from domains.kernel.errors import Conflict, Forbidden, Throttled
from schema.context import Context, Info, Loader
from schema.errors import Payload, refusals_as_data
from schema.limits.cost import cost
from schema.permissions import staff_only
from schema.relay import (
    After,
    Connection,
    First,
    Node,
    NodeSource,
    connection,
    page_request,
    resolve_nodes,
)
from schema.scalars import Long, LongText, Money, Upload, schema_config

HOUSE_IDS = [UUID(int=number) for number in range(1, 251)]


@strawberry.type(description="A house.")
class House(Node):
    id: strawberry.Private[UUID]
    number: str = strawberry.field(description="Its number.")


def house(id: UUID) -> House:
    return House(id=id, number=f"{id.int:04d}")


class Houses(Loader[UUID, House]):
    calls = 0

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, House]:
        type(self).calls += 1
        return {key: house(key) for key in keys if key in HOUSE_IDS}


async def houses_by_ids(context: Context, ids: Sequence[UUID]) -> Mapping[UUID, object]:
    found = await context.loader(Houses).load_many(ids)
    return {id: row for id, row in zip(ids, found, strict=True) if row is not None}


SOURCES: Mapping[str, NodeSource] = {"House": houses_by_ids}


async def resolve_houses(first: First = 20, after: After = None) -> Connection[House]:
    page = page_request(first, after, "houses", UUID)
    last = page.after[-1] if page.after else UUID(int=0)
    assert isinstance(last, UUID)
    rows = [id for id in HOUSE_IDS if id > last][: page.limit]
    return connection(page, rows, lambda id: (id,), house, count=_count)


async def _count() -> int:
    return len(HOUSE_IDS)


async def resolve_node(info: Info, id: strawberry.ID) -> Node | None:
    return (await resolve_nodes(info.context, SOURCES, [id]))[0]  # type: ignore[return-value]  # sources are open


async def resolve_many(info: Info, ids: list[strawberry.ID]) -> list[Node | None]:
    return await resolve_nodes(info.context, SOURCES, ids)  # type: ignore[return-value]  # sources are open


def resolve_who(info: Info) -> str:
    return info.context.actor.name or info.context.actor.kind


def resolve_echo(text: str | None = None, long: LongText | None = None, number: Long | None = None) -> str:
    return text or long or str(number)


def resolve_fault() -> str | None:
    raise RuntimeError("password=hunter2")


def resolve_broken() -> str:
    raise RuntimeError("password=hunter2")


def resolve_forbidden() -> str | None:
    raise Forbidden("FORBIDDEN", "您没有这项权限,如有需要请联系管理员")


def resolve_throttled() -> str | None:
    raise Throttled("THROTTLED", "操作太频繁,请稍后再试", 7)


def resolve_needs(number: int = 1) -> int:
    return number


def resolve_balance() -> Money:
    return Money(fen=Long(12_850))


@strawberry.type
class Query:
    houses: Connection[House] = strawberry.field(resolver=resolve_houses)
    node: Node | None = strawberry.field(resolver=resolve_node)
    nodes: list[Node | None] = strawberry.field(resolver=resolve_many)
    who: str = strawberry.field(resolver=resolve_who)
    echo: str = strawberry.field(resolver=resolve_echo)
    fault: str | None = strawberry.field(resolver=resolve_fault)
    broken: str = strawberry.field(resolver=resolve_broken)
    forbidden: str | None = strawberry.field(resolver=resolve_forbidden)
    throttled: str | None = strawberry.field(resolver=resolve_throttled)
    needs: int = strawberry.field(resolver=resolve_needs)
    balance: Money = strawberry.field(resolver=resolve_balance)
    secret: str | None = strawberry.field(resolver=resolve_who, extensions=[staff_only])
    expensive: str = strawberry.field(resolver=resolve_who, metadata=cost(own=500))


@strawberry.input
class RenameInput:
    house_id: strawberry.ID
    name: str


@strawberry.type
class RenamePayload(Payload):
    house: House | None = None


@refusals_as_data(RenamePayload)
async def resolve_rename(info: Info, input: RenameInput) -> RenamePayload:
    if input.name == "taken":
        raise Conflict("CONFLICT", "内容已被更新,请刷新后重试", "house_id")
    if input.name == "denied":
        info.context.actor.refuse()
    return RenamePayload(house=house(HOUSE_IDS[0]))


async def resolve_upload(file: Upload) -> str:
    body = await file.read()
    return f"{file.filename}:{len(body)}"


@strawberry.type
class Mutation:
    rename: RenamePayload = strawberry.mutation(resolver=resolve_rename)
    upload: str = strawberry.mutation(resolver=resolve_upload)


CLOSED: list[str] = []


async def count(to: int = 3, pause: float = 0.0) -> AsyncGenerator[int, None]:
    try:
        for number in range(1, to + 1):
            yield number
            await asyncio.sleep(pause)
    finally:
        CLOSED.append("count")


async def refuse() -> AsyncGenerator[int, None]:
    raise Forbidden("FORBIDDEN", "您没有这项权限,如有需要请联系管理员")


async def fail() -> AsyncGenerator[int, None]:
    yield 1
    raise RuntimeError("password=hunter2")


@strawberry.type
class Subscription:
    count = strawberry.subscription(resolver=count)
    refuse = strawberry.subscription(resolver=refuse)
    fail = strawberry.subscription(resolver=fail)


SCHEMA = strawberry.Schema(Query, Mutation, Subscription, types=[House], config=schema_config())
