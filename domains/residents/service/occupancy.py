"""Ending who belongs to a house (结束居住关系); it counts from the person's next request."""

from __future__ import annotations

from uuid import UUID

import asyncpg

from domains.kernel import clock, database, outbox, text
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, NotFound
from domains.residents import permissions, sql
from domains.residents.events import OccupancyEnded


@command("occupancy.end", caller="account")
async def end_occupancy(actor: Actor, *, occupancy_id: UUID, reason: str) -> UUID:
    """Staff end any, an owner those of the house's family and tenants, everybody their own.

    Raises OCCUPANCY_NOT_FOUND, OCCUPANCY_ENDED, and SOLE_OWNER to the last owner who wants to leave.
    """
    row = await database.fetchrow(sql.OCCUPANCY_TO_END, occupancy_id)
    if row is None:
        raise NotFound("OCCUPANCY_NOT_FOUND", "没有找到这条居住关系,请刷新后重试", "occupancy")
    concerns("Occupancy", occupancy_id, row["compound_id"], house=row["house_id"], capacity=row["capacity"])
    _authorise(actor, row)
    reason = text.clean(reason, max_length=100, field="reason")
    if row["capacity"] == "owner":
        # Before the occupancy is touched: accepting takes the two rows in this order as well.
        await database.execute(sql.WITHDRAW_INVITATIONS, row["house_id"], row["account_id"], None)
    # Two owners who leave at once take turns, so that the second one is the last.
    await database.execute(sql.HOUSE_TURN, row["house_id"])
    if actor.kind == "resident" and row["capacity"] == "owner":
        await _check_other_owner(row)
    if not await database.execute(sql.END_OCCUPANCY, occupancy_id, clock.now(), reason, actor.account_id):
        raise Conflict("OCCUPANCY_ENDED", "这条居住关系已经结束,请刷新查看")
    await outbox.record(
        OccupancyEnded(
            row["id"],
            row["compound_id"],
            row["house_id"],
            row["person_id"],
            row["account_id"],
            row["capacity"],
        )
    )
    return occupancy_id


def _authorise(actor: Actor, row: asyncpg.Record) -> None:
    if actor.kind != "resident":
        actor.require(permissions.WRITE, row["compound_id"], row["building_id"])
        return
    owned = any(tie.house_id == row["house_id"] and tie.capacity == "owner" for tie in actor.houses)
    if row["account_id"] != actor.id and not (owned and row["capacity"] != "owner"):
        actor.refuse()


async def _check_other_owner(row: asyncpg.Record) -> None:
    if await database.fetchval(sql.OTHER_OWNERS, row["house_id"], row["id"]) == 0:
        raise Conflict("SOLE_OWNER", "您是这套房屋唯一登记的业主,不能自行退出,请联系物业办理变更")
