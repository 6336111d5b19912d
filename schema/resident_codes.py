"""A resident's own code in the API."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, cast

import strawberry

from domains.access.service import resident_codes as service
from schema.context import Info
from schema.permissions import residents_only
from schema.relay import decode


@strawberry.type(description="What a resident's phone shows to a gate (住户码); nothing personal is in it.")
class ResidentCode:
    text: str = strawberry.field(description="The text of the QR code; opens each door of the way once.")
    expires_at: datetime = strawberry.field(description="Until when it counts, 5 minutes from now.")


@strawberry.type
class ResidentCodesQuery:
    """Root fields of residents' codes."""

    @strawberry.field(
        description="A new code of the caller for one of the caller's houses; counts for 5 minutes.",
        extensions=[residents_only],
    )
    async def resident_code(
        self, info: Info, house: Annotated[strawberry.ID, strawberry.argument(description="The house.")]
    ) -> ResidentCode | None:
        house_id = decode(house, "House", "house")
        issued = await service.issue_resident_code(info.context.actor, house_id=house_id)
        return cast("ResidentCode", issued)  # the issued code stands for the type
