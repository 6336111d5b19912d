"""A compound's rules of passage, in the API."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, cast
from uuid import UUID

import strawberry

from domains.access.community import Rules
from domains.access.queries import settings as queries
from domains.access.service import settings as service
from schema.context import Info
from schema.errors import Payload, refusals_as_data
from schema.permissions import signed_in, staff_only
from schema.relay import decode, encode


@strawberry.enum(description="Who decides what visitors ask for (审批人).")
class VisitApprover(Enum):
    RESIDENT = strawberry.enum_value("resident", description="住户;无人登录的房屋由门岗决定")
    GUARD = strawberry.enum_value("guard", description="门岗")
    EITHER = strawberry.enum_value("either", description="住户或门岗,先决定的为准")


def _compound(root: Rules) -> strawberry.ID:
    return strawberry.ID(encode("Compound", root.compound_id))


@strawberry.type(description="What a compound allows at its doors (通行规则).")
class AccessRules:
    compound_id: strawberry.Private[UUID]
    compound: strawberry.ID = strawberry.field(resolver=_compound, description="Id of the compound.")
    longest_window_h: int = strawberry.field(description="Longest validity of a pass, hours.")
    most_uses: int = strawberry.field(description="Most uses a pass may allow.")
    daily_passes_per_house: int = strawberry.field(
        description="Passes a house may let out in a day; those of templates are not counted."
    )
    visitor_cars: int | None = strawberry.field(description="Visitors' cars at a time; null is no limit.")
    approver: VisitApprover = strawberry.field(description="Who decides what visitors ask for.")
    daily_openings: int | None = strawberry.field(
        description="Remote openings per person and day; null is no limit."
    )
    counts_offline: bool = strawberry.field(
        description="Gates without a network count uses themselves instead of asking the guard."
    )
    records_kept_days: int = strawberry.field(description="For how many days records of doors are kept.")
    vehicle_records_kept_days: int = strawberry.field(description="Those of vehicles; 180 at least.")


@strawberry.input(description="Rules to change; what is left out stays.")
class SetAccessRulesInput:
    compound: strawberry.ID = strawberry.field(description="The compound.")
    longest_window_h: int | None = strawberry.field(
        default=strawberry.UNSET, description="Longest validity of a pass, 1 to 8760 hours."
    )
    most_uses: int | None = strawberry.field(
        default=strawberry.UNSET, description="Most uses of a pass, 1 to 999."
    )
    daily_passes_per_house: int | None = strawberry.field(
        default=strawberry.UNSET, description="Passes a house may let out in a day, 1 to 1000."
    )
    visitor_cars: int | None = strawberry.field(
        default=strawberry.UNSET, description="Visitors' cars at a time; null is no limit."
    )
    approver: VisitApprover | None = strawberry.field(
        default=strawberry.UNSET, description="Who decides what visitors ask for."
    )
    daily_openings: int | None = strawberry.field(
        default=strawberry.UNSET, description="Remote openings per person and day; null is no limit."
    )
    counts_offline: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Whether gates without a network count uses themselves."
    )
    records_kept_days: int | None = strawberry.field(
        default=strawberry.UNSET, description="For how many days records are kept, 30 to 3660."
    )
    vehicle_records_kept_days: int | None = strawberry.field(
        default=strawberry.UNSET, description="Those of vehicles, 180 to 3660."
    )

    def changes(self) -> service.RuleChanges:
        """As the command takes them."""
        given = {name: value for name, value in vars(self).items() if value is not strawberry.UNSET}
        del given["compound"]
        plain = {name: value.value if isinstance(value, Enum) else value for name, value in given.items()}
        return cast("service.RuleChanges", plain)


@strawberry.type(description="Result of changing a compound's rules.")
class AccessRulesPayload(Payload):
    access_rules: AccessRules | None = strawberry.field(
        default=None, description="The rules as they are now; null when refused."
    )


Compound = Annotated[strawberry.ID, strawberry.argument(description="The compound.")]


@strawberry.type
class AccessRulesQuery:
    """Root fields of the rules."""

    @strawberry.field(
        description="A compound's rules of passage, for its residents and staff.", extensions=[signed_in]
    )
    async def access_rules(self, info: Info, compound: Compound) -> AccessRules | None:
        compound_id = decode(compound, "Compound", "compound")
        return cast("AccessRules", await queries.access_rules(info.context.actor, compound_id))


@strawberry.type
class AccessRulesMutation:
    """Mutations of the rules."""

    @strawberry.mutation(
        description="Change a compound's rules of passage; for staff with access_rules.write in all of it.",
        extensions=[staff_only],
    )
    @refusals_as_data(AccessRulesPayload)
    async def set_access_rules(
        self, info: Info, input: Annotated[SetAccessRulesInput, strawberry.argument(description="Which.")]
    ) -> AccessRulesPayload:
        compound_id = decode(input.compound, "Compound", "compound")
        await service.set_access_rules(info.context.actor, compound_id=compound_id, changes=input.changes())
        rules = await queries.access_rules(info.context.actor, compound_id)
        return AccessRulesPayload(access_rules=cast("AccessRules", rules))
