"""The register of meters, by staff (仪表台账): in, changed, replaced and out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NoReturn, TypedDict
from uuid import UUID

from tortoise.exceptions import IntegrityError

from domains.billing import meter_sql as sql
from domains.billing import metering, permissions, rules
from domains.billing.models import Meter as MeterRow
from domains.billing.service import reading_intake as intake
from domains.billing.service.reading_intake import Meter, Reading
from domains.kernel import clock, database, text
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, Invalid, NotFound
from domains.kernel.ids import uuid7

FIRST_DAY = date(1980, 1, 1)
MOST_MULTIPLIER, MOST_A_DAY = Decimal(99_999), Decimal(10**9)


class MeterFacts(TypedDict, total=False):
    """What is known of a meter beside its place; what is absent stays."""

    number: str
    digits: int
    daily_most: Decimal | None
    device_id: UUID | None


@dataclass(frozen=True, slots=True)
class NewMeter:
    """A meter as it goes into a place, with the first reading of its register."""

    kind: str
    number: str
    digits: int
    installed_on: date
    first_value: Decimal = Decimal(0)
    multiplier: Decimal = Decimal(1)
    daily_most: Decimal | None = None
    device_id: UUID | None = None
    house_id: UUID | None = None
    building_id: UUID | None = None

    def checked(self) -> NewMeter:
        """As it is kept. Raises METER_KIND_UNKNOWN, METER_DIGITS, METER_MULTIPLIER, METER_DAILY_MOST,
        METER_DAY_OUT_OF_RANGE, READING_OUT_OF_RANGE or a TEXT_ code."""
        if self.kind not in rules.METER_KINDS:
            raise Invalid("METER_KIND_UNKNOWN", "没有这种仪表,请从列表中选择", "kind")
        multiplier = _plain(self.multiplier)
        if not 0 < multiplier <= MOST_MULTIPLIER:
            raise Invalid("METER_MULTIPLIER", "倍率应大于 0 且不超过 99999,请检查", "multiplier")
        check_day(self.installed_on, "installed_on")
        digits = checked_digits(self.digits)
        return NewMeter(
            self.kind, checked_number(self.number), digits, self.installed_on,
            metering.checked_value(self.first_value, digits, "first_value"), multiplier,
            checked_daily_most(self.daily_most), self.device_id, self.house_id, self.building_id,
        )  # fmt: skip


def checked_number(number: str) -> str:
    """The number on a plate. Raises a TEXT_ code."""
    return text.clean(number, max_length=40, fold=True, field="number")


def checked_digits(digits: int) -> int:
    """Whole digits of a register. Invalid METER_DIGITS."""
    if not 3 <= digits <= 9:
        raise Invalid("METER_DIGITS", "表盘整数位数应为 3 到 9 位,请看清表盘", "digits")
    return digits


def checked_daily_most(daily_most: Decimal | None) -> Decimal | None:
    """Units a day beyond which a reading waits. Invalid METER_DAILY_MOST."""
    if daily_most is not None and not 0 < _plain(daily_most) <= MOST_A_DAY:
        raise Invalid("METER_DAILY_MOST", "日用量上限应大于 0,不设上限请留空", "daily_most")
    return None if daily_most is None else _plain(daily_most)


def check_day(day: date, field: str) -> None:
    """Invalid METER_DAY_OUT_OF_RANGE for a day before 1980 or after today."""
    if not FIRST_DAY <= day <= clock.today():
        raise Invalid("METER_DAY_OUT_OF_RANGE", "日期应在 1980 年到今天之间,请检查", field)


@command("meter.register", caller="staff", permission=permissions.METERS_WRITE)
async def register_meter(actor: Actor, *, compound_id: UUID, meter: NewMeter) -> UUID:
    """Enter a meter of a house, of a building, or of the compound, with its first reading (装表).

    Raises HOUSE_NOT_FOUND, BUILDING_NOT_FOUND, DEVICE_NOT_FOUND, METER_NUMBER_TAKEN and what `NewMeter.checked` raises.
    """
    concerns("Meter", None, compound_id, kind=meter.kind)
    building_id = meter.building_id
    if meter.house_id is not None:
        building_id = await _building_of(meter.house_id, compound_id)
    elif building_id and not await database.fetchval(sql.BUILDING_EXISTS, building_id, compound_id):
        raise NotFound("BUILDING_NOT_FOUND", "没有找到这栋楼,请刷新后重试", "building")
    _require(actor, compound_id, building_id)
    id = await _install(actor, compound_id, replace(meter.checked(), building_id=building_id))
    concerns("Meter", id, compound_id, house=meter.house_id)
    return id


@command("meter.update", caller="staff", permission=permissions.METERS_WRITE)
async def update_meter(actor: Actor, *, meter_id: UUID, facts: MeterFacts) -> UUID:
    """Correct a meter in use. Its multiplier stays: another one is another meter, see `replace_meter`.

    Raises METER_NOT_FOUND, METER_REMOVED, DEVICE_NOT_FOUND, METER_NUMBER_TAKEN, METER_DIGITS_TOO_FEW,
    METER_DIGITS, METER_DAILY_MOST or a TEXT_ code.
    """
    meter, columns = await _open(actor, meter_id), _columns(facts)
    concerns("Meter", meter_id, meter.compound_id, changed=sorted(columns))
    await _check_device(columns.get("device_id"), meter.compound_id)
    if "digits" in columns:
        await _check_digits(meter_id, checked_digits(facts["digits"]))
    try:
        if columns:
            await MeterRow.filter(pk=meter_id).update(**columns)
    except IntegrityError:
        _refuse_number()
    return meter_id


@command("meter.replace", caller="staff", permission=permissions.METERS_WRITE)
async def replace_meter(actor: Actor, *, meter_id: UUID, final_value: Decimal, successor: NewMeter) -> UUID:
    """Another meter in the same place from the day of its installation (换表): the last reading of the old, the first
    of the new; the new one's id. Place and kind are the old one's; so is its device, unless the successor names one.

    Raises METER_NOT_FOUND, METER_REMOVED, METER_READ_LATER, DEVICE_NOT_FOUND, METER_NUMBER_TAKEN,
    and what `NewMeter.checked` raises.
    """
    old = await _remove(actor, meter_id, successor.installed_on, final_value)
    successor = replace(
        successor, kind=old.kind, house_id=old.house_id, building_id=old.building_id,
        device_id=successor.device_id or old.device_id,
    )  # fmt: skip
    id = await _install(actor, old.compound_id, successor.checked(), meter_id)
    concerns("Meter", id, old.compound_id, replaces=meter_id, house=old.house_id)
    return id


@command("meter.remove", caller="staff", permission=permissions.METERS_WRITE)
async def remove_meter(actor: Actor, *, meter_id: UUID, on_day: date, final_value: Decimal) -> UUID:
    """Take a meter out, with its last reading (拆表); that one waits for review like any other if it has to.

    Raises METER_NOT_FOUND, METER_REMOVED, METER_READ_LATER, METER_DAY_OUT_OF_RANGE, READING_OUT_OF_RANGE.
    """
    await _remove(actor, meter_id, on_day, final_value)
    return meter_id


async def _open(actor: Actor, meter_id: UUID) -> Meter:
    meter = (await intake.locked([meter_id])).get(meter_id)
    if meter is None:
        raise NotFound("METER_NOT_FOUND", "没有找到这块表,请刷新后重试", "meter")
    concerns("Meter", meter_id, meter.compound_id)
    _require(actor, meter.compound_id, meter.building_id)
    if meter.removed_on is not None:
        raise Conflict("METER_REMOVED", "这块表已经拆除,请抄新表", "meter")
    return meter


def _require(actor: Actor, compound_id: UUID, building_id: UUID | None) -> None:
    """A meter of no building is in nobody's share of the compound: an id that no building has stands for it."""
    actor.require(permissions.METERS_WRITE, compound_id, building_id or compound_id)


