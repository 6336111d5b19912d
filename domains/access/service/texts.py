"""What a visitor's page shows to a gate (通行码): signed anew each time, the same while nothing changes."""

from __future__ import annotations

from uuid import UUID

import asyncpg

from domains.access import signing
from domains.access.community import rules_of
from domains.access.gate import cose, screens, texts
from domains.access.gate.claims import MOST_GATES, MOST_USES, PassClaims
from domains.access.queries.gates import ON_THE_WAY
from domains.kernel import database

# Nearest first, so that of very many gates the ones at the house are those that stay in the text.
PASS = f"""
SELECT p.id, p.compound_id, p.starts_at, p.ends_at, p.uses_allowed, bound.number AS bound_gate, way.gates,
    way.needs_screen, (SELECT count(*) FROM door d
        WHERE d.compound_id = p.compound_id AND d.is_for_visitors AND d.removed_at IS NULL) AS all_gates
FROM visitor_pass p JOIN house h ON h.id = p.house_id LEFT JOIN door bound ON bound.id = p.offline_door_id
CROSS JOIN LATERAL (
    SELECT array_agg(d.number ORDER BY d.unit_id IS NULL, d.building_id IS NULL, d.number) AS gates,
        bool_or(d.needs_screen) AS needs_screen
    FROM door d WHERE {ON_THE_WAY} AND d.is_for_visitors AND d.removed_at IS NULL
        AND (NOT EXISTS (SELECT FROM visitor_pass_door n WHERE n.visitor_pass_id = p.id)
            OR EXISTS (SELECT FROM visitor_pass_door n WHERE n.visitor_pass_id = p.id AND n.door_id = d.id))) AS way
WHERE p.id = $1 AND p.state IN ('active', 'used_up')
"""  # noqa: S608  # put together from constants


async def text_of(pass_id: UUID) -> str | None:
    """The text in a pass's QR code; None for a pass that counts no more, or that no door takes.

    A pass that is used up has one, because its holder still has to get out.
    """
    row = await database.fetchrow(PASS, pass_id)
    if row is None or not row["gates"]:
        return None
    claims = _claims(row, (await rules_of(row["compound_id"])).number)
    signer = await signing.signer()
    return texts.still(cose.sign(claims.to_cbor(), kid=signer.kid, key=signer.key, context=cose.PASS))


async def screen_of(pass_id: UUID) -> bytes | None:
    """The key (32 bytes) with which the visitor's phone makes the moving code; None where no gate of the
    pass asks for one."""
    row = await database.fetchrow(PASS, pass_id)
    if row is None or not row["needs_screen"]:
        return None
    return screens.key_of((await rules_of(row["compound_id"])).screen_key, pass_id.bytes)


def _claims(row: asyncpg.Record, community: int) -> PassClaims:
    bound = row["bound_gate"] if row["bound_gate"] in row["gates"] else None
    gates = sorted(row["gates"], key=lambda gate: gate != bound)[:MOST_GATES]
    uses = row["uses_allowed"]
    return PassClaims(
        community=community, id=row["id"].bytes, not_before=int(row["starts_at"].timestamp()),
        expires_at=int(row["ends_at"].timestamp()), uses=uses and min(uses, MOST_USES), bound_gate=bound,
        gates=None if len(row["gates"]) == row["all_gates"] else tuple(sorted(gates)),
    )  # fmt: skip
