"""The electronic pass: for verified occupants, five minutes, no longer than the occupancy."""

from __future__ import annotations

from datetime import timedelta

import pytest
from jose import jwt

from domains.identity.tokens import signer
from domains.kernel import clock
from domains.kernel.clock import FixedClock
from domains.kernel.errors import DomainError, Forbidden, Unauthenticated
from domains.residents import permissions
from domains.residents.service import passes as service
from domains.residents.service.occupancy import end_occupancy
from tests.factories import identity, residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


async def check(scene: Scene, token: str) -> str:
    with pytest.raises(DomainError) as refused:
        await service.check_residence_pass(scene.staff(permissions.READ), token=token)
    return refused.value.code


@pytest.mark.parametrize("who", ["owner", "family", "tenant"])
async def test_a_guard_learns_who_shows_it(scene: Scene, who: str) -> None:
    me = getattr(scene, who)
    issued = await service.issue_residence_pass(
        await residents.resident(me.account_id), house_id=scene.house_id
    )
    holder = await service.check_residence_pass(scene.staff(permissions.READ), token=issued.token)
    assert (holder.name, holder.capacity, holder.house_number) == (me.name, who, "1号楼1单元101")
    assert await residents.audited("residence_pass.check", scene.compound_id)
    assert not {"name", "phone"} & set(jwt.get_unverified_claims(issued.token))


async def test_nobody_else_gets_one(scene: Scene) -> None:
    for actor in (await residents.newcomer(), await residents.resident(scene.neighbour.account_id)):
        with pytest.raises(Forbidden):
            await service.issue_residence_pass(actor, house_id=scene.house_id)
    pending = await residents.newcomer()
    with pytest.raises(Forbidden):
        await service.issue_residence_pass(pending, house_id=scene.far_house_id)


async def test_it_lasts_five_minutes(scene: Scene) -> None:
    me = await residents.resident(scene.owner.account_id)
    with clock.use(FixedClock(clock.now())) as now:
        issued = await service.issue_residence_pass(me, house_id=scene.house_id)
        now.advance(timedelta(minutes=5, seconds=-1))
        await service.check_residence_pass(scene.staff(permissions.READ), token=issued.token)
        now.advance(timedelta(seconds=1))
        assert await check(scene, issued.token) == "TOKEN_OUTDATED"


async def test_it_ends_with_the_occupancy(scene: Scene) -> None:
    me = await residents.resident(scene.tenant.account_id)
    issued = await service.issue_residence_pass(me, house_id=scene.house_id)
    await end_occupancy(me, occupancy_id=scene.tenant.occupancy_id, reason="退租")
    assert await check(scene, issued.token) == "PASS_ENDED"
    with pytest.raises(Forbidden):
        await service.issue_residence_pass(me, house_id=scene.house_id)


async def test_tokens_do_not_pass_for_each_other(scene: Scene) -> None:
    me = await residents.resident(scene.owner.account_id)
    issued = await service.issue_residence_pass(me, house_id=scene.house_id)
    with pytest.raises(Unauthenticated):
        signer().open(issued.token)
    access = await identity.token(scene.owner.account_id)
    forged = jwt.encode(jwt.get_unverified_claims(issued.token), "secret", algorithm="HS256")
    header, _, signature = issued.token.split(".")
    for token in (access, forged, f"{header}.{header}.{signature}", "", "x.y.z"):
        assert await check(scene, token) == "TOKEN_NOT_GENUINE"
