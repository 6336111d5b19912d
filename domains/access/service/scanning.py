"""Deciding about what was shown to a gate with a network (在线验码): the rows decide, not the paper."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from domains.access import signing
from domains.access.events import VisitorAdmitted
from domains.access.gate import screens, verifier
from domains.access.gate.reasons import Kind, Reason, Refused
from domains.access.queries import gates
from domains.access.queries.gates import ON_THE_WAY, GateDoor
from domains.access.rules import Direction, Method, Window
from domains.access.service import digits, recording, uses
from domains.access.service.answers import Answer, Guest, Spent
from domains.access.service.recording import Attempt
from domains.kernel import clock, database, live, outbox
from domains.kernel.errors import Conflict

SAME_SCAN = timedelta(seconds=60)
"""Within it a gate that got no answer may ask for the same scan again."""
_DIGITS = re.compile(r"[0-9]{6}")

# On its own, so that what is read next was written before whoever held the pass let go of it.
HOLD = "SELECT id FROM visitor_pass WHERE id = $1 AND compound_id = $2 FOR NO KEY UPDATE"

VISIT = f"""
SELECT p.id, p.house_id, h.number AS house_number, p.guest_name, p.companions, p.plate, p.state, p.starts_at, p.ends_at,
    p.is_car_refused, p.inside_since,
    d.is_for_visitors AND {ON_THE_WAY} AND (
        NOT EXISTS (SELECT FROM visitor_pass_door n WHERE n.visitor_pass_id = p.id)
        OR EXISTS (SELECT FROM visitor_pass_door n WHERE n.visitor_pass_id = p.id AND n.door_id = d.id)) AS leads_here,
    coalesce(since.was_here, false) AS was_here, coalesce(since.came_by_gate, false) AS came_by_gate
FROM visitor_pass p JOIN house h ON h.id = p.house_id JOIN door d ON d.id = $2
CROSS JOIN LATERAL (
    SELECT bool_or(a.door_id = d.id) AS was_here,
        bool_or(a.building_id IS NULL AND a.direction <> 'out') AS came_by_gate
    FROM access_record a WHERE a.visitor_pass_id = p.id AND a.result = 'opened' AND a.at >= p.inside_since) AS since
WHERE p.id = $1 AND p.compound_id = d.compound_id
"""  # noqa: S608  # put together from constants

HOLDER = f"""
SELECT c.account_id, c.house_id, c.expires_at, who.id AS person_id, who.name, h.number AS house_number, h.building_id,
    ({ON_THE_WAY}) AS leads_here
FROM resident_code c JOIN house h ON h.id = c.house_id JOIN door d ON d.id = $2
LEFT JOIN LATERAL (
    SELECT p.id, p.name FROM person p JOIN occupancy o ON o.person_id = p.id
    WHERE p.account_id = c.account_id AND o.house_id = c.house_id AND o.ended_at IS NULL
        AND (o.lease_until_on IS NULL OR o.lease_until_on >= $3) LIMIT 1) AS who ON true