async def _remove(actor: Actor, meter_id: UUID, on_day: date, final_value: Decimal) -> Meter:
    meter = await _open(actor, meter_id)
    check_day(on_day, "on_day")
    at = _end_of(on_day)
    if on_day < meter.installed_on or await database.fetchval(sql.READ_LATER, meter_id, at):
        raise Conflict("METER_READ_LATER", "这块表在这一天之后还有读数,请核对拆表日期", "on_day")
    value = metering.checked_value(final_value, meter.digits, "final_value")
    await intake.take([Reading(meter, value, at, "removal", actor.account_id)])
    await MeterRow.filter(pk=meter_id).update(removed_on=on_day)
    return meter


def _end_of(day: date) -> datetime:
    """The last instant of a day that is over; of today, now."""
    _, end = clock.business_day_bounds(day)
    return min(end - timedelta(microseconds=1), clock.now())


async def _install(actor: Actor, compound_id: UUID, meter: NewMeter, replaces_id: UUID | None = None) -> UUID:
    await _check_device(meter.device_id, compound_id)
    id = uuid7()
    try:
        await MeterRow.create(
            id=id, compound_id=compound_id, house_id=meter.house_id, building_id=meter.building_id,
            device_id=meter.device_id,
            kind=meter.kind, number=meter.number, multiplier=meter.multiplier, digits=meter.digits,
            daily_most=meter.daily_most, installed_on=meter.installed_on, replaces_id=replaces_id,
            recorded_at=clock.now(),
        )  # fmt: skip
    except IntegrityError:
        _refuse_number()
    await write_first(compound_id, [(id, meter)], actor)
    return id


