"""What channels said, kept as it came (渠道报文). Inside the caller's transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from uuid import UUID

import asyncpg
import orjson

from domains.kernel import clock, database
from domains.kernel.ids import uuid7
from payments import order_sql as sql
from payments.gateways import Sighting

MOST_BYTES = 65_536


async def keep(
    channel: str,
    kind: str,
    external_id: str,
    verdict: str,
    body: bytes,
    *,
    out_trade_no: str = "",
    attempt_id: UUID | None = None,
    refund_id: UUID | None = None,
    headers: Mapping[str, str] | None = None,
    facts: Mapping[str, object] | None = None,
) -> bool:
    """Keep a message; False where the same was kept before."""
    made = await database.fetchval(
        sql.KEEP_EVENT, uuid7(), channel, kind, external_id[:128], verdict[:30], out_trade_no[:64], attempt_id,
        refund_id, _json(headers), _json(facts), body[:MOST_BYTES], clock.now(),
    )  # fmt: skip
    return made is not None


def _json(fields: Mapping[str, object] | None) -> str | None:
    return orjson.dumps(dict(fields)).decode() if fields else None


async def keep_answer(attempt: asyncpg.Record, sighting: Sighting, verdict: str) -> bool:
    """Keep the answer that said that an attempt was paid, and whether it was believed."""
    external_id = f"query:{digest(sighting.body)}"
    return await keep(
        attempt["channel"], "answer", external_id, verdict, sighting.body,
        out_trade_no=attempt["out_trade_no"], attempt_id=attempt["id"],
    )  # fmt: skip


def digest(body: bytes) -> str:
    """What names a message that has no id of its own."""
    return hashlib.sha256(body).hexdigest()
