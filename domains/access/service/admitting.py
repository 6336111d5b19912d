"""What a guard decides at a gate (保安放行): in, not in, out again, and who comes without a pass (访客登记)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domains.access import permissions, visits
from domains.access.community import rules_of
from domains.access.events import VisitorAdmitted, VisitorRefused
from domains.access.gate.reasons import Reason
from domains.access.rules import Direction, Window
from domains.access.service import issuing, recording, uses
from domains.access.service.answers import Answer
from domains.access.service.issuing import Guest
from domains.access.service.recording import Attempt
from domains.access.service.scanning import HOLD, VISIT, Visit
from domains.kernel import clock, database, live, outbox, text
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.documents import LABELS, Kind
from domains.kernel.errors import Conflict, NotFound
from domains.residents import plates
from domains.residents.service.registration import typed_house

WALK_IN = timedelta(minutes=10)
"""How long a pass counts that is used in the moment in which it is made."""
SENT_AWAY = "GUARD_REFUSED"
"""The reason on record where a guard said no to a pass that may well count."""
_NOT_ACTIVE = {
    "requested": "NOT_APPROVED", "rejected": "REJECTED", "revoked": Reason.REVOKED.value, "expired": Reason.EXPIRED.value,
}  # fmt: skip

PLACE = "SELECT p.compound_id, h.building_id FROM visitor_pass p JOIN house h ON h.id = p.house_id WHERE p.id = $1"
DOOR = "SELECT building_id IS NOT NULL AS is_inner FROM door WHERE id = $1 AND compound_id = $2 AND removed_at IS NULL"
HOUSE = "SELECT id, building_id FROM house WHERE id = $1 AND compound_id = $2"
CODE = "SELECT code FROM compound WHERE id = $1"
CHECKED = """
UPDATE visitor_pass SET document_checked_at = $2, document_checked_by = $3 WHERE id = $1
"""
CAME_BY_CAR = "UPDATE visitor_pass SET plate = $2, is_car_refused = false WHERE id = $1"


@dataclass(frozen=True, slots=True)
class Admission:
    """What is on record of it; `refused` is the code of why nobody went in, empty where somebody did."""

    pass_id: UUID
    record_id: UUID
    refused: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """How a visitor stands before the guard: which document was seen, in which car, with how many people."""

    document_checked: bool = False
    document_kind: Kind | None = None
    plate: str = ""
    companions: int | None = None

    @property
    def note(self) -> str:
        """What the record says of it; a document's number is never asked for."""
        seen = f"已核对{LABELS[self.document_kind]}" if self.document_kind else "已核对证件"
        people = f"同行 {self.companions} 人" if self.companions else ""
        return ",".join(filter(None, (seen if self.document_checked else "", people)))


@dataclass(frozen=True, slots=True)
class Case:
    """A pass that is shown to a guard, and where."""

    visit: Visit
    compound_id: UUID
    building_id: UUID
    door_id: UUID
    is_inner: bool

    @property
    def is_on_its_way(self) -> bool:
        """One use opens the gate, and then each inner door of the way once."""
        return self.is_inner and self.visit.inside_since is not None and not self.visit.was_here

    def standing(self, now: datetime) -> str:
        """Why the pass does not count here and now; empty where it does."""
        visit = self.visit
        if visit.state in _NOT_ACTIVE:
            return _NOT_ACTIVE[visit.state]
        if not visit.leads_here:
            return Reason.OTHER_GATE.value
        if not Window(visit.starts_at, visit.ends_at).holds(now):
            return (Reason.NOT_YET if now < visit.starts_at else Reason.EXPIRED).value
        return Reason.USED_UP.value if visit.state == "used_up" and not self.is_on_its_way else ""


async def admit_visitor(
    actor: Actor,
    *,
    pass_id: UUID,
    door_id: UUID,
    document_checked: bool,
    idempotency_key: UUID,
    plate: str = "",
    companions: int | None = None,
) -> Admission:
    """Let a visitor in, which takes one use of the pass; a refusal is on record as well.

    Of two guards at once with the last use exactly one admits. A car is admitted with its `plate` while the compound
    has room for it. Raises VISITOR_PASS_NOT_FOUND, DOOR_NOT_FOUND, PLATE_INVALID, VISIT_COMPANIONS_RANGE, or a Conflict
    whose code is VISITOR_ and the reason on record.
    """
    arrival = Arrival(document_checked=document_checked, plate=_plate(plate), companions=companions)
    if companions is not None:
        visits.check_companions(companions)
    admission = await _admit(
        actor, pass_id=pass_id, door_id=door_id, arrival=arrival, idempotency_key=idempotency_key
    )
    if admission.refused:
        raise refusal(admission.refused)
    return admission