async def write_first(compound_id: UUID, installed: Sequence[tuple[UUID, NewMeter]], actor: Actor) -> None:
    """The readings from which totals count: they stand at the beginning of the day of installation."""
    rows = [
        (uuid7(), compound_id, id, clock.business_day_bounds(meter.installed_on)[0], meter.installed_on,
         meter.first_value, Decimal(0), "install", actor.account_id, "accepted", "", "")
        for id, meter in installed
    ]  # fmt: skip
    await database.execute(sql.WRITE, *map(list, zip(*rows, strict=True)), clock.now())


async def _building_of(house_id: UUID, compound_id: UUID) -> UUID:
    row = await database.fetchrow(sql.HOUSE_PLACE, house_id, compound_id)
    if row is None:
        raise NotFound("HOUSE_NOT_FOUND", "没有找到这套房屋,请刷新后重试", "house")
    found: UUID = row["building_id"]
    return found


async def _check_device(device_id: object, compound_id: UUID) -> None:
    if device_id is not None and not await database.fetchval(sql.DEVICE_EXISTS, device_id, compound_id):
        raise NotFound("DEVICE_NOT_FOUND", "没有找到这台设备,请刷新后重试", "device")


async def _check_digits(meter_id: UUID, digits: int) -> None:
    largest = await database.fetchval(sql.LARGEST_VALUE, meter_id)
    if largest is not None and largest >= Decimal(10) ** digits:
        raise Conflict("METER_DIGITS_TOO_FEW", "已有读数超过这个位数,请核对表盘位数", "digits")


def _columns(facts: MeterFacts) -> dict[str, object]:
    columns: dict[str, object] = dict(facts)
    if "number" in facts:
        columns["number"] = checked_number(facts["number"])
    if "daily_most" in facts:
        columns["daily_most"] = checked_daily_most(facts["daily_most"])
    return columns


def _plain(number: Decimal) -> Decimal:
    return number.quantize(Decimal("0.0001"))


def _refuse_number() -> NoReturn:
    raise Conflict("METER_NUMBER_TAKEN", "本小区已有同类型、同表号的在用仪表,请核对表号", "number") from None
