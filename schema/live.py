"""Subscriptions: what happens while somebody is looking (实时更新)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TypeVar, cast
from uuid import UUID

import strawberry

from domains.kernel import live
from domains.residents.queries import registrations
from domains.residents.service.registration import news_of
from schema.context import Info
from schema.permissions import residents_only
from schema.registration import Registration

T = TypeVar("T")


async def news(channel: str, read: Callable[[live.News], Awaitable[T | None]]) -> AsyncGenerator[T, None]:
    """What `read` makes of the news of a channel, from the moment this returns; None is passed over."""
    listener = await live.hub().listen(channel)

    async def each() -> AsyncGenerator[T, None]:
        try:
            async for facts in listener:
                row = await read(facts)
                if row is not None:
                    yield row
        finally:
            live.hub().leave(channel, listener)

    return each()


@strawberry.type
class LiveSubscription:
    """Root fields of subscriptions. Each checks the caller before it returns its events: a refusal is
    an error of the operation, and the connection ends with the session."""

    @strawberry.subscription(
        description="The caller's own registration as it is after a review; for residents. An error "
        "LIVE_INTERRUPTED or LIVE_TOO_SLOW ends it where something may have been missed: read again, then subscribe."
    )
    async def registration_changed(self, info: Info) -> AsyncGenerator[Registration, None]:
        actor = info.context.actor
        residents_only.check(actor)

        async def read(facts: live.News) -> Registration | None:
            id = UUID(facts["registration"])
            return cast("Registration | None", (await registrations.by_id(actor, [id])).get(id))

        return await news(news_of(actor.id), read)
