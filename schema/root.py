"""The schema: roots put together from the domains, one list of node types."""

from __future__ import annotations

from typing import Annotated

import strawberry
from strawberry.tools import merge_types

from schema import (
    audit,
    estate,
    estate_commands,
    home,
    household,
    identity,
    imports,
    invitations,
    live,
    organisation,
    passes,
    photos,
    profile,
    registration,
    residents,
    roles,
    staff,
    staff_commands,
    vehicles,
    viewer,
)
from schema.context import Info
from schema.relay import Node, resolve_nodes
from schema.scalars import schema_config

SOURCES = {
    **estate.NODES,
    **organisation.NODES,
    **household.NODES,
    **vehicles.NODES,
    **residents.NODES,
    **registration.NODES,
    **invitations.NODES,
    "Staff": staff.staff_nodes,
    "Role": roles.role_nodes,
}


@strawberry.type
class NodeQuery:
    """Relay's way to fetch a thing again."""

    @strawberry.field(description="A thing by its global id; null if it does not exist or may not be seen.")
    async def node(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Its global id.")]
    ) -> Node | None:
        return (await resolve_nodes(info.context, SOURCES, [id]))[0]  # type: ignore[return-value]  # rows stand for types

    @strawberry.field(description="Things by their global ids, in that order; at most 100.")
    async def nodes(
        self,
        info: Info,
        ids: Annotated[list[strawberry.ID], strawberry.argument(description="Their global ids.")],
    ) -> list[Node | None]:
        return await resolve_nodes(info.context, SOURCES, ids)  # type: ignore[return-value]  # rows stand for types


QUERIES = (
    NodeQuery,
    viewer.ViewerQuery,
    estate.EstateQuery,
    organisation.OrganisationQuery,
    residents.ResidentsQuery,
    registration.RegistrationQuery,
    vehicles.VehiclesQuery,
    passes.PassesQuery,
    imports.ImportsQuery,
    staff.StaffQuery,
    roles.RolesQuery,
    audit.AuditQuery,
)
MUTATIONS = (
    identity.IdentityMutation,
    profile.ProfileMutation,
    estate_commands.EstateMutation,
    registration.RegistrationMutation,
    invitations.InvitationsMutation,
    household.HouseholdMutation,
    residents.ResidentsMutation,
    vehicles.VehiclesMutation,
    photos.PhotosMutation,
    imports.ImportsMutation,
    staff_commands.StaffMutation,
    staff_commands.OwnCredentialsMutation,
    roles.RolesMutation,
)

SUBSCRIPTIONS = (live.LiveSubscription,)

Query = merge_types("Query", QUERIES)
Mutation = merge_types("Mutation", MUTATIONS)
Subscription = merge_types("Subscription", SUBSCRIPTIONS)

schema = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    types=[
        estate.Compound,
        estate.Building,
        estate.Unit,
        organisation.Region,
        estate.House,
        household.Occupancy,
        vehicles.Vehicle,
        residents.Person,
        registration.Registration,
        invitations.Invitation,
        *home.CARDS,
        staff.Staff,
        roles.Role,
    ],
    config=schema_config(),
)
