"""Deductions of an earlier release keep what their money was for; its program may not write it where it was."""

from __future__ import annotations

import asyncpg
import pytest

from api import migrating
from domains.kernel.ids import uuid7
from tests.conftest import TestServers
from tests.factories.old_databases import migrated_to

PAID = """
WITH paid AS (
    INSERT INTO payment_order (id, compound_id, holder_id, title, amount_fen, state, number, created_at, expires_at,
        paid_at, paid_by)
    VALUES ($1, $2, $3, '停车费', 300, 'paid', $4, now(), now(), now(), $5) RETURNING id)
INSERT INTO payment_attempt (id, order_id, compound_id, channel, product, out_trade_no, app_id, payee, reference, buyer,
    amount_fen, state, channel_no, paid_fen, given_back_fen, problem, created_at, queries, succeeded_at, ended_at)
SELECT $5, id, $2, $6, $7, $4, '', '', $8, '', 300, 'succeeded', $4, 300, 0, '', now(), 0, now(), now() FROM paid
"""
KEPT = "SELECT channel, reference, purpose FROM payment_attempt ORDER BY out_trade_no"


async def test_a_purpose_leaves_the_reference(servers: TestServers) -> None:
    compound = uuid7()

    async def pay(connection: asyncpg.Connection[asyncpg.Record], number: int, *way: str) -> None:
        await connection.execute(PAID, uuid7(), compound, uuid7(), f"20260401{number:08d}", uuid7(), *way)

    async with migrated_to(servers, payments="0008_references") as (owner_url, app_url):
        owner = await asyncpg.connect(owner_url)
        for number, way in enumerate(
            (("balance", "balance", "parking"), ("balance", "balance", "parking"), ("balance", "balance", ""),
             ("pos", "desk", "POS-1"), ("cash", "desk", ""))
        ):  # fmt: skip
            await pay(owner, number, *way)
        assert "payments.0009_purposes" in await migrating.migrate(owner_url, app_url)
        assert [tuple(row) for row in await owner.fetch(KEPT)] == [
            ("balance", "", "parking"), ("balance", "", "parking"), ("balance", "", ""), ("pos", "POS-1", ""),
            ("cash", "", ""),
        ]  # fmt: skip
        await pay(owner, 5, "balance", "balance", "")
        with pytest.raises(asyncpg.CheckViolationError):
            await pay(owner, 6, "balance", "balance", "parking")
        with pytest.raises(asyncpg.UniqueViolationError):
            await pay(owner, 7, "pos", "desk", "POS-1")
        await owner.close()
