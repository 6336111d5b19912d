"""The caller: what is permitted where, and what rows are in reach."""

from __future__ import annotations

from uuid import uuid4

import pytest

from domains.kernel.actor import ANONYMOUS, SYSTEM, Actor, Grant, HouseTie, Reach
from domains.kernel.errors import Forbidden, Unauthenticated

HERE, THERE, ONE, TWO = uuid4(), uuid4(), uuid4(), uuid4()
READ, WRITE = "house.read", "house.write"


def staff(*grants: Grant) -> Actor:
    return Actor("staff", uuid4(), grants=grants)


@pytest.mark.parametrize(
    ("grants", "whole", "one", "two", "there"),
    [
        ((), False, False, False, False),
        ((Grant(WRITE, HERE),), False, False, False, False),
        ((Grant(READ, HERE),), True, True, True, False),
        ((Grant(READ, HERE, frozenset({ONE})),), True, True, False, False),
        ((Grant(READ, HERE, frozenset({ONE})), Grant(READ, HERE, frozenset({TWO}))), True, True, True, False),
        ((Grant(READ, HERE, frozenset({ONE})), Grant(READ, HERE)), True, True, True, False),
        ((Grant(READ, HERE, frozenset()),), True, False, False, False),
        ((Grant(READ, THERE),), False, False, False, True),
    ],
)
def test_a_permission_holds_in_its_compound_and_its_buildings(
    grants: tuple[Grant, ...], whole: bool, one: bool, two: bool, there: bool
) -> None:
    actor = staff(*grants)
    answers = (
        actor.may(READ, HERE),
        actor.may(READ, HERE, ONE),
        actor.may(READ, HERE, TWO),
        actor.may(READ, THERE),
    )
    assert answers == (whole, one, two, there)


def test_what_is_in_reach_is_whole_compounds_buildings_and_own_houses() -> None:
    house = uuid4()
    actor = Actor(
        "resident",
        uuid4(),
        houses=(HouseTie(house, HERE, "owner"),),
        grants=(Grant(READ, HERE), Grant(READ, THERE, frozenset({ONE, TWO})), Grant(WRITE, THERE)),
    )
    reach = actor.reach(READ)
    assert (reach.compounds, set(reach.buildings), reach.houses) == ((HERE,), {ONE, TWO}, (house,))
    assert staff().reach(READ) == Reach() == ANONYMOUS.reach(READ)


def test_a_refusal_says_what_to_do() -> None:
    for actor, error, code in (
        (ANONYMOUS, Unauthenticated, "UNAUTHENTICATED"),
        (staff(), Forbidden, "FORBIDDEN"),
        (Actor("staff", uuid4(), confined=True), Forbidden, "PASSWORD_CHANGE_REQUIRED"),
    ):
        with pytest.raises(error) as refusal:
            actor.require(READ, HERE)
        assert refusal.value.code == code
    SYSTEM.require(READ, HERE, ONE)
    staff(Grant(READ, HERE)).require(READ, HERE, ONE)


def test_who_never_signed_in_has_no_id() -> None:
    with pytest.raises(Unauthenticated):
        _ = ANONYMOUS.id
    account = uuid4()
    assert Actor("resident", account).id == account
