"""The register (台账) of the demo compound as its property company would send it: four sheets of Excel."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from api.demo.buildings import DESIGNS, SECOND_DESIGNS, Building, Design, buildings
from api.demo.households import Household, Households
from api.demo.numbers import Numbers
from api.demo.places import COMPOUND, SECOND_COMPOUND, CompoundSite
from api.demo.workbook import Cell, Sheet, xlsx

Row = tuple[Cell, ...]

_BUILDING_COLUMNS = (
    "楼栋 楼栋编码 建成年份 用途 结构 地上层数 地下层数 高度(m) 建筑面积(㎡) 使用年限 "
    "标准地址 派出所 街道 经度 纬度"
)
_HOUSE_COLUMNS = (
    "楼栋 单元 楼层 房号 建筑面积(㎡) 套内面积(㎡) 房屋用途 交房日期 房屋状态 "
    "业主姓名 联系电话 证件类型 证件号码 备注"
)
_PERSON_COLUMNS = (
    "楼栋 单元 房号 姓名 与房屋关系 性别 出生日期 民族 籍贯 联系电话 证件类型 证件号码 户籍地址 "
    "人口类别 标签 工作单位 入住日期"
)
_VEHICLE_COLUMNS = "楼栋 单元 房号 车主 车牌号 车牌颜色 车辆类型 品牌 型号 颜色"

_DOCUMENT = "居民身份证"
_DESIGN_LIFE_YEARS = 50
_SECOND_PHONES_FROM = 1100
# Beyond it there are more rows than one import takes (50,000).
_MAX_SCALE = 16


def _building_row(building: Building) -> Row:
    design, site = building.design, building.site
    return (
        building.name,
        building.code,
        design.built_in,
        building.use,
        building.structure,
        design.storeys,
        design.basements,
        building.height_m,
        building.area,
        _DESIGN_LIFE_YEARS,
        building.address,
        site.police_station,
        site.street,
        *building.position,
    )


def _house_row(household: Household) -> Row:
    house, owners = household.house, household.owners
    return (
        house.building,
        house.unit,
        house.floor,
        house.room,
        house.area,
        house.inner_area,
        house.use,
        household.handed_over_on,
        household.status,
        "、".join(owner.name for owner in owners) or None,
        "、".join(owner.phone for owner in owners if owner.phone) or None,
        _DOCUMENT if owners else None,
        "、".join(owner.identity for owner in owners) or None,
        household.note or None,
    )


def _person_rows(household: Household) -> Iterator[Row]:
    for resident in household.residents:
        person = resident.person
        yield (
            *household.house.key,
            person.name,
            resident.relation,
            person.sex,
            person.born_on,
            person.ethnicity,
            person.origin.place,
            person.phone,
            _DOCUMENT,
            person.identity,
            resident.registered_at,
            resident.kind,
            "、".join(resident.tags) or None,
            resident.employer or None,
            resident.moved_in,
        )


def _vehicle_rows(household: Household) -> Iterator[Row]:
    for vehicle in household.vehicles:
        yield (
            *household.house.key,
            vehicle.keeper.name,
            vehicle.plate,
            vehicle.plate_colour,
            vehicle.kind,
            vehicle.brand,
            vehicle.model,
            vehicle.colour,
        )


def _sheets(
    site: CompoundSite, designs: tuple[Design, ...], scale: int, settling: Households
) -> tuple[Sheet, ...]:
    blocks = tuple(buildings(site, designs, scale))
    homes = [household for block in blocks for household in settling.settle(block)]
    people = [row for home in homes for row in _person_rows(home)]
    vehicles = [row for home in homes for row in _vehicle_rows(home)]
    return (
        Sheet("楼栋", _BUILDING_COLUMNS.split(), list(map(_building_row, blocks))),
        Sheet("房屋", _HOUSE_COLUMNS.split(), list(map(_house_row, homes))),
        Sheet("住户", _PERSON_COLUMNS.split(), people),
        Sheet("车辆", _VEHICLE_COLUMNS.split(), vehicles),
    )


def demo_sheets(seed: int = 20261001, scale: int = 1) -> tuple[Sheet, ...]:
    """The sheets 楼栋, 房屋, 住户 and 车辆 of 桂语里.

    1,200 houses and just under 3,000 people at scale 1, of whom 2,700 live there: alone in one household
    of seven, two in a third, three in just under a third, four in an eighth, more in one of twenty.
    `scale` repeats the twelve buildings that often (1–16); the first twelve stay what they are.
    Raises ValueError for a scale outside of that.
    """
    if not 1 <= scale <= _MAX_SCALE:
        raise ValueError(f"scale must be between 1 and {_MAX_SCALE}, not {scale}")
    rng = Random(seed)  # noqa: S311 - invented people, no secrets
    return _sheets(COMPOUND, DESIGNS, scale, Households(rng, Numbers(rng)))


def demo_register(seed: int = 20261001, scale: int = 1) -> bytes:
    """`demo_sheets` as an xlsx file: the same bytes for the same arguments, at any hour.

    Raises ValueError for a scale outside of 1–16.
    """
    return xlsx(demo_sheets(seed, scale))


def second_register() -> bytes:
    """The register of 银杏苑, an older compound of one building, whose people are nobody's in 桂语里."""
    rng = Random(24)  # noqa: S311 - invented people, no secrets
    settling = Households(rng, Numbers(rng, _SECOND_PHONES_FROM))
    return xlsx(_sheets(SECOND_COMPOUND, SECOND_DESIGNS, 1, settling))
