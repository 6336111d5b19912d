"""Checking electronic passes, in the API."""

from __future__ import annotations

from typing import Annotated, cast

import strawberry

from domains.residents.service import passes as service
from schema.context import Info
from schema.household import Capacity
from schema.permissions import staff_only


@strawberry.type(description="Who shows a pass that counts (通行证持有人).")
class PassHolder:
    name: str = strawberry.field(description="Name of the occupant.")
    capacity: Capacity = strawberry.field(description="As what.")
    house_number: str = strawberry.field(description="The house: 3号楼1单元101.")


@strawberry.type
class PassesQuery:
    """Root fields of passes."""

    @strawberry.field(
        description="Who shows this pass; an error tells why it does not count. For staff with residents.read, audited.",
        extensions=[staff_only],
    )
    async def residence_pass_holder(
        self, info: Info, token: Annotated[str, strawberry.argument(description="What the QR code holds.")]
    ) -> PassHolder | None:
        return cast("PassHolder", await service.check_residence_pass(info.context.actor, token=token))
