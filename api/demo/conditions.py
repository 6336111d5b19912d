"""What the demo's devices measure and report (示范遥测与告警): readings of a day, and alarms of a week.

None of the alarms is one of life and death: a demonstration that starts must not call anybody.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from uuid import UUID

from api.demo.equipment import SEED
from api.demo.telling import settled
from domains.devices.readings import Value
from domains.devices.rules import Report
from domains.devices.service.alarm_ending import clear_calm
from domains.devices.service.alarm_handling import acknowledge_alarm, clear_alarm
from domains.devices.service.alarms import report
from domains.devices.service.presence import Sighting, seen
from domains.devices.service.telemetry import Measured, take
from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.clock import FixedClock

METRICS: dict[str, tuple[tuple[str, float, float], ...]] = {
    "water_tank": (("level_m", 2.4, 0.2), ("turbidity_ntu", 0.32, 0.05), ("chlorine_mg_l", 0.21, 0.02)),
    "environment": (("temperature_c", 14.0, 3.0), ("humidity_pct", 62.0, 6.0), ("pm25_ug_m3", 31.0, 8.0)),
    "hydrant": (("pressure_mpa", 0.42, 0.02),), "manhole": (("tilt_deg", 1.2, 0.4),),
    "gas_detector": (("methane_lel_pct", 0.4, 0.2),), "street_light": (("power_w", 58.0, 2.0),),
    "lift": (("trips_per_h", 22.0, 9.0),),
}  # fmt: skip
"""Per kind its metrics, each with mean and spread."""
LOST, LOST_FOR = "LD-007", timedelta(hours=3)
"""A lamp that is not heard any more."""

DEVICES = "SELECT id, kind, code FROM device WHERE compound_id = $1 ORDER BY code"
LAST_ALARM = "SELECT id FROM alarm WHERE device_id = $1 ORDER BY id DESC LIMIT 1"


class Week:
    """The last week of a compound's devices, as the manager lived through it."""

    def __init__(self, manager: Actor, devices: dict[str, UUID]) -> None:
        self._manager, self._devices = manager, devices

    async def live(self) -> None:
        """Every state an alarm can be in."""
        await self._seen_to_be_nothing("PW-001", "falling_object", timedelta(days=5), "是飞鸟掠过镜头")
        await self._passing("JG-002", "manhole", timedelta(days=3), "倾斜 21°")
        await self._passing("DC-003", "ebike_in_lift", timedelta(hours=20), "轿厢内检测到电动车")
        await self._taken_on("DT-004", "lift", timedelta(hours=2), "门机故障代码 E23")
        await self._report("XH-002", "hydrant", timedelta(minutes=40), "水压 0.11 MPa")
        await seen([Sighting(self._devices[LOST], clock.now() - LOST_FOR, is_online=False)])
        await self._report(LOST, "offline", LOST_FOR, "")

    async def _report(self, code: str, kind: str, ago: timedelta, detail: str) -> UUID:
        with clock.use(FixedClock(clock.now() - ago)):
            await report([Report(self._devices[code], kind, True, clock.now(), detail)])
            await settled()
        id: UUID = await database.fetchval(LAST_ALARM, self._devices[code])
        return id

    async def _passing(self, code: str, kind: str, ago: timedelta, detail: str) -> None:
        await self._report(code, kind, ago, detail)
        with clock.use(FixedClock(clock.now() - ago + timedelta(minutes=9))) as then:
            await report([Report(self._devices[code], kind, False, clock.now())])
            then.advance(timedelta(minutes=5))
            await clear_calm()

    async def _taken_on(self, code: str, kind: str, ago: timedelta, detail: str) -> None:
        id = await self._report(code, kind, ago, detail)
        with clock.use(FixedClock(clock.now() - ago + timedelta(minutes=6))):
            await acknowledge_alarm(self._manager, alarm_id=id)

    async def _seen_to_be_nothing(self, code: str, kind: str, ago: timedelta, note: str) -> None:
        id = await self._report(code, kind, ago, "10幢东侧 14层")
        with clock.use(FixedClock(clock.now() - ago + timedelta(minutes=12))):
            await clear_alarm(self._manager, alarm_id=id, note=note, is_false=True)


async def measure(compound_id: UUID) -> dict[str, UUID]:
    """A day of readings, and that every device was heard; the devices by code."""
    rng, now = Random(SEED), clock.now()  # noqa: S311  # nothing is kept secret by it
    rows = await database.fetch(DEVICES, compound_id)
    heard = {row["id"]: now - LOST_FOR if row["code"] == LOST else now for row in rows}
    await take([
        Measured(row["id"], _day(rng, row["kind"], heard[row["id"]]), heard[row["id"]], "mqtt")
        for row in rows if row["kind"] in METRICS
    ])  # fmt: skip
    await seen(Sighting(id, at) for id, at in heard.items())
    return {row["code"]: row["id"] for row in rows}


def _day(rng: Random, kind: str, until: datetime) -> list[Value]:
    return [
        Value(metric, Decimal(f"{abs(rng.gauss(mean, spread)):.3f}"), until - timedelta(hours=hours))
        for metric, mean, spread in METRICS[kind]
        for hours in range(24)
    ]
