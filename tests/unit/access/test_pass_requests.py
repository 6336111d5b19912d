"""What visitors ask for without signing in, who decides on it, and that one decision counts."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domains.access import permissions, sealed
from domains.access.models import Revocation, VisitorPass
from domains.access.service import passes, requests
from domains.access.service.issuing import Guest
from domains.kernel import clock
from domains.kernel.actor import Actor
from domains.kernel.errors import Conflict, DomainError, Forbidden, Throttled
from domains.kernel.rates import Limiter, RateLimit, Verdict
from tests.factories import residents, visits
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")

NOW = datetime(2026, 11, 21, 2, 30, tzinfo=UTC)


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


async def decide(actor: Actor, id: object, approve: bool = True, reason: str = "") -> object:
    return await requests.decide_visitor_pass(
        actor, visitor_pass_id=id, approve=approve, reason=reason  # type: ignore[arg-type]  # an id
    )  # fmt: skip


async def code_of(awaited: object) -> str:
    with pytest.raises(DomainError) as refused:
        await awaited  # type: ignore[misc]  # whatever is awaited
    return refused.value.code


async def test_a_visitor_asks_without_signing_in(scene: Scene) -> None:
    secret = await visits.ask(scene, building="1号楼", unit="1单元", room="101室")
    made = await VisitorPass.get(link_hash=sealed.link_hash(secret))
    assert (made.state, made.origin, made.uses_allowed) == ("requested", "visitor", 1)
    assert made.house_id == scene.house_id  # type: ignore[attr-defined]  # the key of `house`
    assert made.host_id is None  # type: ignore[attr-defined]  # of `host`
    assert len(await residents.events("VisitorPassRequested", made.id)) == 1
    [row] = await residents.audited("visitor_pass.request", scene.compound_id)
    assert "王来访" not in row["details"]
    assert row["actor_id"] is None


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"guest": Guest(name="王来访")}, "PHONE_INVALID"),
        ({"guest": Guest(name="王来访", phone="1")}, "PHONE_INVALID"),
        ({"compound_code": "NOPE"}, "COMPOUND_CODE_UNKNOWN"),
        ({"room": "999"}, "HOUSE_NOT_FOUND"),
        ({"room": "一" * 31}, "TEXT_TOO_LONG"),
        ({"starts_at": NOW + timedelta(days=400)}, "VISIT_TOO_FAR"),
    ],
)
async def test_a_request_that_cannot_be_leaves_nothing(scene: Scene, more: dict[str, Any], code: str) -> None:
    before = await visits.fingerprint()
    assert await code_of(visits.ask(scene, **more)) == code
    assert (await visits.fingerprint())[0] == before[0]


async def test_an_empty_house_answers_as_any_other(scene: Scene) -> None:
    assert len(await visits.ask(scene, building="2", room="201")) == len(await visits.ask(scene))


async def test_a_house_is_not_rung_all_the_time(scene: Scene) -> None:
    asked = [await visits.ask(scene) for _ in range(5)]
    assert len(set(asked)) == 5
    with pytest.raises(Throttled) as refused:
        await visits.ask(scene)
    assert refused.value.code == "VISIT_REQUEST_TOO_OFTEN"
    assert await VisitorPass.filter(house_id=scene.house_id).count() == 5
    await visits.ask(scene, room="102")


async def test_an_address_does_not_ask_all_the_time(scene: Scene) -> None:
    someone = visits.stranger()
    for _ in range(10):
        await code_of(visits.ask(scene, someone, compound_code="NOPE"))
    assert await code_of(visits.ask(scene, someone)) == "VISIT_REQUEST_TOO_OFTEN"


async def test_nobody_asks_while_requests_cannot_be_counted(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(self: Limiter, limit: RateLimit, key: str, cost: int = 1) -> Verdict:
        return self._without_valkey([(limit, key, cost)], OSError())

    monkeypatch.setattr(Limiter, "take", down)
    assert await code_of(visits.ask(scene)) == "VISIT_REQUEST_TOO_OFTEN"


@pytest.mark.parametrize("who", ["owner", "family", "tenant"])
async def test_whoever_lives_there_lets_in_and_becomes_the_host(scene: Scene, who: str) -> None:
    id, actor = await visits.ask_for_pass(scene), await visits.caller(scene, who)
    await decide(actor, id)
    made = await VisitorPass.get(pk=id)
    assert (made.state, made.decided_by) == ("active", actor.id)
    assert made.host_id == actor.id  # type: ignore[attr-defined]  # the key of `host`
    assert len(await residents.events("VisitorPassIssued", id)) == 1
    assert await code_of(decide(actor, id)) == "STATE_CONFLICT"


async def test_a_rejection_may_go_without_words_and_a_guards_not(scene: Scene) -> None:
    first, second = await visits.ask_for_pass(scene), await visits.ask_for_pass(scene)
    await decide(await visits.owner(scene), first, approve=False)
    guard = scene.staff(permissions.VISITORS_ADMIT)
    assert await code_of(decide(guard, second, approve=False, reason="  ")) == "VISIT_REASON_REQUIRED"
    await decide(guard, second, approve=False, reason="未带证件")
    rows = await VisitorPass.filter(pk__in=[first, second]).order_by("id").values_list("state", "reason")
    assert rows == [("rejected", ""), ("rejected", "未带证件")]
    assert not await Revocation.filter(pass_id__in=[first, second]).exists()
    assert len(await residents.events("VisitorPassRejected", second)) == 1


async def test_a_guard_lets_in_and_is_no_host(scene: Scene) -> None:
    id = await visits.ask_for_pass(scene)
    await decide(scene.staff(permissions.VISITORS_ADMIT), id)
    made = await VisitorPass.get(pk=id)
    assert made.state == "active"
    assert made.host_id is None  # type: ignore[attr-defined]  # the key of `host`


async def test_the_compound_says_who_decides(scene: Scene) -> None:
    owner, guard = await visits.owner(scene), scene.staff(permissions.VISITORS_ADMIT)
    await visits.set_rules(scene.compound_id, approver="guard")
    id = await visits.ask_for_pass(scene)
    with pytest.raises(Forbidden, match="VISIT_DECIDED_BY_GUARD"):
        await decide(owner, id)
    await visits.set_rules(scene.compound_id, approver="resident")
    with pytest.raises(Forbidden, match="VISIT_DECIDED_BY_RESIDENT"):
        await decide(guard, id)
    assert await visits.state_of(id) == "requested"
    await decide(owner, id)
    # Nobody of the empty house could answer.
    empty = await visits.ask_for_pass(scene, building="2", room="201")
    await decide(guard, empty)
    assert await visits.state_of(empty) == "active"


async def test_exactly_one_decision_counts(scene: Scene) -> None:
    callers = [await visits.caller(scene, who) for who in ("owner", "family", "tenant")]
    callers.append(scene.staff(permissions.VISITORS_ADMIT))
    for _ in range(4):
        id = await visits.ask_for_pass(scene)
        done = await asyncio.gather(
            *(decide(actor, id, number % 2 == 0, "不认识") for number, actor in enumerate(callers)),
            return_exceptions=True,
        )
        assert sum(each == id for each in done) == 1
        assert sum(isinstance(each, Conflict) for each in done) == 3
        events = [await residents.events(name, id) for name in ("VisitorPassIssued", "VisitorPassRejected")]
        assert sum(map(len, events)) == 1
        await VisitorPass.filter(pk=id).update(decided_at=NOW - timedelta(days=30))


async def test_a_yes_that_comes_when_the_visit_is_over_is_refused(scene: Scene) -> None:
    with clock.use(clock.FixedClock(NOW)) as time:
        id = await visits.ask_for_pass(scene, ends_at=NOW + timedelta(hours=1))
        time.advance(timedelta(hours=1))
        assert await code_of(decide(await visits.owner(scene), id)) == "VISIT_OVER"
    assert await visits.state_of(id) == "requested"


async def test_a_yes_counts_for_the_day_and_a_guards_does_not(scene: Scene) -> None:
    await visits.set_rules(scene.compound_id, daily_passes_per_house=1)
    owner, guard = await visits.owner(scene), scene.staff(permissions.VISITORS_ADMIT)
    first, second, third = [await visits.ask_for_pass(scene) for _ in range(3)]
    await decide(guard, first)
    await decide(owner, second)
    assert await code_of(decide(owner, third)) == "VISITS_TOO_MANY"
    assert await code_of(visits.create(owner, scene.house_id)) == "VISITS_TOO_MANY"
    await decide(guard, third)


async def test_a_yes_to_a_car_that_finds_no_place(scene: Scene) -> None:
    await visits.set_rules(scene.compound_id, visitor_cars=0)
    id = await visits.ask_for_pass(scene, guest=Guest(name="王来访", phone="13812345678", plate="浙A12345"))
    assert not (await VisitorPass.get(pk=id)).is_car_refused
    await decide(await visits.owner(scene), id)
    made = await VisitorPass.get(pk=id)
    assert (made.state, made.is_car_refused) == ("active", True)


async def test_deciding_and_making_wait_for_each_other_without_a_circle(scene: Scene) -> None:
    await visits.set_rules(scene.compound_id, visitor_cars=50)
    owner, family = await visits.owner(scene), await visits.caller(scene, "family")
    car = Guest(name="王来访", phone="13812345678", plate="浙A12345")
    for _ in range(4):
        id = await visits.ask_for_pass(scene, guest=car)
        await asyncio.gather(
            decide(owner, id), visits.create(family, scene.house_id, car), visits.create(owner, scene.house_id, car),
            visits.create(await visits.caller(scene, "neighbour"), scene.next_door_id, car),
        )  # fmt: skip
        await passes.revoke_visitor_pass(owner, visitor_pass_id=id)
