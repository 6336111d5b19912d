"""Everything that has a global id, and `node`/`nodes` over it."""

from __future__ import annotations

from typing import Annotated

import strawberry

from schema import (
    access_records,
    alarms,
    billing_runs,
    bills,
    corrections,
    devices,
    door_commands,
    doors,
    dunning,
    estate,
    expenses,
    fee_items,
    household,
    inbox,
    invitations,
    meter_readings,
    meters,
    organisation,
    pass_templates,
    payment_exceptions,
    payments,
    promises,
    refunds,
    registration,
    residents,
    roles,
    staff,
    vacancies,
    vehicles,
    visitor_passes,
    webhooks,
)
from schema.context import Info
from schema.relay import Node, resolve_nodes

SOURCES = {
    **estate.NODES,
    **organisation.NODES,
    **household.NODES,
    **vehicles.NODES,
    **visitor_passes.NODES,
    **pass_templates.NODES,
    **alarms.NODES,
    **bills.NODES,
    **payments.NODES,
    **refunds.NODES,
    **payment_exceptions.NODES,
    **billing_runs.NODES,
    **corrections.NODES,
    **residents.NODES,
    **registration.NODES,
    **invitations.NODES,
    **inbox.NODES,
    **webhooks.NODES,
    **devices.NODES,
    **doors.NODES,
    **access_records.NODES,
    **door_commands.NODES,
    **meters.NODES,
    **expenses.NODES,
    **meter_readings.NODES,
    **fee_items.NODES,
    **vacancies.NODES,
    **dunning.NODES,
    **promises.NODES,
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