def refusal(reason: str) -> Conflict:
    """Why nobody went in, as the guard is told."""
    return Conflict(f"VISITOR_{reason}", Answer(reason).messages[0])


@command("visitor.admit", caller="staff", permission=permissions.VISITORS_ADMIT)
async def _admit(
    actor: Actor, *, pass_id: UUID, door_id: UUID, arrival: Arrival, idempotency_key: UUID
) -> Admission:
    case = await shown(actor, pass_id, door_id)
    admission = await _let_in(actor, case, arrival)
    concerns("VisitorPass", pass_id, case.compound_id, door=door_id, refused=admission.refused)
    return admission


@command("visitor.refuse", caller="staff", permission=permissions.VISITORS_ADMIT)
async def refuse_visitor(
    actor: Actor, *, pass_id: UUID, door_id: UUID, reason: str, idempotency_key: UUID
) -> Admission:
    """Send away somebody who has a pass, which counts as before; the house is told why.

    Raises VISITOR_PASS_NOT_FOUND, DOOR_NOT_FOUND, or a TEXT_ code.
    """
    said = text.clean(reason, max_length=200, field="reason")
    case = await shown(actor, pass_id, door_id)
    concerns("VisitorPass", pass_id, case.compound_id, door=door_id)
    record_id = await _record(actor, case, "in", reason=SENT_AWAY, note=said)
    await outbox.record(VisitorRefused(pass_id, case.compound_id, case.visit.house_id, record_id))
    return Admission(pass_id, record_id, SENT_AWAY)


@command("visitor.leave", caller="staff", permission=permissions.VISITORS_ADMIT)
async def leave_visitor(actor: Actor, *, pass_id: UUID, door_id: UUID) -> Admission:
    """Write down that a visitor went out. Raises VISITOR_PASS_NOT_FOUND, DOOR_NOT_FOUND, Conflict VISITOR_NOT_INSIDE."""
    case = await shown(actor, pass_id, door_id)
    concerns("VisitorPass", pass_id, case.compound_id, door=door_id)
    if not await uses.leave(pass_id):
        raise Conflict("VISITOR_NOT_INSIDE", "这位访客没有在内的记录,或已经离开")
    record_id = await _record(actor, case, "out")
    await live.wake([issuing.pass_channel(pass_id)])
    return Admission(pass_id, record_id)


@command("visitor.walk_in", caller="staff", permission=permissions.VISITORS_ADMIT)
async def register_walk_in(
    actor: Actor,
    *,
    compound_id: UUID,
    door_id: UUID,
    guest: Guest,
    idempotency_key: UUID,
    house_id: UUID | None = None,
    place: str = "",
    document_kind: Kind | None = None,
) -> Admission:
    """Admit somebody who has no pass: one is made and used in one go, and the house is told.

    The house is given by id, or by `place` as people say it (3-1-101). `document_kind` is what the guard has seen.
    Raises HOUSE_NOT_FOUND, UNIT_REQUIRED, DOOR_NOT_FOUND, VISITOR_OTHER_GATE, VISITOR_CAR_REFUSED, or the codes of the
    guest's fields; nothing is left behind then, for the guard has the guest before him and corrects it.
    """
    actor.require(permissions.VISITORS_ADMIT, compound_id)
    house_id, building_id = await _house(compound_id, house_id, place)
    actor.require(permissions.VISITORS_ADMIT, compound_id, building_id)
    is_inner = await _is_inner(compound_id, door_id)
    pass_id = await _walk_in_pass(actor, compound_id, house_id, guest)
    concerns("VisitorPass", pass_id, compound_id, door=door_id, house=house_id)
    case = Case(await _visit(pass_id, door_id), compound_id, building_id, door_id, is_inner)
    arrival = Arrival(
        document_checked=document_kind is not None, document_kind=document_kind, plate=case.visit.plate,
        companions=guest.companions,
    )  # fmt: skip
    admission = await _let_in(actor, case, arrival)
    if admission.refused:
        raise refusal(admission.refused)
    return admission