WHERE c.id = $1 AND c.compound_id = d.compound_id
"""  # noqa: S608  # put together from constants

EARLIER = """
SELECT reason, visitor_pass_id, received_at FROM access_record WHERE door_id = $1 AND event_key = $2
"""


@dataclass(frozen=True, slots=True)
class Visit:
    """A visitor's pass as a door sees it; `was_here` since its holder came in, `came_by_gate` of the compound."""

    id: UUID
    house_id: UUID
    house_number: str
    guest_name: str
    companions: int
    plate: str
    state: str
    starts_at: datetime
    ends_at: datetime
    is_car_refused: bool
    inside_since: datetime | None
    leads_here: bool
    was_here: bool
    came_by_gate: bool

    @property
    def guest(self) -> Guest:
        """What the guard is told."""
        return Guest(self.guest_name, self.companions, self.plate, self.house_number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """One scan: what was shown at which door, going which way. `id` is the device's own."""

    door: GateDoor
    shown: str
    direction: Direction
    id: UUID
    at: datetime

    @property
    def key(self) -> str:
        """Under which it is written once."""
        return scan_key(self.id)

    @property
    def method(self) -> Method:
        """Six digits, or else the text of a QR code."""
        return "code" if _DIGITS.fullmatch(self.shown) else "qr"

    def admitted(self, visit: Visit) -> Answer:
        """The answer where it opens to a visitor; on the way out nothing is used."""
        spent = Spent(visit.id, Kind.VISITOR, visit.ends_at)
        return Answer(Reason.OK, visit.guest, None if self.direction == "out" else spent)


async def scan(device_id: UUID, *, scan_id: UUID, shown: str, direction: Direction = "unknown") -> Answer:
    """Decide, use up and write down, whatever was shown; the caller is the door's own device.

    The same `scan_id` within a minute is the same scan and gets the same answer. Raises GATE_UNKNOWN,
    SCAN_REPEATED.
    """
    door, now = await gates.of_device(device_id), clock.now()
    one = Scan(door=door, shown=shown, direction=door.direction_of(direction), id=scan_id, at=now)
    async with database.transaction():
        earlier = await database.fetchrow(EARLIER, door.id, one.key)
        return await (_again(one, earlier) if earlier else _decide(one))


async def _again(scan: Scan, earlier: asyncpg.Record) -> Answer:
    if scan.at - earlier["received_at"] > SAME_SCAN:
        raise _repeated()
    visit = await _visit(scan, earlier["visitor_pass_id"])
    if visit and not earlier["reason"]:
        return scan.admitted(visit)
    return Answer(earlier["reason"] or Reason.OK, visit.guest if visit else None)


async def _decide(scan: Scan) -> Answer:
    if scan.door.mode == "closed":
        return await _refuse(scan, "DOOR_CLOSED")
    if scan.method not in scan.door.methods:
        return await _refuse(scan, "METHOD_OFF")
    return await (_by_digits(scan) if scan.method == "code" else _by_text(scan))


async def _by_digits(scan: Scan) -> Answer:
    compound_id = scan.door.compound_id
    if not await digits.may_try(compound_id, scan.door.id, scan.at):
        return await _refuse(scan, "CODE_LOCKED")
    pass_id = await digits.pass_of(compound_id, scan.shown)
    return await (_by_pass(scan, pass_id) if pass_id else _refuse(scan, "CODE_WRONG"))


async def _by_text(scan: Scan) -> Answer:
    keys, community = await signing.public_keys(), scan.door.rules.number
    try:
        seen = verifier.read(scan.shown, keys, int(scan.at.timestamp()), community)
        if seen.kind is Kind.RESIDENT:
            return await _by_code(scan, UUID(bytes=seen.claims.id))
        _check_screen(scan, seen)
    except Refused as refused:
        return await _by_refused(scan, refused)
    return await _by_pass(scan, UUID(bytes=seen.claims.id))


async def _by_refused(scan: Scan, refused: Refused) -> Answer:
    if refused.kind is not Kind.VISITOR or refused.id is None:
        return await _refuse(scan, refused.reason)
    pass_id = UUID(bytes=refused.id)
    if (scan.direction, refused.reason) == ("out", Reason.EXPIRED):
        # The pass is over and its holder still inside: the rows know.
        return await _by_pass(scan, pass_id)
    visit = await _visit(scan, pass_id)
    return await (_told(scan, visit, refused.reason) if visit else _refuse(scan, refused.reason))


def _check_screen(scan: Scan, seen: verifier.Seen) -> None:
    id, screen = seen.claims.id, seen.screen
    if screen is None:
        if scan.door.needs_screen:
            raise Refused(Reason.SCREEN_REQUIRED, seen.kind, id)
    elif not screens.is_genuine(scan.door.rules.screen_key, id, screen.timestamp, screen.mac):
        raise Refused(Reason.SCREEN_WRONG, seen.kind, id)
    elif not screens.is_fresh(screen.timestamp, int(scan.at.timestamp())):
        raise Refused(Reason.SCREEN_STALE, seen.kind, id)


async def _by_pass(scan: Scan, pass_id: UUID) -> Answer:
    await database.execute(HOLD, pass_id, scan.door.compound_id)
    visit = await _visit(scan, pass_id)
    if visit is None:
        return await _refuse(scan, "UNKNOWN_PASS")
    if scan.direction == "out" and visit.inside_since:
        # Who leaves a building is still in the compound, unless the building was the way in.
        if not (scan.door.is_inner and visit.came_by_gate):
            await uses.leave(visit.id)
        return await _told(scan, visit, Reason.OK, is_entry=False)
    if reason := _refusal(visit, scan):
        return await _told(scan, visit, reason)
    if scan.direction == "out" or _is_on_its_way(visit, scan.door):
        return await _told(scan, visit, Reason.OK, is_entry=False)
    used = await uses.use(visit.id, scan.at)
    return await _told(scan, visit, Reason.USED_UP if used is None else Reason.OK)


def _refusal(visit: Visit, scan: Scan) -> str | None:
    states = {
        "requested": "NOT_APPROVED", "rejected": "REJECTED", "revoked": Reason.REVOKED, "expired": Reason.EXPIRED,
    }  # fmt: skip
    if visit.state in states:
        return states[visit.state]
    if not visit.leads_here:
        return Reason.OTHER_GATE
    if not Window(visit.starts_at, visit.ends_at).holds(scan.at):
        return Reason.NOT_YET if scan.at < visit.starts_at else Reason.EXPIRED
    if visit.is_car_refused and scan.door.kind == "vehicle_gate":
        return "CAR_REFUSED"
    return None


def _is_on_its_way(visit: Visit, door: GateDoor) -> bool:
    """One entry opens the gate, and then each inner door of the way once."""
    return door.is_inner and visit.inside_since is not None and not visit.was_here


async def _by_code(scan: Scan, code_id: UUID) -> Answer:
    row = await database.fetchrow(HOLDER, code_id, scan.door.id, clock.business_date(scan.at))
    if row is None:
        return await _refuse(scan, "CODE_UNKNOWN")
    reason = (
        "NOT_RESIDENT" if row["person_id"] is None else Reason.OK if row["leads_here"] else Reason.OTHER_GATE
    )
    # One opening of a code at each door is one row: who comes second finds it there.
    key = f"{code_key(code_id)}:{scan.id.hex}"
    if reason == Reason.OK and (
        await _write(scan, reason, **_whose(row), event_key=key) or await _was_just_told(scan, key)
    ):
        return Answer(reason, spent=Spent(code_id, Kind.RESIDENT, row["expires_at"]))
    return await _refuse(scan, "CODE_USED" if reason == Reason.OK else reason, **_whose(row))


async def _was_just_told(scan: Scan, key: str) -> bool:
    earlier = await database.fetchrow(EARLIER, scan.door.id, key)
    return earlier is not None and scan.at - earlier["received_at"] <= SAME_SCAN


def scan_key(scan_id: UUID) -> str:
    """Under which a door keeps a scan with a network."""
    return f"scan:{scan_id.hex}"


def code_key(code_id: UUID) -> str:
    """With which the key of the one opening by a resident's code at a door begins, told online or later."""
    return f"code:{code_id.hex}"


def _whose(row: asyncpg.Record) -> dict[str, Any]:  # Any: columns
    return {name: row[name] for name in ("house_id", "account_id", "person_id")} | {"who": row["name"] or ""}


async def _visit(scan: Scan, pass_id: UUID | None) -> Visit | None:
    row = await database.fetchrow(VISIT, pass_id, scan.door.id)
    return Visit(**row) if row else None


async def _refuse(scan: Scan, reason: str, guest: Guest | None = None, **more: Any) -> Answer:  # Any: columns
    # Wrong digits are what locks a keypad: each counts, and they cannot become many.
    if reason == "CODE_WRONG" or await recording.is_kept(scan.door.device_id, "http"):
        await _written(scan, reason, **more)
    return Answer(reason, guest)


async def _told(scan: Scan, visit: Visit, reason: str, *, is_entry: bool = True) -> Answer:
    """Written down; an entry is told to who invited, every opening to the visitor's page."""
    plate = visit.plate if scan.door.kind == "vehicle_gate" else ""
    about = {"house_id": visit.house_id, "pass_id": visit.id, "who": visit.guest_name, "plate": plate}
    if reason != Reason.OK:
        return await _refuse(scan, reason, visit.guest, **about)
    record_id = await _written(scan, reason, **about)
    await live.wake([f"pass:{visit.id}"])
    if is_entry:
        await outbox.record(VisitorAdmitted(visit.id, scan.door.compound_id, visit.house_id, record_id))
    return scan.admitted(visit)


async def _written(scan: Scan, reason: str, **more: Any) -> UUID:  # Any: fields of the attempt
    record_id = await _write(scan, reason, **more)
    if record_id is None:
        # The same scan came twice at once: what this one has used goes back with its transaction.
        raise _repeated()
    return record_id


async def _write(scan: Scan, reason: str, **more: Any) -> UUID | None:  # Any: as above
    is_open = reason == Reason.OK
    known: dict[str, Any] = {  # Any: as above
        "door_id": scan.door.id, "method": scan.method, "direction": scan.direction, "event_key": scan.key,
        "result": "opened" if is_open else "refused", "reason": "" if is_open else reason,
        "is_vehicle": scan.door.kind == "vehicle_gate",
    }  # fmt: skip
    return await recording.record(Attempt(**known | more))


def _repeated() -> Conflict:
    return Conflict("SCAN_REPEATED", "这次扫码已经处理过,请重新扫码")
