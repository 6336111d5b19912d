"""The visitor's page in the API: for whoever has the link."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Annotated, cast

import strawberry

from domains.access.service import visitor_page as service
from schema.context import Info
from schema.visitor_passes import VisitorPassState


@strawberry.type(description="A door, as a visitor finds it.")
class VisitorPageDoor:
    name: str = strawberry.field(description="Name of the door: 南门.")
    place: str = strawberry.field(description="Where it is: 3号楼1单元; empty for the compound's own.")


@strawberry.type(description="When a visitor last came in.")
class VisitorPageEntry:
    at: datetime = strawberry.field(description="When.")
    door: str = strawberry.field(description="Name of the door: 南门.")


@strawberry.type(
    description="What a visitor sees of a pass (访客页): nothing of the house's people, nor of the house."
)
class VisitorPage:
    state: VisitorPassState = strawberry.field(description="How far the pass is.")
    compound_name: str = strawberry.field(description="Name of the compound.")
    guest_name: str = strawberry.field(description="The guest's own name.")
    message: str = strawberry.field(description="The host's words.")
    starts_at: datetime = strawberry.field(description="From when it counts.")
    ends_at: datetime = strawberry.field(description="Until when it counts.")
    uses: int = strawberry.field(description="How many times it has been used.")
    uses_left: int | None = strawberry.field(
        description="How many times it still opens; null for any number."
    )
    last_entry: VisitorPageEntry | None = strawberry.field(
        description="When and by which door the visitor last came in; null before the first time."
    )
    is_car_refused: bool = strawberry.field(
        description="The compound is full of visitors' cars: come without the car."
    )
    is_fire: bool = strawberry.field(
        description="A fire alarm concerns the building: leave it, or stay away."
    )
    reason: str = strawberry.field(
        description="Why the visit was declined, in the words of who did; empty without any, and in other states."
    )
    doors: list[VisitorPageDoor] = strawberry.field(
        description="The doors that it opens, the compound's gate first; at most 16."
    )
    text: str | None = strawberry.field(
        description="What the QR code holds (RC1:); null for a pass that opens nothing, or is not made yet: passes of "
        "repeated visits are made two days before."
    )
    digits: str | None = strawberry.field(description="Today's six digits for keypads; null on other days.")
    screen_key: strawberry.Private[bytes | None]

    @strawberry.field(
        name="screenKey",
        description="Key of the moving code (RC2:), 32 bytes in base64url; null where no gate asks for one.",
    )
    def screen_key_text(self) -> str | None:
        key = self.screen_key
        return None if key is None else base64.urlsafe_b64encode(key).decode().rstrip("=")


@strawberry.type
class VisitorPageQuery:
    """Root fields of the visitor's page."""

    @strawberry.field(
        description="What a visitor's link leads to; nobody signs in. An error NOT_FOUND for any other text."
    )
    async def visitor_page(
        self,
        info: Info,
        secret: Annotated[str, strawberry.argument(description="What comes after /v/ in the link.")],
    ) -> VisitorPage | None:
        return cast("VisitorPage", await service.visitor_page(info.context.actor, secret))
