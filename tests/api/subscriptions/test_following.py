"""What was missed comes first and once, whichever process, transport and moment."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest

from api.addresses import Addresses
from api.settings import Settings
from domains.identity.models import Account, Session
from domains.kernel import clock, database
from notifications import viewer_events
from notifications.viewer_events import Place, tell
from schema.event_cursors import SORT, event_cursor
from schema.relay import cursor, encode
from tests.api.subscriptions.following import (
    EVENTS,
    INBOX,
    TRANSPORTS,
    Follow,
    ask,
    here,
    over_websocket,
    refusal,
    shown,
    silent,
)
from tests.api.subscriptions.listening import by_websocket, close_code
from tests.api.subscriptions.processes import two
from tests.factories import identity, notifications, residents

pytestmark = pytest.mark.usefixtures("instance")
each_transport = pytest.mark.parametrize("follow", TRANSPORTS)


@pytest.fixture(scope="module")
def both(settings: Settings, addresses: Addresses, instance: object) -> Iterator[tuple[str, str]]:
    with two(settings, addresses) as addresses_of_both:
        yield addresses_of_both


@pytest.fixture(autouse=True)
def kinds(instance: object) -> None:
    notifications.use()


async def happened(account: UUID, *names: str) -> None:
    async with database.transaction():
        for name in names:
            await tell([account], name)


async def somebody() -> tuple[UUID, str]:
    account = await identity.resident(identity.new_phone(), "李新民")
    return account, await identity.token(account)


@each_transport
async def test_a_gap_is_filled_in_order_even_of_what_committed_out_of_order(
    both: tuple[str, str], follow: Follow
) -> None:
    first, second = both
    me, token = await somebody()
    async with follow(first, token, EVENTS, after=await here(first, token)) as answers:
        await happened(me, "a", "b")
        seen = await shown(answers, 2)
    assert [each["name"] for each in seen] == ["a", "b"]
    began, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        async with database.transaction():
            await tell([me], "slow")
            began.set()
            await go_on.wait()

    task = asyncio.create_task(slow())
    await began.wait()
    await happened(me, "c")
    async with follow(second, token, EVENTS, after=seen[1]["cursor"]) as answers:
        [c] = await shown(answers)
        go_on.set()
        await task
        [late] = await shown(answers)
    assert [c["name"], late["name"]] == ["c", "slow"]
    # And from every place that was passed, what comes after it, once.
    for place, rest in ((seen[0], ["b", "slow", "c"]), (c, ["slow"])):
        async with follow(first, token, EVENTS, after=place["cursor"]) as answers:
            assert [each["name"] for each in await shown(answers, len(rest))] == rest
            assert await silent(answers)


@each_transport
async def test_the_inbox_says_what_came_and_that_it_was_read(both: tuple[str, str], follow: Follow) -> None:
    first, second = both
    me, token = await somebody()
    start = await here(first, token)
    id = await notifications.told(me)
    async with follow(second, token, INBOX, after=start) as answers:
        [added] = await shown(answers)
        assert added["unreadCount"] == 1
        assert added["notification"]["id"] == encode("Notification", id)
        await happened(me, "registration.changed")
        read = f'mutation Read {{ markRead(input: {{notifications: ["{encode("Notification", id)}"]}}) {{ unreadCount }} }}'
        await ask(first, token, read)
        [marked] = await shown(answers)
        assert (marked["unreadCount"], marked["notification"]) == (0, None)
        assert await silent(answers)


async def test_fifty_notices_at_once_each_exactly_once_over_broken_lines(both: tuple[str, str]) -> None:
    me, token = await somebody()
    place, heard = await here(both[0], token), list[str]()
    telling = asyncio.gather(*(notifications.told(me, house=str(n)) for n in range(50)))
    async with asyncio.timeout(40):
        while len(heard) < 50:
            follow = TRANSPORTS[len(heard) % 2]
            async with follow(both[len(heard) % 3 % 2], token, INBOX, after=place) as answers:
                for change in await shown(answers, min(7, 50 - len(heard))):
                    heard.append(change["notification"]["id"])
                    place = change["cursor"]
    told = await telling
    assert sorted(heard) == sorted(encode("Notification", each) for each in told)
    async with over_websocket(both[0], token, INBOX, after=place) as answers:
        assert await silent(answers)


@each_transport
async def test_names_choose_and_the_thing_itself_comes_along(both: tuple[str, str], follow: Follow) -> None:
    me, token = await somebody()
    start = await here(both[0], token)
    await happened(me, "other")
    id = await notifications.told(me)
    async with follow(both[1], token, EVENTS, after=start, names=["inbox.added"]) as answers:
        [event] = await shown(answers)
    subject = encode("Notification", id)
    assert (event["name"], event["subject"]) == ("inbox.added", subject)
    assert event["node"] == {"__typename": "Notification", "id": subject}


async def test_what_may_not_be_seen_any_more_is_null(both: tuple[str, str]) -> None:
    scene = await residents.scene()
    owner, house = scene.owner, encode("House", scene.house_id)
    token = await identity.token(owner.account_id)

    async def house_changed() -> None:
        async with database.transaction():
            await tell([owner.account_id], "test.house", subject_type="House", subject_id=scene.house_id)

    async with over_websocket(both[0], token, EVENTS, after=await here(both[0], token)) as answers:
        await house_changed()
        assert [each["node"] for each in await shown(answers)] == [{"__typename": "House", "id": house}]
        # The occupancy ends while the subscription is open.
        await database.execute(
            "UPDATE occupancy SET ended_at = now(), end_reason = 'moved_out' WHERE id = $1",
            owner.occupancy_id,
        )
        await house_changed()
        [after] = await shown(answers)
    assert (after["subject"], after["node"]) == (house, None)


async def test_a_subject_of_no_known_type_is_an_id_and_nothing_more(both: tuple[str, str]) -> None:
    me, token = await somebody()
    async with over_websocket(both[0], token, EVENTS, after=await here(both[0], token)) as answers:
        async with database.transaction():
            await tell([me], "test.new", subject_type="Rocket", subject_id=me)
        [event] = await shown(answers)
    assert (event["subject"], event["node"]) == (encode("Rocket", me), None)


@each_transport
async def test_a_cursor_of_anothers_shows_nothing_of_theirs(both: tuple[str, str], follow: Follow) -> None:
    me, mine = await somebody()
    you, yours = await somebody()
    start = await here(both[0], mine)
    await happened(me, "mine")
    async with follow(both[0], mine, EVENTS, after=start) as answers:
        [event] = await shown(answers)
    for stolen in (start, event["cursor"]):
        async with follow(both[0], yours, EVENTS, after=stolen) as answers:
            assert await silent(answers, 0.3)
    async with follow(both[0], yours, EVENTS, after=start) as answers:
        await happened(you, "yours")
        assert [each["name"] for each in await shown(answers)] == ["yours"]


def forged(*keys: object) -> str:
    return cursor(SORT, *keys)  # type: ignore[arg-type]  # what somebody who read the code would make


NOW = clock.now()
BAD = [
    "", "nonsense", "é", "a" * 1_999, cursor("houses", "x", UUID(int=1)), forged(), forged(1, "700:5:", "now"),
    forged(1, "5:1", NOW), forged(1, "5:9:9", NOW), forged(1, "5:9:3,2", NOW), forged(1, "0:9:", NOW),
    forged(2**63, "5:9:", NOW), forged(1, f"{2**63}:9:", NOW), forged(True, "x' OR 1", NOW), forged(1, "4294967296:1:", NOW),
    forged(1, "5:9:", NOW, "5:8:", NOW), forged(1, "5:9:", NOW, "8", NOW, UUID(int=1)), forged(1, "5:9:,", NOW),
]  # fmt: skip


@each_transport
async def test_bad_cursors_are_refused_and_say_what_to_do(both: tuple[str, str], follow: Follow) -> None:
    _, token = await somebody()
    for query in (EVENTS, INBOX):
        for bad in BAD:
            async with follow(both[0], token, query, after=bad) as answers:
                code, said = await refusal(answers)
            assert (code, said) == ("BAD_CURSOR", "更新位置无效,请刷新后重新订阅"), bad


@each_transport
async def test_a_cursor_that_is_too_old_or_of_another_database_has_expired(
    both: tuple[str, str], follow: Follow
) -> None:
    me, token = await somebody()
    place = await viewer_events.here()
    await happened(me, "missed")
    old = Place(place.cluster, place.snapshot, place.at - timedelta(days=3, seconds=1))
    for each in (old, Place(place.cluster + 1, place.snapshot, place.at)):
        async with follow(both[0], token, EVENTS, after=event_cursor(each)) as answers:
            code, said = await refusal(answers)
        assert (code, "请刷新后重试" in said) == ("CURSOR_EXPIRED", True)


@each_transport
@pytest.mark.parametrize("query", [EVENTS, INBOX])
async def test_who_may_follow(both: tuple[str, str], follow: Follow, query: str) -> None:
    at = await identity.places()
    staff = await identity.staff(at, [])
    confined = await identity.staff(at, ["estate.read"])
    await database.execute(
        "UPDATE staff_member SET must_change_password = true WHERE account_id = $1", confined
    )
    async with follow(both[0], None, query) as answers:
        assert (await refusal(answers))[0] == "UNAUTHENTICATED"
    async with follow(both[0], await identity.token(confined), query) as answers:
        assert (await refusal(answers))[0] == "PASSWORD_CHANGE_REQUIRED"
    token = await identity.token(staff)
    async with follow(both[0], token, query, after=await here(both[0], token)) as answers:
        await notifications.told(staff)
        assert len(await shown(answers)) == 1


async def test_without_a_cursor_it_begins_now(both: tuple[str, str]) -> None:
    me, token = await somebody()
    await happened(me, "before")
    async with over_websocket(both[0], token) as answers:
        await asyncio.sleep(0.5)
        await happened(me, "after")
        assert [each["name"] for each in await shown(answers)] == ["after"]


async def test_what_is_read_with_the_cursor_is_not_newer_than_it(both: tuple[str, str]) -> None:
    """Fragments and aliases name it as well."""
    _, token = await somebody()
    for query in (
        "query Here { viewer { inbox(first: 1) { unreadCount } at: eventCursor } }",
        "query Here { viewer { ...Place } } fragment Place on Viewer { ... on Viewer { at: eventCursor } }",
    ):
        at = (await ask(both[0], token, query))["viewer"]["at"]
        async with over_websocket(both[0], token, EVENTS, after=at) as answers:
            assert await silent(answers, 0.2)


@pytest.mark.parametrize("end", ["signed out", "disabled", "joined"])
async def test_the_end_of_a_session_ends_what_is_open(both: tuple[str, str], end: str) -> None:
    me, token = await somebody()
    async with by_websocket(both[0], token, EVENTS) as ws:
        await asyncio.sleep(0.3)
        if end == "signed out":
            await ask(both[1], token, "mutation Leave { signOut { errors { code } } }")
        elif end == "joined":
            await Session.filter(account_id=me).update(ended_at=clock.now(), end_reason="joined")
        else:
            await Account.filter(id=me).update(disabled_at=clock.now())
        async with asyncio.timeout(10):
            assert await close_code(ws) == 4403
    if end != "signed out":
        await happened(me, "afterwards")
        with pytest.raises(Exception, match="4403"):
            async with by_websocket(both[0], token, EVENTS):
                pass
