"""The demo compound's devices with their asset ledger, and the doors on them (示范设备与门禁点位)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from uuid import UUID

import asyncpg

from api.demo.places import MAIN_GATE
from domains.access.service.doors import register_door
from domains.devices.facts import DeviceFacts
from domains.devices.service import ledger
from domains.devices.service.ledger import Line
from domains.devices.service.registry import register_device
from domains.kernel import clock, database
from domains.kernel.actor import SYSTEM
from domains.kernel.clock import SHANGHAI, FixedClock

SEED = 20261101
OWNER, MAINTAINER, MAINTAINER_PHONE = "桂语里业主大会", "杭州安枢机电维保有限公司", "0571-87006655"
METHODS = {
    "gate": ("qr", "code", "card", "face", "app", "guard"), "vehicle_gate": ("plate", "qr", "guard", "app"),
    "unit_door": ("app", "qr", "code", "card", "face", "call", "button"), "facility": ("app", "card"),
}  # fmt: skip

UNITS = """
SELECT u.id AS unit_id, u.name AS unit, b.id AS building_id, b.name AS building, b.built_year
FROM unit u JOIN building b ON b.id = u.building_id WHERE u.compound_id = $1 ORDER BY b.sort, u.sort
"""


@dataclass(frozen=True, slots=True)
class Make:
    """What a kind of device is bought as: maker, model and price, in yuan."""

    prefix: str
    maker: str
    model: str
    yuan: int


MAKES = {
    "gate": Make("ZJ", "海山智能", "HS-SW200", 18_600), "vehicle_gate": Make("DZ", "海山智能", "HS-DZ300", 9_800),
    "door": Make("MJ", "海山智能", "HS-AC40", 2_380), "fire_panel": Make("XF", "青屿消防", "QY-JB5100", 26_800),
    "smoke_detector": Make("YG", "青屿消防", "QY-GD20", 168), "gas_detector": Make("RQ", "青屿消防", "QY-GT10", 420),
    "fire_door": Make("FM", "青屿消防", "QY-FM8", 680), "hydrant": Make("XH", "青屿消防", "QY-PS2", 760),
    "fire_lane": Make("TD", "明瞳科技", "MT-IPC6", 2_150), "manhole": Make("JG", "深泽物联", "SZ-MH1", 540),
    "lift": Make("DT", "安枢机电", "AS-LM7", 3_200), "water_tank": Make("SX", "深泽物联", "SZ-WT3", 2_600),
    "street_light": Make("LD", "晓光照明", "XG-L60", 890), "perimeter": Make("ZB", "明瞳科技", "MT-PIR4", 1_450),
    "falling_object": Make("PW", "明瞳科技", "MT-UP8", 4_300), "ebike_detector": Make("DC", "明瞳科技", "MT-EB2", 1_280),
    "environment": Make("HJ", "深泽物联", "SZ-AQ5", 5_600), "other": Make("QT", "晓光照明", "XG-LED9", 12_400),
}  # fmt: skip

PLACED: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("smoke_detector", "烟感", ("物业服务中心", "地下车库 A 区", "地下车库 B 区")),
    ("gas_detector", "燃气探测器", ("1幢底商 102",)),
    ("fire_door", "防火门监测", ("地下车库 A 区", "地下车库 B 区")),
    ("hydrant", "消火栓", ("南门东侧", "中心花园", "北门西侧")),
    ("fire_lane", "消防通道监测", ("3幢南侧", "10幢北侧")),
    ("manhole", "井盖", ("南门外草坪", "2幢西侧", "5幢北侧", "中心花园", "北门内侧")),
    ("water_tank", "生活水箱", ("10幢屋顶", "11幢屋顶", "地下泵房")),
    ("street_light", "路灯", tuple(f"中心路 {number} 号杆" for number in range(1, 11))),
    ("perimeter", "周界探测", ("东围墙", "南围墙", "西围墙", "北围墙")),
    ("falling_object", "高空抛物监测", ("10幢东侧", "11幢西侧", "5幢南侧")),
    ("environment", "环境监测站", ("中心花园", "南门广场")),
    ("other", "信息发布屏", ("南门广场",)),
)
"""Kind, name and where each stands, of those that belong to no building."""


@dataclass(frozen=True, slots=True)
class Gate:
    """A door of the whole compound."""

    name: str
    kind: str
    device: str
    place: str
    direction: str = "both"
    is_for_visitors: bool = True
    needs_screen: bool = False


GATES = (
    Gate(MAIN_GATE, "gate", "gate", "南门岗亭"),
    Gate("北门", "gate", "gate", "北门岗亭", needs_screen=True),
    Gate("东门车行入口", "vehicle_gate", "vehicle_gate", "东门", "in"),
    Gate("东门车行出口", "vehicle_gate", "vehicle_gate", "东门", "out"),
    Gate("健身房", "facility", "door", "会所一层", is_for_visitors=False),
)


class Storeroom:
    """Enters devices into the register of a compound, numbered by kind."""

    def __init__(self, compound_id: UUID) -> None:
        self._compound_id, self._rng = compound_id, Random(SEED)  # noqa: S311  # nothing is kept secret by it
        self._counts: dict[str, int] = {}

    async def install(
        self, kind: str, name: str, place: str, year: int = 2020, building_id: UUID | None = None
    ) -> UUID:
        """A device that was bought and installed in that year, with what was done to it since."""
        make, number = MAKES[kind], self._counts.get(kind, 0) + 1
        self._counts[kind] = number
        installed_on = date(year, self._rng.randint(3, 9), self._rng.randint(1, 28))
        facts = DeviceFacts(
            code=f"{make.prefix}-{number:03d}", name=name, kind=kind, building_id=building_id, maker=make.maker,
            model=make.model, serial=f"{make.prefix}{year}{self._rng.randint(0, 999_999):06d}", place=place, owner=OWNER,
            maintainer=MAINTAINER, maintainer_phone=MAINTAINER_PHONE, installed_on=installed_on,
        )  # fmt: skip
        with clock.use(_morning(installed_on)):
            id = await register_device(
                SYSTEM,
                compound_id=self._compound_id,
                facts=facts,
                vendor=make.maker,
                cost_fen=make.yuan * 100,
            )
        for line in self._life(installed_on, make.yuan):
            with clock.use(_morning(line.on_day or installed_on)):
                await ledger.write(SYSTEM, id, line)
        return id

    def _life(self, installed_on: date, yuan: int) -> Iterator[Line]:
        serviced_on = clock.today() - timedelta(days=self._rng.randint(20, 160))
        if serviced_on > installed_on:
            yield Line("maintained", "年度保养,运行正常", serviced_on, MAINTAINER, max(yuan // 40, 20) * 100)
        if self._rng.random() < 0.2:
            broken_on = serviced_on - timedelta(days=self._rng.randint(30, 300))
            yield Line(
                "part_replaced", "更换电源模块", max(broken_on, installed_on), MAINTAINER, yuan // 8 * 100
            )


def _morning(day: date) -> FixedClock:
    return FixedClock(datetime.combine(day, time(9, 30), SHANGHAI))


async def equip(compound_id: UUID) -> None:
    """Everything in the register, in the open transaction."""
    store = Storeroom(compound_id)
    for gate in GATES:
        device = await store.install(gate.device, f"{gate.name}控制器", gate.place)
        await register_door(
            SYSTEM, compound_id=compound_id, device_id=device, name=gate.name, kind=gate.kind, direction=gate.direction,
            methods=METHODS[gate.kind], is_for_visitors=gate.is_for_visitors, needs_screen=gate.needs_screen,
        )  # fmt: skip
    units = await database.fetch(UNITS, compound_id)
    for unit in units:
        await _unit_door(store, compound_id, unit)
    await _equip_buildings(store, units)
    for kind, name, places in PLACED:
        for place in places:
            await store.install(kind, f"{place}{name}", place)


async def _unit_door(store: Storeroom, compound_id: UUID, unit: asyncpg.Record) -> None:
    name = f"{unit['building']}{unit['unit']}门"
    device = await store.install(
        "door", f"{name}禁", f"{name}外", unit["built_year"] + 1, unit["building_id"]
    )
    await register_door(
        SYSTEM, compound_id=compound_id, device_id=device, name=name, kind="unit_door", unit_id=unit["unit_id"],
        building_id=unit["building_id"], methods=METHODS["unit_door"],
    )  # fmt: skip


async def _equip_buildings(store: Storeroom, units: Sequence[asyncpg.Record]) -> None:
    """A fire panel for each building, and what watches its first lift."""
    for unit in {each["building_id"]: each for each in reversed(units)}.values():
        year, building_id, lift = unit["built_year"] + 1, unit["building_id"], f"{unit['unit']}1号梯"
        await store.install("fire_panel", f"{unit['building']}消防主机", "一层消防控制箱", year, building_id)
        await store.install("lift", f"{unit['building']}{lift}", f"{lift}机房", year, building_id)
        await store.install(
            "ebike_detector", f"{unit['building']}{lift}电动车识别", f"{lift}轿厢", 2024, building_id
        )
