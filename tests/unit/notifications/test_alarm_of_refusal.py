"""A template of WeChat's that our message does not fit: from the platform's refusal to the operators' inbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

from domains.identity.models import StaffMember
from domains.identity.notices import PHONE_CHANGED
from domains.identity.platforms.person import PlatformPerson
from domains.identity.service.joining import Proof, account_of
from domains.kernel import database
from domains.kernel.ids import timestamp_of
from domains.platforms import transports
from notifications import inbox
from notifications.consents import Answer, Outcome, grant_subscribe_messages
from notifications.kinds import Channel
from notifications.notifying import templates
from notifications.permissions import DELIVERIES_READ
from tests.factories import identity
from tests.factories.notifications import consents
from tests.factories.parcels import open_id
from tests.factories.relaying import data_of, deliver, deliver_again, told
from tests.factories.sending import cleared, send_all, states
from tests.unit.stand_ins.stand import Stand

pytestmark = pytest.mark.usefixtures("reaching")


@pytest.fixture(autouse=True)
async def nothing_yet(reaching: object, stand: Stand) -> AsyncIterator[None]:
    stand.http.delete("/open/faults")
    async with cleared():
        yield


def template() -> str:
    return templates()[Channel.WECHAT][PHONE_CHANGED.name]


def choose(stand: Stand, *more: str) -> None:
    """The template in WeChat's console has the kind's keywords, and these."""
    chosen = {"title": "手机号变更", "keywords": [*PHONE_CHANGED.wechat, *more]}
    stand.write("wechat_templates.json", {template(): chosen})


async def operator() -> UUID:
    account = await identity.staff(await identity.places(), [])
    await StaffMember.filter(account_id=account).update(is_operator=True)
    return account


class Resident:
    """Somebody known to WeChat who wants to be written to."""

    def __init__(self, stand: Stand, name: str) -> None:
        wechat = transports().wechat
        assert wechat is not None
        self.name, self.open_id = name, open_id(stand, "wechat", name)
        self._person = PlatformPerson("wechat", wechat.app_id, self.open_id)

    async def prove_another_phone(self) -> UUID:
        async with database.transaction():
            return (await account_of(Proof("wechat", self._person, identity.new_phone()))).id


async def resident(stand: Stand) -> tuple[Resident, UUID]:
    """One who has consented, on the platform and here, to one message about a change of the phone."""
    who = Resident(stand, uuid4().hex)
    account = await who.prove_another_phone()
    stand.open("wechat/consent", person=who.name, template=template(), times=1)
    await grant_subscribe_messages(
        await identity.actor(account), platform=Channel.WECHAT,
        results=[Answer(template(), Outcome.ACCEPT)], idempotency_key=uuid4(),
    )  # fmt: skip
    return who, account


async def change_phone(who: Resident) -> None:
    """The change, what is told of it, and what is told of how that went."""
    await who.prove_another_phone()
    await deliver()
    await send_all()
    await deliver()


async def faults() -> list[tuple[UUID, str]]:
    rows = await database.fetch(
        "SELECT event_id, payload::text AS said FROM outbox_message WHERE event = 'MessageFault' ORDER BY id"
    )
    return [(row["event_id"], row["said"]) for row in rows]


async def test_a_message_that_does_not_fit_is_dead_and_its_consent_given_back(stand: Stand) -> None:
    choose(stand, "thing9")
    who, account = await resident(stand)
    await change_phone(who)
    assert await states(account) == ["dead:47003"]
    assert [await consents(account, template(), state) for state in ("free", "held", "spent")] == [1, 0, 0]
    assert stand.messages(person=who.name, channel="wechat") == []
    assert await told(account) == [PHONE_CHANGED.name]


async def test_operators_and_nobody_else_are_alarmed_once_however_many_fail(stand: Stand) -> None:
    choose(stand, "thing9")
    mine, other = await operator(), await operator()
    manager = await identity.staff(await identity.places(), ["staff.write", DELIVERIES_READ])
    (first, account), (second, neighbour) = await resident(stand), await resident(stand)
    for who in (first, second, first):
        await change_phone(who)
    await deliver_again()
    assert await states() == ["dead:47003"] * 3
    found = await faults()
    # One, unless an hour ends meanwhile.
    hours = {f"{timestamp_of(id):%Y-%m-%dT%H}" for id, _ in found}
    assert (len(found), len(hours) in (1, 2)) == (3, True)
    for each in (mine, other):
        assert await told(each) == ["delivery.fault"] * len(hours)
    assert await told(manager) == []
    assert {*await told(account), *await told(neighbour)} == {PHONE_CHANGED.name}


async def test_the_operator_reads_what_to_mend(stand: Stand) -> None:
    choose(stand, "thing9")
    account = await operator()
    who, _ = await resident(stand)
    await change_phone(who)
    said = await data_of(account, "delivery.fault")
    assert (said["channel"], said["code"], said["kind"]) == ("wechat", "47003", PHONE_CHANGED.name)
    assert "data.thing9.value invalid" in str(said["detail"])
    reader = await identity.actor(account)
    [alarm] = await inbox.page(reader, inbox.InboxFilter(), after=None, limit=10)
    assert "47003" in alarm.body
    assert "thing9" in alarm.body
    assert await inbox.unread_count(reader) == 1


async def test_the_alarm_does_not_say_whom_the_message_was_for(stand: Stand) -> None:
    account = await operator()
    who, resident_account = await resident(stand)
    # WeChat names the argument: let that be the very open id.
    choose(stand, who.open_id)
    await change_phone(who)
    assert await states(resident_account) == ["dead:47003"]
    detail = str((await data_of(account, "delivery.fault"))["detail"])
    assert detail.startswith("argument invalid! data.***.value invalid")
    assert who.open_id not in detail
    [(_, said)] = await faults()
    kept = await database.fetchval("SELECT string_agg(a::text, '|') FROM delivery_attempt a")
    assert who.open_id not in f"{said}{kept}"


async def test_once_the_template_is_mended_the_same_consent_serves(stand: Stand) -> None:
    choose(stand, "thing9")
    account = await operator()
    who, resident_account = await resident(stand)
    await change_phone(who)
    choose(stand)
    await change_phone(who)
    assert await states(resident_account) == ["dead:47003", "sent"]
    assert await consents(resident_account, template(), "spent") == 1
    assert len(stand.messages(person=who.name, channel="wechat")) == 1
    assert await told(account) == ["delivery.fault"]