async def _walk_in_pass(actor: Actor, compound_id: UUID, house_id: UUID, guest: Guest) -> UUID:
    now = clock.now()
    columns = issuing.guest_columns(guest) | issuing.link_columns()
    columns |= {"origin": "guard", "uses_allowed": 1, "decided_by": actor.id}
    return await issuing.issue(await rules_of(compound_id), house_id, Window(now, now + WALK_IN), columns)


async def _house(compound_id: UUID, house_id: UUID | None, place: str) -> tuple[UUID, UUID]:
    if house_id is None:
        written = text.clean(place, max_length=30, field="place")
        _, house_id = await typed_house(await database.fetchval(CODE, compound_id), "", "", written)
    row = await database.fetchrow(HOUSE, house_id, compound_id)
    if row is None:
        raise NotFound("HOUSE_NOT_FOUND", "没有找到这套房屋,请核对楼栋、单元和房号", "house")
    return row["id"], row["building_id"]


async def _is_inner(compound_id: UUID, door_id: UUID) -> bool:
    found: bool | None = await database.fetchval(DOOR, door_id, compound_id)
    if found is None:
        raise NotFound("DOOR_NOT_FOUND", "没有找到这个门,请重新选择您所在的门", "door")
    return found


async def shown(actor: Actor, pass_id: UUID, door_id: UUID) -> Case:
    """The pass that this guard is shown, held until the transaction ends; of passes elsewhere a guard knows nothing."""
    place = await database.fetchrow(PLACE, pass_id)
    if place is None or not actor.may(permissions.VISITORS_ADMIT, place["compound_id"]):
        raise NotFound("VISITOR_PASS_NOT_FOUND", "没有找到这张访客通行证,请刷新后重试", "visitor_pass")
    compound_id, building_id = place["compound_id"], place["building_id"]
    actor.require(permissions.VISITORS_ADMIT, compound_id, building_id)
    is_inner = await _is_inner(compound_id, door_id)
    await database.execute(HOLD, pass_id, compound_id)
    return Case(await _visit(pass_id, door_id), compound_id, building_id, door_id, is_inner)


async def _visit(pass_id: UUID, door_id: UUID) -> Visit:
    row = await database.fetchrow(VISIT, pass_id, door_id)
    assert row is not None, "the pass and the door are of one compound"
    return Visit(**row)


async def _let_in(actor: Actor, case: Case, arrival: Arrival) -> Admission:
    now, visit = clock.now(), case.visit
    reason = case.standing(now)
    if not reason and await _has_no_room(case, arrival.plate):
        reason = "CAR_REFUSED"
    if not reason and not case.is_on_its_way and await uses.use(visit.id, now) is None:
        reason = Reason.USED_UP.value
    record_id = await _record(actor, case, "in", reason=reason, note=arrival.note, plate=arrival.plate)
    if not reason:
        await _note_arrival(actor, visit, arrival, now)
        await live.wake([issuing.pass_channel(visit.id)])
        if not case.is_on_its_way:
            await outbox.record(VisitorAdmitted(visit.id, case.compound_id, visit.house_id, record_id))
    return Admission(visit.id, record_id, reason)


async def _has_no_room(case: Case, plate: str) -> bool:
    """Whether the car has to stay outside; the one that the pass was made for has its place already."""
    if not plate or (plate == case.visit.plate and not case.visit.is_car_refused):
        return False
    window = Window(case.visit.starts_at, case.visit.ends_at)
    return await issuing.is_car_refused(await rules_of(case.compound_id), plate, window)


async def _record(
    actor: Actor, case: Case, direction: Direction, *, reason: str = "", note: str = "", plate: str = ""
) -> UUID:
    visit = case.visit
    record_id = await recording.record(Attempt(
        door_id=case.door_id, method="guard", result="refused" if reason else "opened", direction=direction,
        reason=reason, house_id=visit.house_id, pass_id=visit.id, who=visit.guest_name, plate=plate,
        is_vehicle=bool(plate), guard_id=actor.id, note=note,
    ))  # fmt: skip
    assert record_id is not None, "only what a device or a command numbers is there already"
    return record_id


async def _note_arrival(actor: Actor, visit: Visit, arrival: Arrival, now: datetime) -> None:
    if arrival.document_checked:
        await database.execute(CHECKED, visit.id, now, actor.id)
    if arrival.plate:
        await database.execute(CAME_BY_CAR, visit.id, arrival.plate)


def _plate(written: str) -> str:
    return plates.read("car", written).number if written.strip() else ""
