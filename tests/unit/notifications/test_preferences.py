"""What a person wants by which way, and when nothing may intrude."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from domains.kernel import database
from domains.kernel.actor import ANONYMOUS, Actor, Origin
from domains.kernel.errors import Forbidden, Invalid, Unauthenticated
from notifications import preferences as service
from notifications.kinds import Channel
from notifications.preferences import ChannelWish, KindWishes, QuietHours
from tests.factories import notifications as made
from tests.factories.notifications import FIXED, PLAIN, RESIDENT, STAFF, URGENT

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture(autouse=True)
def kinds() -> None:
    made.use()


def somebody(kind: Any = "resident") -> Actor:  # Any: the literal of Actor
    return Actor(kind, uuid4(), uuid4())


async def of(actor: Actor, name: str) -> KindWishes:
    found = await service.preferences(actor)
    return next(each for each in found.kinds if each.kind == name)


def by_channel(wishes: KindWishes) -> dict[Channel, ChannelWish]:
    return {each.channel: each for each in wishes.channels}


async def test_who_chose_nothing_has_the_defaults_and_is_reached_nowhere() -> None:
    found = await service.preferences(somebody())
    assert found.quiet_hours == QuietHours(True, "22:00", "07:00")
    plain = next(each for each in found.kinds if each.kind == PLAIN.name)
    assert (plain.label, plain.purpose, plain.is_optional) == ("测试", "用于测试", True)
    assert plain.channels == tuple(
        ChannelWish(channel, label, True, True, False)
        for channel, label in (
            (Channel.WECHAT, "微信"), (Channel.ALIPAY, "支付宝"), (Channel.WEB_PUSH, "浏览器推送"),
        )
    )  # fmt: skip


async def test_reachable_is_what_has_an_address_and_a_template() -> None:
    me = somebody()
    for channel in (Channel.WECHAT, Channel.ALIPAY, Channel.SMS):
        await made.contact(me.id, channel)
    reached = {name: wish.is_reachable for name, wish in by_channel(await of(me, URGENT.name)).items()}
    # There is no template for Alipay here, none for calls, and no browser.
    assert reached == {
        Channel.WECHAT: True, Channel.ALIPAY: False, Channel.WEB_PUSH: False, Channel.SMS: True, Channel.VOICE: False,
    }  # fmt: skip
    await database.execute(
        "INSERT INTO push_subscription VALUES ($1, $2, $3, 'e', $4, 'k', now())",
        uuid4(), me.id, uuid4(), uuid4().bytes,
    )  # fmt: skip
    assert by_channel(await of(me, PLAIN.name))[Channel.WEB_PUSH].is_reachable
    made.use(having={Channel.VOICE: {URGENT.name: "TTS_1"}})
    assert by_channel(await of(me, URGENT.name))[Channel.VOICE].is_reachable


async def test_kinds_are_those_that_can_reach_the_account() -> None:
    residents, staff = [
        {each.kind for each in (await service.preferences(somebody(kind))).kinds} for kind in ("resident", "staff")
    ]  # fmt: skip
    assert residents - staff == {RESIDENT.name}
    assert staff - residents == {STAFF.name}


async def test_a_choice_holds_for_its_kind_channel_and_person_alone() -> None:
    me, you = somebody(), somebody()
    for is_on in (False, True, False):
        chosen = await service.set_preference(me, kind=PLAIN.name, channel=Channel.WECHAT, is_on=is_on)
        assert by_channel(chosen)[Channel.WECHAT].is_on is is_on
    assert chosen == await of(me, PLAIN.name)
    assert by_channel(chosen)[Channel.WECHAT].is_default
    assert by_channel(chosen)[Channel.ALIPAY].is_on
    assert by_channel(await of(you, PLAIN.name))[Channel.WECHAT].is_on
    assert await service.all_wishes(me.id) == {PLAIN.name: {Channel.WECHAT: False}}
    assert await service.all_wishes(you.id) == {}


async def test_what_is_off_by_default_can_be_turned_on() -> None:
    staff = somebody("staff")
    assert not by_channel(await of(staff, STAFF.name))[Channel.SMS].is_on
    chosen = await service.set_preference(staff, kind=STAFF.name, channel=Channel.SMS, is_on=True)
    assert by_channel(chosen)[Channel.SMS] == ChannelWish(Channel.SMS, "短信", True, False, False)


@pytest.mark.parametrize(
    ("kind", "channel", "code"),
    [
        ("no.such", Channel.WECHAT, "KIND_UNKNOWN"),
        (STAFF.name, Channel.WECHAT, "KIND_UNKNOWN"),
        (FIXED.name, Channel.WECHAT, "KIND_NOT_OPTIONAL"),
        (URGENT.name, Channel.SMS, "KIND_NOT_OPTIONAL"),
        (PLAIN.name, Channel.SMS, "CHANNEL_NOT_OFFERED"),
        (PLAIN.name, Channel.WEBHOOK, "CHANNEL_NOT_OFFERED"),
    ],
)
async def test_what_cannot_be_chosen_changes_nothing(kind: str, channel: Channel, code: str) -> None:
    me, before = somebody(), await made.fingerprint()
    with pytest.raises(Invalid) as refused:
        await service.set_preference(me, kind=kind, channel=channel, is_on=False)
    assert refused.value.code == code
    assert await made.fingerprint() == before


async def test_the_urgent_comes_by_every_way_there_is() -> None:
    wishes = await of(somebody(), URGENT.name)
    assert not wishes.is_optional
    assert all(each.is_on for each in wishes.channels)
    assert set(by_channel(wishes)) == set(service.CHANNEL_LABELS)


async def test_quiet_hours_are_kept_to_the_minute_and_in_part() -> None:
    me = somebody()
    await service.set_quiet_hours(me, is_on=True, starts="23:59", ends="00:01")
    assert (await service.preferences(me)).quiet_hours == QuietHours(True, "23:59", "00:01")
    await service.set_quiet_hours(me, is_on=False)
    await service.set_quiet_hours(me, is_on=True, ends="06:30")
    assert (await service.preferences(me)).quiet_hours == QuietHours(True, "23:59", "06:30")
    row = await database.fetchrow("SELECT * FROM recipient WHERE account_id = $1", me.id)
    assert row is not None
    assert (row["quiet_from"], row["quiet_until"]) == (1439, 390)


async def test_who_is_known_keeps_language_and_closing() -> None:
    me = replace(somebody(), origin=Origin(language="en"))
    await service.set_quiet_hours(me, is_on=False)
    assert await database.fetchval("SELECT language FROM recipient WHERE account_id = $1", me.id) == "en"
    await database.execute("UPDATE recipient SET language = 'zh' WHERE account_id = $1", me.id)
    await service.set_quiet_hours(me, is_on=True)
    assert await database.fetchval("SELECT language FROM recipient WHERE account_id = $1", me.id) == "zh"


@pytest.mark.parametrize(
    "time", ["24:00", "7:00", "07:60", "0700", "07:00:00", "", " 07:00", "０７:００", "-1:00", "七点"]
)
async def test_a_time_that_is_none_is_refused(time: str) -> None:
    me, before = somebody(), await made.fingerprint()
    for bounds, field in (({"starts": time}, "from"), ({"ends": time}, "until")):
        with pytest.raises(Invalid) as refused:
            await service.set_quiet_hours(me, is_on=True, **bounds)
        assert (refused.value.code, refused.value.field) == ("TIME_INVALID", field)
    assert await made.fingerprint() == before


@pytest.mark.parametrize("bounds", [("08:00", "08:00"), ("07:00", None), (None, "22:00")])
async def test_hours_that_end_when_they_begin_are_refused(bounds: tuple[str | None, str | None]) -> None:
    me, before = somebody(), await made.fingerprint()
    with pytest.raises(Invalid) as refused:
        await service.set_quiet_hours(me, is_on=True, starts=bounds[0], ends=bounds[1])
    assert refused.value.code == "QUIET_HOURS_EMPTY"
    assert await made.fingerprint() == before


async def test_choices_are_audited_and_only_who_is_signed_in_chooses() -> None:
    me = somebody()
    await service.set_preference(me, kind=PLAIN.name, channel=Channel.WECHAT, is_on=False)
    await service.set_quiet_hours(me, is_on=False)
    actions = await database.fetch("SELECT action FROM audit_entry WHERE actor_id = $1 ORDER BY id", me.id)
    assert [row["action"] for row in actions] == [
        "notification.set_preference",
        "notification.set_quiet_hours",
    ]
    before = await made.fingerprint()
    with pytest.raises(Unauthenticated):
        await service.set_preference(ANONYMOUS, kind=PLAIN.name, channel=Channel.WECHAT, is_on=False)
    with pytest.raises(Unauthenticated):
        await service.preferences(ANONYMOUS)
    with pytest.raises(Forbidden):
        await service.set_quiet_hours(replace(somebody("staff"), confined=True), is_on=False)
    assert await made.fingerprint() == before


async def test_choices_that_race_leave_one_row() -> None:
    me = somebody()
    await asyncio.gather(
        *(service.set_preference(me, kind=PLAIN.name, channel=Channel.WECHAT, is_on=n % 2 == 0) for n in range(8)),
        *(service.set_quiet_hours(me, is_on=n % 2 == 0) for n in range(8)),
    )  # fmt: skip
    for table in ("notification_preference", "recipient"):
        assert await database.fetchval(f"SELECT count(*) FROM {table} WHERE account_id = $1", me.id) == 1


async def test_preferences_cost_two_statements_however_many_kinds() -> None:
    me = somebody()
    for number in (1, 50):
        made.use([made.kind(f"test.n{n}") for n in range(number)])
        async with database.counted() as cost:
            assert len((await service.preferences(me)).kinds) == number
        assert cost.count == 2
