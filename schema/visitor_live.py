"""The visitor's page while somebody looks at it (访客页实时更新)."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated, cast

import strawberry

from domains.access.service import visitor_page as service
from schema.context import Info
from schema.visitor_page import VisitorPage


@strawberry.type
class VisitorPageSubscription:
    """Root fields of subscriptions of the visitor's page."""

    @strawberry.subscription(
        description="What a visitor's link leads to as it is now, and after each change; nobody signs in. An error "
        "NOT_FOUND for any other text. It ends where the link leads nowhere any more."
    )
    async def visitor_pass_changed(
        self,
        info: Info,
        secret: Annotated[str, strawberry.argument(description="What comes after /v/ in the link.")],
    ) -> AsyncGenerator[VisitorPage, None]:
        pages = await service.follow_page(info.context.actor, secret)
        return cast("AsyncGenerator[VisitorPage, None]", pages)
