"""What devices report of conditions becomes alarms (告警上报): one open row per device and kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple
from datetime import datetime
from uuid import UUID

import asyncpg

from domains.devices import alarm_sql as sql
from domains.devices import rules
from domains.devices.events import AlarmCleared, AlarmOpened
from domains.devices.kinds import ALARM_KINDS, may_raise
from domains.devices.rules import Change, Condition, OnRecord, Opening, Report
from domains.kernel import clock, database, outbox
from domains.kernel.ids import uuid7

Key = tuple[UUID, str]
Refusal = str
"""A code: DEVICE_UNKNOWN, DEVICE_RETIRED, DEVICE_NOT_IN_SERVICE, ALARM_KIND_UNKNOWN or ALARM_NOT_OF_DEVICE."""
MOST = 500


async def report(reports: Sequence[Report]) -> list[Refusal | None]:
    """Take a batch of up to 500 reports of any devices, all of it or nothing; for each report None, or why it
    counts for nothing.

    A condition that is there opens an alarm or is counted on the one there is; one that is over is cleared
    once it has been over for the off-delay of its kind, here or by the job. Batches of several processes
    take turns device by device, in one order.
    """
    now = clock.now()
    async with database.transaction():
        devices = {
            row["id"]: row for row in await database.fetch(sql.DEVICES, list({r.device_id for r in reports}))
        }
        refusals = [_refusal(each, devices) for each in reports]
        found = rules.conditions([each for each, code in zip(reports, refusals, strict=True) if code is None])
        await _take(found, devices, now)
    return refusals


def _refusal(report: Report, devices: Mapping[UUID, asyncpg.Record]) -> Refusal | None:
    device = devices.get(report.device_id)
    if device is None:
        return "DEVICE_UNKNOWN"
    if device["state"] == "retired":
        return "DEVICE_RETIRED"
    if report.kind not in ALARM_KINDS:
        return "ALARM_KIND_UNKNOWN"
    # What is over may have begun before the register was put right.
    if not report.is_active:
        return None
    if not may_raise(device["kind"], report.kind):
        return "ALARM_NOT_OF_DEVICE"
    return None if rules.is_heeded(device["state"], report.kind) else "DEVICE_NOT_IN_SERVICE"


async def _take(found: Sequence[Condition], devices: Mapping[UUID, asyncpg.Record], now: datetime) -> None:
    rows = {
        (row["device_id"], row["kind"]): row
        for row in await database.fetch(sql.ON_RECORD, *_keys(found), now)
    }
    changes: list[Change] = []
    openings: list[Opening] = []
    for condition in found:
        row = rows.get((condition.device_id, condition.kind))
        on_record = None if row is None else OnRecord(row["id"], row["calm_since"], row["is_shelved"])
        change, opening = rules.judged(condition, on_record, now)
        changes += [change] if change else []
        openings += [opening] if opening else []
    await _change(changes, rows.values(), now)
    await _open(openings, devices, now)


def _keys(found: Sequence[Condition]) -> tuple[list[UUID], list[str]]:
    return [each.device_id for each in found], [each.kind for each in found]


async def _change(changes: Sequence[Change], rows: Iterable[asyncpg.Record], now: datetime) -> None:
    if changes:
        await database.execute(sql.CHANGE, *_columns(map(astuple, changes)), now)
    over = {each.alarm_id for each in changes if each.cleared_at}
    await record_cleared([row for row in rows if row["id"] in over])


async def _open(openings: Sequence[Opening], devices: Mapping[UUID, asyncpg.Record], now: datetime) -> None:
    made = [(uuid7(), each, devices[each.condition.device_id]) for each in openings]
    if made:
        *columns, calm_since = _columns(_row(*each) for each in made)
        await database.execute(sql.OPEN, *columns, now, calm_since)
    for alarm_id, opening, device in made:
        kind = opening.condition.kind
        opened = AlarmOpened(alarm_id, device["compound_id"], device["building_id"], device["id"], kind)
        await outbox.record(opened, urgent=ALARM_KINDS[kind].level == "critical")


def _row(alarm_id: UUID, opening: Opening, device: asyncpg.Record) -> tuple[object, ...]:
    said = opening.condition
    return (
        alarm_id, device["compound_id"], device["building_id"], device["id"], said.kind, ALARM_KINDS[said.kind].level,
        said.detail, said.at, said.reports, opening.flaps, opening.calm_since,
    )  # fmt: skip


def _columns(rows: Iterable[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]


async def record_cleared(rows: Iterable[asyncpg.Record]) -> None:
    """Record that these alarms are over, in the open transaction."""
    for row in rows:
        await outbox.record(AlarmCleared(row["id"], row["compound_id"], row["building_id"], row["kind"]))
