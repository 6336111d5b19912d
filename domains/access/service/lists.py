"""What a gate holds to decide without a network (道闸离线数据): keys, and the revocation list in signed parts."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from domains.access import signing
from domains.access.gate import revocations
from domains.access.queries import gates
from domains.access.queries.gates import GateDoor
from domains.access.rules import TOLERANCE
from domains.kernel import clock, database, live
from domains.kernel.errors import Throttled
from domains.kernel.jobs import Result

LONGEST_WAIT_S = 25.0
MOST_WAITING, MOST_OF_A_GATE = 2_000, 2

# One snapshot: a line is numbered and written in the transaction that counts it.
PART = """
SELECT r.revocation_sequence, coalesce(array_agg(v.sequence ORDER BY v.sequence)
    FILTER (WHERE v.sequence IS NOT NULL), '{}') AS sequences,
    coalesce(array_agg(v.pass_id ORDER BY v.sequence) FILTER (WHERE v.sequence IS NOT NULL), '{}') AS pass_ids,
    coalesce(array_agg(v.expires_at ORDER BY v.sequence) FILTER (WHERE v.sequence IS NOT NULL), '{}') AS expiries
FROM access_rules r LEFT JOIN LATERAL (
    SELECT sequence, pass_id, expires_at FROM revocation
    WHERE compound_id = r.compound_id AND sequence > $2 AND expires_at > $3 ORDER BY sequence LIMIT $4) AS v ON true
WHERE r.compound_id = $1 GROUP BY r.revocation_sequence
"""

CONFIRM = "UPDATE door SET list_sequence = $2, listed_at = $3 WHERE id = $1"

FORGET = "DELETE FROM revocation WHERE id IN (SELECT id FROM revocation WHERE expires_at < $1 LIMIT $2)"

_waiting: Counter[UUID] = Counter()


@dataclass(frozen=True, slots=True, repr=False)
class GateKeys:
    """What a gate needs once, and again when a key is unknown to it. The screen key is a secret, given only
    to a gate that asks for moving codes."""

    keys: dict[bytes, bytes]
    community: int
    gate: int
    needs_screen: bool
    screen_key: bytes | None
    counts_offline: bool
    now: datetime


@dataclass(frozen=True, slots=True)
class Part:
    """A signed part of the list (吊销名单) and the sequence with which it ends. `is_anew`: it begins at 0,
    because the gate asked after a sequence that there is not; `has_more`: another follows at once."""

    delta: bytes
    up_to: int
    is_anew: bool = False
    has_more: bool = False


async def keys_of(device_id: UUID) -> GateKeys:
    """Keys and policy of the gate that the device is. Raises GATE_UNKNOWN."""
    door = await gates.of_device(device_id)
    keys = {kid: _raw(key) for kid, key in (await signing.public_keys()).items()}
    if not keys:
        keys = {(made := await signing.signer()).kid: _raw(made.key.public_key())}
    return GateKeys(
        keys=keys, community=door.rules.number, gate=door.number, needs_screen=door.needs_screen,
        screen_key=door.rules.screen_key if door.needs_screen else None, counts_offline=door.rules.counts_offline,
        now=clock.now(),
    )  # fmt: skip


def _raw(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


async def revocations_after(device_id: UUID, *, after: int, wait_s: float = 0.0) -> Part:
    """What was revoked after a sequence; waits up to `wait_s` seconds (at most 25) for something, and is
    then an empty part, which renews the age of the gate's list.

    To ask after a sequence confirms that the gate has it. Raises GATE_UNKNOWN, GATE_WAITS_TWICE.
    """
    door = await gates.of_device(device_id)
    if after > door.rules.revocation_sequence:
        return await _part(door, 0, is_anew=True)
    await database.execute(CONFIRM, door.id, after, clock.now())
    if not wait_s:
        return await _part(door, after)
    with _taking_part(door.id), live.hub().listening(f"revocations:{door.compound_id}") as bell:
        return await _awaited(door, after, min(wait_s, LONGEST_WAIT_S), bell)


@contextmanager
def _taking_part(door_id: UUID) -> Iterator[None]:
    if _waiting[door_id] >= MOST_OF_A_GATE or _waiting.total() >= MOST_WAITING:
        raise Throttled("GATE_WAITS_TWICE", "同时等待的请求太多,请等上一个请求返回后再试", 5.0)
    _waiting[door_id] += 1
    try:
        yield
    finally:
        _waiting[door_id] -= 1
        if not _waiting[door_id]:
            del _waiting[door_id]


async def _awaited(door: GateDoor, after: int, wait_s: float, bell: asyncio.Event) -> Part:
    deadline = asyncio.get_running_loop().time() + wait_s
    while True:
        bell.clear()
        part = await _part(door, after)
        if part.up_to > after:
            return part
        try:
            async with asyncio.timeout_at(deadline):
                await bell.wait()
        except TimeoutError:
            # signed now, so that the list is as young as the answer
            return await _part(door, after)


async def _part(door: GateDoor, after: int, *, is_anew: bool = False) -> Part:
    now, most = clock.now(), revocations.MOST_REVOKED
    row = await database.fetchrow(PART, door.compound_id, after, now - TOLERANCE, most + 1)
    assert row is not None, "rules_of made the row"
    has_more = len(row["sequences"]) > most
    up_to = row["sequences"][most - 1] if has_more else row["revocation_sequence"]
    pairs = zip(row["pass_ids"][:most], row["expiries"], strict=False)
    signer = await signing.signer()
    delta = revocations.delta(
        community=door.rules.number, after=after, up_to=up_to, issued_at=int(now.timestamp()),
        revoked={id.bytes: int(at.timestamp()) for id, at in pairs}, kid=signer.kid, key=signer.key,
    )  # fmt: skip
    return Part(delta, up_to, is_anew, has_more)


async def forget_revocations(_: object, batch: int = 5000) -> Result:
    """Forget lines whose passes are over by themselves: no part has held them since."""
    total, over = 0, clock.now() - TOLERANCE
    while count := await database.execute(FORGET, over, batch):
        total += count
    return {"forgotten": total}
