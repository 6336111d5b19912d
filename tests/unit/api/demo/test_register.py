from __future__ import annotations

from collections import Counter, defaultdict
from hashlib import sha256
from random import getstate

import pytest

from api.demo.register import demo_register, demo_sheets, second_register
from tests.unit.api.demo.reading import REGISTER_DAY, Register, house, of_sheets


def test_compound_has_the_promised_size(register: Register) -> None:
    assert len(register.buildings) == 12
    assert len(register.houses) == 1200
    assert 2800 <= len({row["证件号码"] for row in register.people}) <= 3050
    assert 2600 <= sum(map(len, register.living().values())) <= 2900
    assert 1100 <= len(register.vehicles) <= 1500


def test_households_are_as_large_as_in_life(register: Register) -> None:
    sizes = Counter(map(len, register.living().values()))
    shares = {size: count / sizes.total() for size, count in sizes.items()}
    assert 0.10 < shares[1] < 0.20
    assert 0.28 < shares[2] < 0.42
    assert 0.25 < shares[3] < 0.37
    assert 0.10 < shares[4] < 0.18
    assert sum(share for size, share in shares.items() if size >= 5) < 0.09


def test_every_status_occurs_and_most_live_in_their_own(register: Register) -> None:
    statuses = Counter(row["房屋状态"] for row in register.houses)
    assert set(statuses) == {"自住", "出租", "空置", "未售"}
    assert statuses["自住"] > 800
    assert min(statuses.values()) > 20


def test_same_seed_gives_the_same_bytes_and_leaves_chance_alone() -> None:
    before = getstate()
    assert sha256(demo_register()).digest() == sha256(demo_register()).digest()
    assert second_register() == second_register()
    assert getstate() == before


def test_another_seed_gives_other_people_in_the_same_houses() -> None:
    ours = of_sheets(demo_sheets())
    other = of_sheets(demo_sheets(seed=7))
    assert other.buildings == ours.buildings
    assert list(map(house, other.houses)) == list(map(house, ours.houses))
    assert other.people != ours.people


def test_larger_compound_begins_with_the_smaller_one() -> None:
    ours = demo_sheets()
    larger = demo_sheets(scale=3)
    assert [len(sheet.rows) for sheet in larger[:2]] == [36, 3600]
    for ordinary, large in zip(ours, larger, strict=True):
        assert large.rows[: len(ordinary.rows)] == ordinary.rows


@pytest.mark.parametrize("scale", [-1, 0, 17])
def test_impossible_scale_is_refused(scale: int) -> None:
    with pytest.raises(ValueError, match="between 1 and 16"):
        demo_register(scale=scale)


def test_no_house_stands_twice(register: Register) -> None:
    assert len(set(map(house, register.houses))) == len(register.houses)


def test_rooms_lie_on_the_floors_that_were_built(register: Register) -> None:
    storeys = {row["楼栋"]: row["地上层数"] for row in register.buildings}
    tops: defaultdict[str, int] = defaultdict(int)
    for row in register.houses:
        assert row["房号"][:-2] == str(row["楼层"])
        tops[row["楼栋"]] = max(tops[row["楼栋"]], row["楼层"])
    assert tops == storeys


def test_floor_plan_repeats_up_the_building(register: Register) -> None:
    stacks = defaultdict(set)
    for row in register.houses:
        if row["房屋用途"] == "住宅":
            stacks[row["楼栋"], row["单元"], row["房号"][-2:]].add((row["建筑面积(㎡)"], row["套内面积(㎡)"]))
    assert all(len(plans) == 1 for plans in stacks.values())


def test_areas_agree(register: Register) -> None:
    built: defaultdict[str, float] = defaultdict(float)
    for row in register.houses:
        assert 0.76 <= row["套内面积(㎡)"] / row["建筑面积(㎡)"] <= 0.86
        built[row["楼栋"]] += row["建筑面积(㎡)"]
    for row in register.buildings:
        assert row["建筑面积(㎡)"] == pytest.approx(built[row["楼栋"]])


def test_shops_are_on_the_ground_floor_of_two_buildings(register: Register) -> None:
    shops = [row for row in register.houses if row["房屋用途"] == "商铺"]
    assert {row["楼栋"] for row in shops} == {"1幢", "2幢"}
    assert {row["楼层"] for row in shops} == {1}
    names = [row["备注"] for row in shops if row["备注"]]
    assert len(names) == len(set(names)) > 10


def test_days_follow_each_other(register: Register) -> None:
    built = {row["楼栋"]: row["建成年份"] for row in register.buildings}
    handed_over = {house(row): row["交房日期"] for row in register.houses}
    for row in register.houses:
        assert (row["交房日期"] is None) == (row["房屋状态"] == "未售")
        assert row["交房日期"] is None or built[row["楼栋"]] < row["交房日期"].year <= REGISTER_DAY.year
    for row in register.people:
        assert row["出生日期"] <= REGISTER_DAY
        if row["入住日期"]:
            assert handed_over[house(row)] < row["入住日期"] <= REGISTER_DAY
            assert row["入住日期"] >= row["出生日期"]


def test_owners_of_a_house_are_the_owners_among_its_people(register: Register) -> None:
    owners = defaultdict(list)
    for row in register.people:
        if row["与房屋关系"] == "业主":
            owners[house(row)].append(row)
    for row in register.houses:
        listed = owners[house(row)]
        for house_column, column in (
            ("业主姓名", "姓名"),
            ("联系电话", "联系电话"),
            ("证件号码", "证件号码"),
        ):
            assert row[house_column] == (
                "、".join(owner[column] for owner in listed if owner[column]) or None
            )
        assert bool(listed) == (row["房屋状态"] != "未售")


def test_second_compound_shares_nobody_with_the_first(register: Register, second: Register) -> None:
    assert (len(second.buildings), len(second.houses)) == (1, 24)
    for column in ("证件号码", "联系电话"):
        ours = {row[column] for row in register.people} - {None}
        assert ours.isdisjoint(row[column] for row in second.people)
    assert {row["标准地址"] for row in second.buildings}.isdisjoint(
        row["标准地址"] for row in register.buildings
    )
