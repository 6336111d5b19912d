"""Consents: granted once per dialogue, bounded, each spent by one delivery whoever races."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from domains.kernel import clock, database
from domains.kernel.actor import ANONYMOUS, Actor
from domains.kernel.errors import Conflict, DomainError, Unauthenticated
from notifications import consents, preferences
from notifications.consents import Answer, Outcome, Platform
from notifications.kinds import Channel
from tests.factories import notifications as made
from tests.factories.notifications import OTHER, PLAIN, RESIDENT, URGENT, WECHAT_TEMPLATES

pytestmark = pytest.mark.usefixtures("instance")

T1, T2 = WECHAT_TEMPLATES[PLAIN.name], WECHAT_TEMPLATES[OTHER.name]
ACCEPT = Outcome.ACCEPT


@pytest.fixture(autouse=True)
def kinds() -> None:
    made.use()


@pytest.fixture
async def me() -> Actor:
    actor = Actor("resident", uuid4(), uuid4())
    await made.contact(actor.id, Channel.WECHAT)
    return actor


async def grant(
    actor: Actor, *answers: tuple[str, Outcome], platform: Platform = Channel.WECHAT, key: UUID | None = None
) -> int:
    results = [Answer(*each) for each in answers]
    return await consents.grant_subscribe_messages(
        actor, platform=platform, results=results, idempotency_key=key or uuid4()
    )


async def take(actor: Actor, delivery: UUID, template: str = T1) -> bool:
    async with database.transaction():
        return await consents.take(actor.id, Channel.WECHAT, template, delivery)


async def test_what_was_accepted_is_one_consent_and_the_rest_nothing(me: Actor) -> None:
    third = WECHAT_TEMPLATES[URGENT.name]
    assert await grant(me, (T1, ACCEPT), (T2, Outcome.REJECT), (third, Outcome.BAN)) == 1
    assert await grant(me, (T1, Outcome.FILTER), (T2, ACCEPT), (third, ACCEPT)) == 2
    assert await grant(me, (T1, Outcome.BAN), (T2, Outcome.REJECT)) == 0
    assert await grant(me) == 0
    assert [await made.consents(me.id, each) for each in (T1, T2, third)] == [1, 1, 1]


async def test_the_same_dialogue_counts_once(me: Actor) -> None:
    key = uuid4()
    answers = await asyncio.gather(*(grant(me, (T1, ACCEPT), key=key) for _ in range(5)))
    assert answers == [1] * 5
    assert await made.consents(me.id, T1) == 1
    with pytest.raises(Conflict) as refused:
        await grant(me, (T2, ACCEPT), key=key)
    assert refused.value.code == "IDEMPOTENCY_CONFLICT"


async def test_what_cannot_be_granted_changes_nothing(me: Actor) -> None:
    before = await made.fingerprint()
    stranger = Actor("resident", uuid4(), uuid4())
    for actor, platform, templates, code in (
        (me, Channel.WECHAT, [T1, T2, WECHAT_TEMPLATES[URGENT.name], WECHAT_TEMPLATES[RESIDENT.name]], "TEMPLATES_TOO_MANY"),
        (me, Channel.WECHAT, [T1, T1], "TEMPLATE_TWICE"), (me, Channel.WECHAT, [T1, "tmpl-of-others"], "TEMPLATE_UNKNOWN"),
        (me, Channel.WECHAT, ["SMS_1"], "TEMPLATE_UNKNOWN"), (me, Channel.ALIPAY, [T1], "TEMPLATE_UNKNOWN"),
        (me, Channel.ALIPAY, [], "PLATFORM_NOT_BOUND"), (stranger, Channel.WECHAT, [T1], "PLATFORM_NOT_BOUND"),
    ):  # fmt: skip
        with pytest.raises(DomainError) as refused:
            await grant(actor, *((each, ACCEPT) for each in templates), platform=platform)  # type: ignore[arg-type]  # of the literal
        assert refused.value.code == code
    with pytest.raises(Unauthenticated):
        await grant(ANONYMOUS, (T1, ACCEPT))
    assert await made.fingerprint() == before


async def test_at_most_fifty_are_kept_and_the_oldest_go(me: Actor) -> None:
    with clock.use(clock.FixedClock(clock.now())) as then:
        first = then.now()
        for _ in range(52):
            await grant(me, (T1, ACCEPT), (T2, ACCEPT))
            then.advance(timedelta(seconds=1))
    assert [await made.consents(me.id, each) for each in (T1, T2)] == [50, 50]
    gone = await database.fetch(
        "SELECT granted_at FROM message_consent WHERE account_id = $1 AND template_id = $2 AND state = 'void'", me.id, T1
    )  # fmt: skip
    assert {row["granted_at"] - first for row in gone} == {timedelta(0), timedelta(seconds=1)}


async def test_the_bound_holds_against_a_race(me: Actor) -> None:
    for _ in range(45):
        await grant(me, (T1, ACCEPT))
    await asyncio.gather(
        *(grant(me, (T1, ACCEPT)) for _ in range(10)), *(take(me, uuid4()) for _ in range(5))
    )
    held, free = [await made.consents(me.id, T1, state) for state in ("held", "free")]
    assert (held, 45 <= free <= 50) == (5, True)


async def test_twenty_deliveries_share_five_consents_without_spending_one_twice(me: Actor) -> None:
    for _ in range(5):
        await grant(me, (T1, ACCEPT))
    deliveries = [uuid4() for _ in range(20)]

    async def deliver(id: UUID) -> bool:
        taken = await take(me, id)
        if taken:
            await consents.settle(id, spent=True)
        return taken

    taken = await asyncio.gather(*map(deliver, deliveries))
    assert sum(taken) == 5
    rows = await database.fetch(
        "SELECT delivery_id FROM message_consent WHERE account_id = $1 AND state = 'spent'", me.id
    )
    assert {row["delivery_id"] for row in rows} == {
        id for id, had in zip(deliveries, taken, strict=True) if had
    }
    assert not await take(me, uuid4())


async def test_a_delivery_that_comes_again_holds_what_it_held(me: Actor) -> None:
    for _ in range(2):
        await grant(me, (T1, ACCEPT))
    delivery = uuid4()
    assert [await take(me, delivery) for _ in range(3)] == [True] * 3
    assert await made.consents(me.id, T1) == 1
    await consents.settle(delivery, spent=False)
    assert await made.consents(me.id, T1) == 2


async def test_a_delivery_that_is_sent_anew_takes_another(me: Actor) -> None:
    for _ in range(2):
        await grant(me, (T1, ACCEPT))
    delivery = uuid4()
    for _ in range(2):
        assert await take(me, delivery)
        await consents.settle(delivery, spent=True)
    assert await made.consents(me.id, T1, "spent") == 2
    assert not await take(me, delivery)


async def test_what_was_not_committed_was_not_taken(me: Actor) -> None:
    await grant(me, (T1, ACCEPT))
    with pytest.raises(ZeroDivisionError):
        async with database.transaction():
            assert await consents.take(me.id, Channel.WECHAT, T1, uuid4())
            raise ZeroDivisionError
    assert await take(me, uuid4())


async def test_consents_are_of_a_person_a_platform_and_a_template(me: Actor) -> None:
    await grant(me, (T1, ACCEPT))
    assert not await take(me, uuid4(), T2)
    assert not await take(replace(me, account_id=uuid4()), uuid4())
    async with database.transaction():
        assert not await consents.take(me.id, Channel.ALIPAY, T1, uuid4())
    assert await take(me, uuid4())


async def test_the_oldest_is_spent_first(me: Actor) -> None:
    with clock.use(clock.FixedClock(clock.now())) as then:
        first = then.now()
        for _ in range(3):
            await grant(me, (T1, ACCEPT))
            then.advance(timedelta(days=1))
    await take(me, uuid4())
    held = "SELECT granted_at FROM message_consent WHERE account_id = $1 AND state = 'held'"
    assert await database.fetchval(held, me.id) == first


async def test_void_takes_what_is_free_and_leaves_what_others_hold(me: Actor) -> None:
    for _ in range(4):
        await grant(me, (T1, ACCEPT), (T2, ACCEPT))
    mine, another = uuid4(), uuid4()
    await take(me, mine)
    await take(me, another)
    await consents.settle(mine, spent=False)
    assert await consents.void(me.id, Channel.WECHAT, T1) == 3
    assert [await made.consents(me.id, T1, state) for state in ("free", "held", "void")] == [0, 1, 3]
    assert await made.consents(me.id, T2) == 4


async def test_to_ask_for_is_what_is_wanted_the_scarcest_first(me: Actor) -> None:
    await preferences.set_preference(me, kind=PLAIN.name, channel=Channel.WECHAT, is_on=False)
    await grant(me, (T2, ACCEPT))
    asked = await consents.subscribe_templates(me, Channel.WECHAT)
    # Of the kinds for residents: not what is turned off, not what is for staff; one with a consent comes last.
    assert [each.kind for each in asked] == [RESIDENT.name, made.FIXED.name, URGENT.name]
    assert {each.left for each in asked} == {0}
    for each in asked[:2]:
        await grant(me, (each.template, ACCEPT))
        await grant(me, (each.template, ACCEPT))
    asked = await consents.subscribe_templates(me, Channel.WECHAT)
    assert [(each.kind, each.left) for each in asked] == [
        (URGENT.name, 0),
        (OTHER.name, 1),
        (RESIDENT.name, 2),
    ]
    assert (asked[1].template, asked[1].label, asked[1].purpose) == (T2, "其他", "用于测试")


async def test_a_moment_asks_for_what_it_is_about(me: Actor) -> None:
    await preferences.set_preference(me, kind=PLAIN.name, channel=Channel.WECHAT, is_on=False)
    about = (OTHER.name, PLAIN.name, "nothing.of_the_sort")
    asked = await consents.subscribe_templates(me, Channel.WECHAT, about)
    # What is turned off is not asked for, whatever the moment is about.
    assert [each.kind for each in asked] == [OTHER.name]
    assert await consents.subscribe_templates(me, Channel.WECHAT, ()) == []


async def test_nothing_is_asked_where_nothing_could_be_sent(me: Actor) -> None:
    assert await consents.subscribe_templates(me, Channel.ALIPAY) == []
    await made.contact(me.id, Channel.ALIPAY)
    assert await consents.subscribe_templates(me, Channel.ALIPAY) == []
    assert await consents.subscribe_templates(Actor("resident", uuid4()), Channel.WECHAT) == []
    made.use([PLAIN])
    for _ in range(50):
        await grant(me, (T1, ACCEPT))
    assert await consents.subscribe_templates(me, Channel.WECHAT) == []
