"""An owner's invitations to the house, in the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from typing import Annotated, cast
from uuid import UUID

import strawberry

from domains.residents import rules
from domains.residents.queries import invitations as queries
from domains.residents.service import invitations as service
from schema.context import Context, Info
from schema.errors import Payload, refusals_as_data
from schema.household import Capacity, Occupancy, reread_houses
from schema.household import occupancy_nodes as read_occupancies
from schema.permissions import residents_only
from schema.relay import Node, decode


@strawberry.enum(description="As what somebody can be invited (邀请身份).")
class InvitedCapacity(Enum):
    FAMILY = strawberry.enum_value("family", description="家属")
    TENANT = strawberry.enum_value("tenant", description="租户")


@strawberry.enum(description="How far an invitation is (邀请状态).")
class InvitationState(Enum):
    OPEN = strawberry.enum_value("open", description="待接受")
    ACCEPTED = strawberry.enum_value("accepted", description="已接受")
    WITHDRAWN = strawberry.enum_value("withdrawn", description="已撤回")
    EXPIRED = strawberry.enum_value("expired", description="已过期")


@strawberry.type(description="An owner's invitation to a house (房屋邀请).")
class Invitation(Node):
    id: strawberry.Private[UUID]
    compound_name: str = strawberry.field(description="The compound.")
    house_number: str = strawberry.field(description="The house, as the owner tells it: 3号楼1单元101.")
    inviter_name: str = strawberry.field(description="Name of the owner who invites.")
    is_mine: bool = strawberry.field(description="Whether the caller sent it.")
    name: str = strawberry.field(description="Whom the owner means.")
    phone: str = strawberry.field(description="The invited number, masked.")
    capacity: Capacity = strawberry.field(description="As what.")
    lease_until_on: date | None = strawberry.field(description="Last day of a tenant's lease.")
    state: InvitationState = strawberry.field(description="How far it is.")
    created_at: datetime = strawberry.field(description="When it was sent.")
    expires_at: datetime = strawberry.field(description="Until when it can be taken up.")

    @classmethod
    def is_type_of(cls, obj: object, info: Info) -> bool:
        """Rows stand for the type: nothing is copied."""
        return isinstance(obj, queries.Invitation)


@strawberry.input(description="Whom to invite to which house, and as what.")
class InviteToHouseInput:
    house: strawberry.ID = strawberry.field(description="A house the caller owns.")
    capacity: InvitedCapacity = strawberry.field(description="Family or tenant.")
    name: str = strawberry.field(description="Name of the invited person.")
    phone: str = strawberry.field(description="Mobile number; only the account that verified it can accept.")
    lease_until_on: date | None = strawberry.field(
        default=None, description="Last day of the lease; for tenants, and needed for them."
    )


@strawberry.input(description="Which invitation to take up.", one_of=True)
class AcceptInvitationInput:
    code: str | None = strawberry.field(default=strawberry.UNSET, description="The code in the link.")
    invitation: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Its id from `viewer.invitations`."
    )


@strawberry.input(description="The invitation to take back.")
class WithdrawInvitationInput:
    invitation: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.type(description="Result of inviting.")
class InviteToHousePayload(Payload):
    invitation: Invitation | None = strawberry.field(
        default=None, description="The invitation; null when refused."
    )
    code: str | None = strawberry.field(
        default=None, description="Code for the link; it is shown this once and cannot be asked for again."
    )


@strawberry.type(description="Result of accepting.")
class AcceptInvitationPayload(Payload):
    occupancy: Occupancy | None = strawberry.field(
        default=None, description="What the caller is in the house from now on; null when refused."
    )


@strawberry.type(description="Result of taking an invitation back.")
class WithdrawInvitationPayload(Payload):
    invitation: Invitation | None = strawberry.field(
        default=None, description="The invitation as it is now; null when refused."
    )


async def _read(info: Info, id: UUID) -> Invitation | None:
    return cast("Invitation | None", (await queries.by_id(info.context.actor, [id])).get(id))


@strawberry.type
class InvitationsMutation:
    """Mutations of invitations."""

    @strawberry.mutation(
        description="Invite somebody to one's own house, for 7 days; for owners.", extensions=[residents_only]
    )
    @refusals_as_data(InviteToHousePayload)
    async def invite_to_house(
        self, info: Info, input: Annotated[InviteToHouseInput, strawberry.argument(description="Whom.")]
    ) -> InviteToHousePayload:
        capacity = cast("rules.InvitedCapacity", input.capacity.value)
        invited = await service.invite_to_house(
            info.context.actor, house_id=decode(input.house, "House", "house"), capacity=capacity,
            name=input.name, phone=input.phone, lease_until_on=input.lease_until_on,
        )  # fmt: skip
        return InviteToHousePayload(invitation=await _read(info, invited.id), code=invited.code)

    @strawberry.mutation(
        description="Take up an invitation, by its link or from one's list; binds at once.",
        extensions=[residents_only],
    )
    @refusals_as_data(AcceptInvitationPayload)
    async def accept_invitation(
        self,
        info: Info,
        input: Annotated[AcceptInvitationInput, strawberry.argument(description="Which one.")],
    ) -> AcceptInvitationPayload:
        given = decode(input.invitation, "Invitation", "invitation") if input.invitation else None
        id = await service.accept_invitation(info.context.actor, code=input.code or None, invitation_id=given)
        await reread_houses(info.context)
        found = await read_occupancies(info.context, [id])
        return AcceptInvitationPayload(occupancy=cast("Occupancy | None", found.get(id)))

    @strawberry.mutation(description="Take one's own open invitation back.", extensions=[residents_only])
    @refusals_as_data(WithdrawInvitationPayload)
    async def withdraw_invitation(
        self,
        info: Info,
        input: Annotated[WithdrawInvitationInput, strawberry.argument(description="Which one.")],
    ) -> WithdrawInvitationPayload:
        id = decode(input.invitation, "Invitation", "invitation")
        await service.withdraw_invitation(info.context.actor, invitation_id=id)
        return WithdrawInvitationPayload(invitation=await _read(info, id))


async def invitation_nodes(context: Context, ids: Sequence[UUID]) -> Mapping[UUID, object]:
    """Invitations by id, those the caller sent or received; a caller without an account has none."""
    return await queries.by_id(context.actor, ids)


NODES = {"Invitation": invitation_nodes}
