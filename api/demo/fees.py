"""What the demo compound charges (示范收费项目): its items with their prices, its meters with their readings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from uuid import UUID

from api.demo.equipment import SEED
from domains.billing.fee_terms import TermChanges
from domains.billing.proration import months_after
from domains.billing.service.fee_items import set_fee_item
from domains.billing.service.meter_imports import import_meters, import_readings
from domains.billing.service.prices import set_fee_price
from domains.billing.tariffs import Tariff, Tier
from domains.kernel import database
from domains.kernel.actor import Actor

BUILDING, METERED_UNIT = "3幢", "1单元"
"""Fees are tried out in one building; water is read in one of its units."""

HOUSES = """
SELECT h.id, h.number, b.name AS building, u.name AS unit, h.room, b.id AS building_id, h.state FROM house h
JOIN building b ON b.id = h.building_id JOIN unit u ON u.id = h.unit_id
WHERE h.compound_id = $1 AND b.name = $2 ORDER BY h.sort, h.id
"""


@dataclass(frozen=True, slots=True)
class Place:
    """A house whose fees are billed."""

    id: UUID
    number: str
    building: str
    unit: str
    room: str
    building_id: UUID
    state: str

    @property
    def meter(self) -> str:
        """The number on its water meter."""
        return f"SB{self.building[:-1]}{self.unit[:1]}{self.room}"


async def places(compound_id: UUID) -> list[Place]:
    """The houses of the building, in their order."""
    return [Place(**row) for row in await database.fetch(HOUSES, compound_id, BUILDING)]


def _tariffs(month: date) -> dict[str, tuple[tuple[date, Tariff], ...]]:
    """By fee item its prices, in fen; the property fee rose in `month`."""
    before = date(2000, 1, 1)
    tiers = (
        Tier(Decimal(0), Decimal(290)),
        Tier(Decimal(18), Decimal(385)),
        Tier(Decimal(25), Decimal(670)),
    )
    return {
        "物业费": ((before, Tariff(Decimal(198))), (month, Tariff(Decimal(215)))),
        "停车费": ((before, Tariff(Decimal(15_000))),),
        "水费": ((before, Tariff(tiers=tiers)),),
        "垃圾费": ((before, Tariff(Decimal(9_600))),),
    }


def _terms(first: date) -> dict[str, TermChanges]:
    monthly: TermChanges = {"cycle_months": 1, "anchor_on": first, "starts_on": first}
    return {
        "物业费": {
            **monthly, "category": "property", "method": "built_area", "timing": "advance",
            "vacancy_percent": Decimal(70), "bills_unsold": True,
        },
        "停车费": {**monthly, "category": "parking", "method": "vehicle", "timing": "advance"},
        "水费": {
            **monthly, "category": "water", "method": "metered", "meter_kind": "water", "timing": "arrears",
            "payer": "tenant",
        },
        "公摊电费": {
            **monthly, "category": "shared", "method": "pooled", "pooled_by": "built_area", "timing": "arrears",
            "bills_unsold": True,
        },
        "垃圾费": {
            **monthly, "cycle_months": 12, "price_months": 12, "category": "waste", "method": "fixed",
            "timing": "advance",
        },
        "装修押金": {
            "category": "deposit", "method": "one_off", "starts_on": first, "bears_late_fee": False,
        },
    }  # fmt: skip


async def set_items(
    manager: Actor, compound_id: UUID, building_id: UUID, first: date, dearer: date
) -> dict[str, UUID]:
    """The fee items from a month on, the property fee dearer from a later one on; their ids by name."""
    prices, ids = _tariffs(dearer), {}
    for name, terms in _terms(first).items():
        changes: TermChanges = {**terms, "name": name, "building_ids": [building_id]}
        ids[name] = await set_fee_item(manager, compound_id=compound_id, changes=changes)
        for from_on, tariff in prices.get(name, ()):
            await set_fee_price(manager, fee_item_id=ids[name], from_on=max(from_on, first), tariff=tariff)
    return ids


async def install_meters(manager: Actor, compound_id: UUID, metered: list[Place], on: date) -> None:
    """A water meter in each of the houses, by the file that the office keeps."""
    lines = ["表号,表类型,位数,初始读数,安装日期,楼栋,单元,房号,日用量上限"]
    lines += [f"{each.meter},水表,5,0,{on},{each.building},{each.unit},{each.room},2" for each in metered]
    done = await import_meters(
        manager, compound_id=compound_id, file_name="水表.csv", data="\n".join(lines).encode()
    )
    assert done.imported == len(metered), done.problems[:3]


async def read_meters(
    manager: Actor, compound_id: UUID, metered: list[Place], installed_on: date, months: int
) -> None:
    """Readings of so many months' ends. In the last one a house is not read, and another's is not plausible."""
    rng, shown = Random(SEED), dict.fromkeys((each.meter for each in metered), 0)  # noqa: S311  # no secret
    for number in range(1, months + 1):
        day, lines = months_after(installed_on, number) - timedelta(days=1), ["表号,读数,抄表日期"]
        for each in metered:
            shown[each.meter] += 0 if each.state in ("vacant", "unsold") else rng.randint(6, 26)
        read = dict(shown)
        if number == months:
            del read[metered[4].meter]
            read[metered[7].meter] += 500
        lines += [f"{meter},{value},{day}" for meter, value in read.items()]
        await import_readings(
            manager, compound_id=compound_id, file_name="抄表.csv", data="\n".join(lines).encode()
        )
