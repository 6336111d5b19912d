"""Which staff may do something somewhere: the set that is asked for at once, and each who asks alone, agree."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from api.actors import actor_for
from domains.identity.models import Account, StaffMember
from domains.identity.queries import holders
from domains.kernel import clock, database
from domains.kernel.actor import Origin
from domains.kernel.errors import Unauthenticated
from tests.factories import identity
from tests.factories.identity import Places

pytestmark = pytest.mark.usefixtures("instance")

WANTED, OTHER = "residents.review", "residents.read"


@pytest.fixture(scope="module")
async def crew(instance: object) -> tuple[Places, dict[str, UUID]]:
    """Staff of every scope of one company, staff who do not count, and staff of another company."""
    at, elsewhere = await identity.places(), await identity.places()
    made = {
        "company": await identity.staff(at, [WANTED, OTHER]),
        "region": await identity.staff(at, [WANTED], scope="region", place_id=at.region_id),
        "compound": await identity.staff(at, [WANTED], scope="compound", place_id=at.compound_id),
        "building": await identity.staff(at, [WANTED], scope="building", place_id=at.building_id),
        "other building": await identity.staff(at, [WANTED], scope="building", place_id=at.other_building_id),
        "other compound": await identity.staff(at, [WANTED], scope="compound", place_id=at.other_compound_id),
        "other permission": await identity.staff(at, [OTHER]),
        "other company": await identity.staff(elsewhere, [WANTED, OTHER]),
        "disabled": await identity.staff(at, [WANTED]),
        "not yet": await identity.staff(at, [WANTED]),
        "no more": await identity.staff(at, [WANTED]),
        "confined": await identity.staff(at, [WANTED]),
    }
    today = clock.today()
    await Account.filter(pk=made["disabled"]).update(disabled_at=clock.now())
    await StaffMember.filter(account_id=made["not yet"]).update(valid_from=today + timedelta(days=1))
    first, last = today - timedelta(days=9), today - timedelta(days=1)
    await StaffMember.filter(account_id=made["no more"]).update(valid_from=first, valid_until=last)
    await StaffMember.filter(account_id=made["confined"]).update(must_change_password=True)
    return at, made


async def may(account_id: UUID, permission: str, compound_id: UUID, building_id: UUID | None) -> bool:
    """What a request of the account would be told."""
    try:
        actor = await actor_for(await identity.token(account_id), Origin())
    except Unauthenticated:
        return False
    return actor.may(permission, compound_id, building_id)


async def test_whoever_is_named_may_and_whoever_is_not_may_not(crew: tuple[Places, dict[str, UUID]]) -> None:
    at, made = crew
    asked = [
        (permission, compound, building)
        for permission in (WANTED, OTHER)
        for compound, buildings in (
            (at.compound_id, (None, at.building_id, at.other_building_id)), (at.other_compound_id, (None,)),
        )
        for building in buildings
    ]  # fmt: skip
    for place in asked:
        allowed = {account for account in made.values() if await may(account, *place)}
        assert set(await holders(*place)) == allowed, place


async def test_by_name(crew: tuple[Places, dict[str, UUID]]) -> None:
    at, made = crew
    async with database.counted() as cost:
        found = set(await holders(WANTED, at.compound_id, at.building_id))
    assert found == {made[each] for each in ("company", "region", "compound", "building")}
    assert cost.count == 1
    anywhere = set(await holders(WANTED, at.compound_id))
    assert anywhere == found | {made["other building"]}
    assert await holders("no.such", at.compound_id) == []
