"""What bills are made of does not change while bills are made of it (轮流)."""

from __future__ import annotations

from uuid import UUID

from domains.kernel import database

TURN = "SELECT pg_advisory_xact_lock(hashtextextended('billing:' || $1::uuid, 0))"


async def take_turn(compound_id: UUID) -> None:
    """Wait for whoever posts bills of the compound, or changes what they depend on; held until the commit."""
    await database.execute(TURN, compound_id)
