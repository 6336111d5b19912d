from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta
from itertools import product

import pytest

from api.demo.people import DemoAccount, demo_people
from api.demo.places import COMPOUND, LOCAL, ORGANISATION, SECOND_COMPOUND
from api.demo.population import age, years_before
from api.demo.register import demo_sheets
from tests.unit.api.demo.reading import Register, Row, house, of_sheets, years

_YEAR = timedelta(days=365.25)
EVERYBODY = pytest.mark.parametrize("seed", [20261001, 1, 2])


@pytest.fixture(scope="module")
def registers(register: Register) -> dict[int, Register]:
    return {20261001: register} | {seed: of_sheets(demo_sheets(seed)) for seed in (1, 2)}


@EVERYBODY
def test_identity_numbers_are_valid_and_agree_with_their_row(
    registers: dict[int, Register], seed: int
) -> None:
    for row in registers[seed].people:
        number = row["证件号码"]
        digits = [10 if character == "X" else int(character) for character in number]
        # ISO 7064 MOD 11-2: the whole number, weighed, leaves one.
        assert sum(digit * pow(2, 17 - place, 11) for place, digit in enumerate(digits)) % 11 == 1
        assert number[:6].endswith("99")
        assert number[6:14] == f"{row['出生日期']:%Y%m%d}"
        assert (int(number[16]) % 2 == 1) == (row["性别"] == "男")


@EVERYBODY
def test_a_number_belongs_to_one_person(registers: dict[int, Register], seed: int) -> None:
    for column in ("证件号码", "联系电话"):
        holders = defaultdict(set)
        for row in registers[seed].people:
            if row[column]:
                holders[row[column]].add((row["姓名"], row["出生日期"], row["户籍地址"]))
        assert all(len(people) == 1 for people in holders.values())


def test_phones_come_from_the_unissued_block_and_adults_have_one(register: Register) -> None:
    for row in register.people:
        assert row["联系电话"] is None or 19900000000 <= int(row["联系电话"]) <= 19900099999
        assert row["联系电话"] or not 16 <= years(row) < 85


@EVERYBODY
def test_nobody_shares_a_name_with_who_lives_beside_them(registers: dict[int, Register], seed: int) -> None:
    named = [(house(row), row["姓名"]) for row in registers[seed].people]
    assert len(named) == len(set(named))


def _gap(elder: Row, younger: Row) -> timedelta:
    gap: timedelta = younger["出生日期"] - elder["出生日期"]
    return gap


@EVERYBODY
def test_ages_fit_relations(registers: dict[int, Register], seed: int) -> None:
    for people in registers[seed].living().values():
        by = {relation: [row for row in people if row["与房屋关系"] == relation] for relation in _RELATIONS}
        couple = by["业主"] + by["配偶"]
        for parent, child in [*product(couple, by["子女"]), *product(by["父母"], by["业主"])]:
            assert 20 * _YEAR < _gap(parent, child) < 40 * _YEAR
        if len(couple) == 2:
            assert abs(_gap(*couple)) < 5 * _YEAR
            assert {row["性别"] for row in couple} == {"男", "女"}
            assert min(map(years, couple)) >= 20


_RELATIONS = ("业主", "配偶", "子女", "父母", "租户")


def test_every_family_shape_occurs(register: Register) -> None:
    homes = register.living().values()
    shapes = Counter("".join(sorted({row["与房屋关系"][0] for row in people})) for people in homes)
    assert shapes["业子配"] > 200, "couples with children"
    assert shapes["业子父配"] > 30, "three generations"
    assert shapes["租"] > 100
    assert shapes["业"] > 60, "single owners"
    tags = Counter(tag for row in register.people for tag in (row["标签"] or "").split("、"))
    assert min(tags["独居老人"], tags["空巢老人"], tags["高龄老人"], tags["学龄前儿童"]) > 20


@EVERYBODY
def test_no_minor_owns_rents_or_lives_alone(registers: dict[int, Register], seed: int) -> None:
    for row in registers[seed].people:
        assert row["与房屋关系"] != "业主" or years(row) >= 18
    for people in registers[seed].living().values():
        assert max(map(years, people)) >= 18


def test_elders_tagged_alone_are_alone(register: Register) -> None:
    for people in register.living().values():
        for row in people:
            alone = len(people) == 1 and years(row) >= 65
            assert alone == ("独居老人" in (row["标签"] or ""))


def test_children_carry_a_name_of_their_parents(register: Register) -> None:
    for people in register.living().values():
        parents = {row["姓名"][0] for row in people if row["与房屋关系"] in {"业主", "配偶"}}
        assert all(row["姓名"][0] in parents for row in people if row["与房屋关系"] == "子女")


def test_some_neighbours_let_a_second_house(register: Register) -> None:
    owned = Counter(row["证件号码"] for row in register.people if row["与房屋关系"] == "业主")
    assert sum(count > 1 for count in owned.values()) > 10


def _stands_in(account: DemoAccount, register: Register) -> bool:
    where = (account.building, account.unit, account.room)
    return any(
        house(row) == where
        and (row["姓名"], row["联系电话"], row["证件号码"], row["与房屋关系"])
        == (account.name, account.phone, account.identity, account.relation)
        and row["入住日期"]
        for row in register.people
    )


@EVERYBODY
def test_named_accounts_stand_in_the_register(registers: dict[int, Register], seed: int) -> None:
    people = demo_people()
    for account in (people.owner, people.tenant, people.grandmother):
        assert account.compound == COMPOUND.code
        assert _stands_in(account, registers[seed])


def test_named_accounts_keep_their_words(second: Register) -> None:
    people = demo_people()
    assert (people.owner.name, people.owner.phone, people.owner.relation) == ("沈嘉树", "19900001001", "业主")
    assert (people.tenant.name, people.tenant.phone, people.tenant.relation) == (
        "程一诺",
        "19900001002",
        "租户",
    )
    assert people.grandmother.phone == "19900001003"
    assert (people.grandmother.unit, people.grandmother.room) == (people.owner.unit, people.owner.room)
    assert people.outsider.compound == SECOND_COMPOUND.code
    assert _stands_in(people.outsider, second)


def test_organisation_is_one_tree_that_holds_both_compounds() -> None:
    codes = {unit.code for unit in ORGANISATION}
    assert [unit.code for unit in ORGANISATION if unit.parent_code is None] == ["330000"]
    assert all(unit.parent_code in codes for unit in ORGANISATION[1:])
    assert {COMPOUND.neighbourhood_code, SECOND_COMPOUND.neighbourhood_code} <= codes
    assert LOCAL.region_code in codes


def test_years_are_counted_by_birthdays() -> None:
    assert age(date(2006, 10, 1), date(2026, 10, 1)) == 20
    assert age(date(2006, 10, 2), date(2026, 10, 1)) == 19
    assert years_before(date(2024, 2, 29), 1) == date(2023, 2, 28)
