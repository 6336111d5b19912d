"""Who is told what happened between people and houses. What is not so any more is told to nobody."""

from __future__ import annotations

from uuid import UUID

import asyncpg

from domains.identity import queries as identity
from domains.kernel import clock, database
from domains.kernel.events import Event
from domains.residents import notices, permissions, sql
from domains.residents.events import (
    HouseInvitationSent,
    OccupancyBegan,
    OccupancyEnded,
    RegistrationApproved,
    RegistrationRejected,
    ResidentRegistered,
    VehicleRegistered,
)
from notifications.notifying import notify


async def tell_reviewers(event: Event, _: UUID) -> None:
    """The staff who may review a registration of that building, while it waits."""
    assert isinstance(event, ResidentRegistered)
    row = await database.fetchrow(sql.REGISTRATION_TOLD, event.registration_id)
    if row is not None and row["state"] == "pending":
        reviewers = await identity.holders(permissions.REVIEW, event.compound_id, row["building_id"])
        await notify(
            reviewers, notices.SUBMITTED, _place(row), dedupe_key=str(event.registration_id),
            compound_id=event.compound_id, subject=("Registration", event.registration_id),
        )  # fmt: skip


async def tell_approved(event: Event, _: UUID) -> None:
    """The applicant."""
    assert isinstance(event, RegistrationApproved)
    row = await database.fetchrow(sql.REGISTRATION_TOLD, event.registration_id)
    assert row is not None, "registrations are kept"
    await notify(
        [event.account_id], notices.APPROVED, {**_place(row), "at": row["reviewed_at"]},
        dedupe_key=str(event.registration_id), compound_id=event.compound_id,
        subject=("Registration", event.registration_id),
    )  # fmt: skip


async def tell_rejected(event: Event, _: UUID) -> None:
    """The applicant, with the reason."""
    assert isinstance(event, RegistrationRejected)
    row = await database.fetchrow(sql.REGISTRATION_TOLD, event.registration_id)
    assert row is not None, "registrations are kept"
    # A phone's notification, and a platform's keyword, is one line.
    reason = " ".join(row["reason"].split())
    told = {**_place(row), "at": row["reviewed_at"], "reason": reason}
    await notify(
        [event.account_id], notices.REJECTED, told, dedupe_key=str(event.registration_id),
        compound_id=event.compound_id, subject=("Registration", event.registration_id),
    )  # fmt: skip


async def tell_invited(event: Event, _: UUID) -> None:
    """The account that has proved the invited number, if there is one; the link is with the owner only."""
    assert isinstance(event, HouseInvitationSent)
    row = await database.fetchrow(sql.INVITATION_TOLD, event.invitation_id, clock.now())
    if row is not None:
        await notify(
            row["invited"], notices.INVITED,
            {**_place(row), "inviter": row["inviter"], "until": row["expires_at"]},
            dedupe_key=str(event.invitation_id), compound_id=event.compound_id,
            subject=("Invitation", event.invitation_id),
        )  # fmt: skip


async def tell_of_arrival(event: Event, _: UUID) -> None:
    """The house's other owners."""
    assert isinstance(event, OccupancyBegan)
    row = await database.fetchrow(sql.OCCUPANCY_TOLD, event.occupancy_id)
    assert row is not None, "occupancies are kept"
    await notify(
        row["owners"], notices.ARRIVED, {**_place(row), "name": row["name"]},
        dedupe_key=str(event.occupancy_id), compound_id=event.compound_id,
        subject=("Occupancy", event.occupancy_id),
    )  # fmt: skip


async def tell_of_leaving(event: Event, _: UUID) -> None:
    """Who left, and the house's owners; an owner who ended it knows."""
    assert isinstance(event, OccupancyEnded)
    row = await database.fetchrow(sql.OCCUPANCY_TOLD, event.occupancy_id)
    assert row is not None, "occupancies are kept"
    owners = [each for each in row["owners"] if each != row["ended_by"]]
    await notify(
        [*owners, *([event.account_id] if event.account_id else [])], notices.LEFT,
        {**_place(row), "name": row["name"], "reason": row["end_reason"]},
        dedupe_key=str(event.occupancy_id), compound_id=event.compound_id,
        subject=("Occupancy", event.occupancy_id),
    )  # fmt: skip


async def tell_of_vehicle(event: Event, _: UUID) -> None:
    """The owners of the house, who answer for what is parked in its name; not the one who registered it, and
    not family or tenants, of whose cars an owner may know and not the other way about."""
    assert isinstance(event, VehicleRegistered)
    row = await database.fetchrow(sql.VEHICLE_TOLD, event.vehicle_id)
    if row is not None:
        await notify(
            row["owners"], notices.VEHICLE, {**_place(row), "plate": row["plate"]},
            dedupe_key=str(event.vehicle_id), compound_id=event.compound_id,
            subject=("Vehicle", event.vehicle_id),
        )  # fmt: skip


def _place(row: asyncpg.Record) -> dict[str, str]:
    return {"compound": row["compound"], "house": row["house"]}
