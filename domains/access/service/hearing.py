"""What doors' controllers say (门禁上行消息): answers to orders, what happened at the door, how it stands.

A controller is believed about its own door and no other; what it says of the time is kept beside ours. What
cannot be read is refused, counted, and holds up nothing. Hearing the same again changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from domains.access.rules import Method
from domains.access.service import statements
from domains.access.service.recording import is_kept
from domains.access.service.settling import Said, settle
from domains.access.service.waiting import outcomes
from domains.devices.link import Handler, Message
from domains.devices.rules import is_believable
from domains.devices.service import alarm_reports
from domains.devices.service.refusals import refuse
from domains.kernel import database
from domains.kernel.ids import uuid7

Json = Mapping[str, Any]  # Any: a device's JSON, checked field by field

_RESULTS = frozenset({"opened", "refused", "expired"})
_POSITIONS = frozenset({"open", "closed", "unknown"})
_PASSAGES: Mapping[str, Method] = {
    "card": "card", "face": "face", "call": "call", "plate": "plate", "opened_by_button": "button",
}  # fmt: skip
_ALARMS = frozenset({"door_forced", "door_held", "tamper", "fault"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MS = 4_102_444_800_000
"""The year 2100."""
_LONGEST_REASON, _LONGEST_ID, _LONGEST_PLATE = 40, 60, 16
MOVES_WITHIN = timedelta(seconds=15)
"""A door that moves so soon after an order was carried out moves because of it."""


async def hear_acks(messages: list[Message]) -> None:
    """`{"id", "result": opened | refused | expired, "reason", "at"}`."""
    await _settle(messages, awaits_disk=True)


async def hear_awaited_acks(messages: list[Message]) -> None:
    """Only what somebody in this process waits for: all answers are heard by the one who hears devices, later
    than a commit needs to reach the disk by itself, and by whom the broker keeps them until then."""
    await _settle([each for each in messages if _is_awaited(each)], awaits_disk=False)


async def _settle(messages: list[Message], *, awaits_disk: bool) -> None:
    said = [found for each in messages if (found := _ack(each)) is not None]
    if said:
        await settle(said, awaits_disk=awaits_disk)


async def hear_events(messages: list[Message]) -> None:
    """`{"id", "kind", "at", …}`: somebody went through by other means, or something is wrong with the door."""
    passages, alarms = [], []
    for message in messages:
        found = _event(message)
        if isinstance(found, alarm_reports.Said):
            alarms.append(found)
        elif found is not None:
            passages.append(found)
    if passages:
        await _record([each for each in passages if each.result == "opened"])
        # Only now: while the database is away the same messages come again and again, and are counted once.
        await _record(await _kept([each for each in passages if each.result == "refused"]))
    if alarms:
        await alarm_reports.take(alarms)


async def hear_positions(messages: list[Message]) -> None:
    """`{"online", "position", "mode"}`: of each door the last. Of one that is not heard nothing is known."""
    last = {found.device_id: found for each in messages if (found := _position(each)) is not None}
    if not last:
        return
    columns = [list(column) for column in zip(*map(astuple, last.values()), strict=True)]
    async with database.transaction():
        await database.execute(statements.POSITIONS, *columns)
        await database.execute(statements.MOVED, columns[0], columns[1], columns[2], MOVES_WITHIN)


ROUTES: Mapping[str, Handler] = {"ack": hear_acks, "evt": hear_events, "state": hear_positions}


@dataclass(frozen=True, slots=True)
class _Position:
    device_id: UUID
    position: str
    at: datetime


@dataclass(frozen=True, slots=True)
class _Passage:
    id: UUID
    device_id: UUID
    method: str
    result: str
    direction: str | None
    plate: str
    at: datetime
    device_at: datetime | None
    received_at: datetime
    event_key: str


async def _kept(refused: Sequence[_Passage]) -> list[_Passage]:
    """Those of devices that do not flood."""
    said = Counter(each.device_id for each in refused)
    kept = {device_id for device_id, count in said.items() if await is_kept(device_id, "mqtt", count)}
    return [each for each in refused if each.device_id in kept]


async def _record(passages: Sequence[_Passage]) -> None:
    columns = [[getattr(each, field.name) for each in passages] for field in fields(_Passage)]
    await database.execute(statements.ADD_PASSAGES, *columns)


def _ack(message: Message) -> Said | None:
    said = _object(message)
    command_id, result, at = _uuid(said.get("id")), str(said.get("result")), _instant(said.get("at"))
    if command_id is None or result not in _RESULTS:
        refuse(message.device_id, "mqtt", "PAYLOAD_INVALID")
        return None
    reason = said.get("reason")
    code = reason if isinstance(reason, str) and reason.isascii() and reason.isprintable() else ""
    return Said(command_id, message.device_id, result, code[:_LONGEST_REASON], at)


def _is_awaited(message: Message) -> bool:
    id = _uuid(_object(message).get("id"))
    return id is not None and bool(outcomes().waited_for([id]))


def _event(message: Message) -> _Passage | alarm_reports.Said | None:
    said = _object(message)
    kind, at = str(said.get("kind")), _instant(said.get("at"))
    if kind in _ALARMS:
        # What the broker kept from earlier is how it was, and no news.
        if message.retained:
            return None
        item = {**said, "active": said.get("active") is not False}
        return alarm_reports.Said(message.device_id, item, message.received_at, "mqtt")
    key, method = _number(said.get("id")), _PASSAGES.get(kind)
    if method is None or not key:
        refuse(message.device_id, "mqtt", "PAYLOAD_INVALID")
        return None
    believed = at if at is not None and is_believable(at, message.received_at) else message.received_at
    return _Passage(
        uuid7(), message.device_id, method, "refused" if said.get("result") == "refused" else "opened",
        direction if (direction := said.get("direction")) in ("in", "out") else None,
        _plate(said.get("plate")), believed, at, message.received_at, f"evt:{key}",
    )  # fmt: skip


def _position(message: Message) -> _Position | None:
    said = _object(message)
    position = str(said.get("position", "unknown"))
    if not isinstance(said.get("online"), bool):
        return None  # on record already, see devices
    known = position if said["online"] and position in _POSITIONS else "unknown"
    at = _instant(said.get("at"))
    believed = at is not None and is_believable(at, message.received_at)
    return _Position(message.device_id, known, at if at is not None and believed else message.received_at)


def _object(message: Message) -> Json:
    try:
        said = orjson.loads(message.payload)
    except orjson.JSONDecodeError:
        return {}
    return said if isinstance(said, dict) else {}


def _number(value: object) -> str:
    text = str(value) if type(value) in (int, str) else ""
    return text if len(text) <= _LONGEST_ID and text.isprintable() else ""


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _instant(value: object) -> datetime | None:
    if type(value) is not int or not 0 <= value < _LAST_MS:
        return None
    return _EPOCH + timedelta(milliseconds=value)


def _plate(value: object) -> str:
    return value if isinstance(value, str) and len(value) <= _LONGEST_PLATE and value.isprintable() else ""
