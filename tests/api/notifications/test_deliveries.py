"""The delivery log over GraphQL: what is read, in how many statements, page by page; sending again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from domains.kernel import clock, database
from notifications.channels.port import Outcome, Refused, TryAgain, Unknown
from notifications.deliveries.courier import Courier
from notifications.kinds import Channel
from notifications.permissions import DELIVERIES_READ, DELIVERIES_RESEND
from schema.relay import encode
from tests.api.identity.clients import Api, Json, codes, count
from tests.factories import identity, residents, sending
from tests.factories.identity import Places
from tests.factories.sending import CHATTY, PLAIN, RARE, Scripted, person, send_all, set_up, tell

pytestmark = pytest.mark.usefixtures("instance")

QUERY = """query($compound: ID, $first: Int! = 20, $after: String, $filter: DeliveryFilter) {
  deliveries(compound: $compound, first: $first, after: $after, filter: $filter) {
    pageInfo { hasNextPage endCursor }
    nodes { id compound kind label channel recipient recipientName state reason attemptsMade platformId settledAt
      attempts { number outcome code detail } } } }"""


@pytest.fixture(autouse=True)
async def rows(instance: object) -> AsyncIterator[None]:
    async with sending.cleared():
        yield


@pytest.fixture(scope="module")
async def at(instance: object) -> Places:
    return await identity.places()


@pytest.fixture(scope="module")
async def mine(at: Places) -> str:
    """The token of who may read and resend in the whole compound."""
    held = (DELIVERIES_READ, DELIVERIES_RESEND)
    return await identity.token(await identity.staff(at, held, scope="compound", place_id=at.compound_id))


async def read(api: Api, token: str | None, compound_id: UUID | None, **more: object) -> Json:
    compound = encode("Compound", compound_id) if compound_id else None
    return await api.ask(QUERY, {"compound": compound, **more}, token)


async def nodes(api: Api, token: str, at: Places, **more: object) -> Json:
    answer = await read(api, token, at.compound_id, **more)
    assert "errors" not in answer, answer
    return answer["data"]["deliveries"]["nodes"]


async def resend(api: Api, token: str | None, delivery_id: object, key: UUID | None = None) -> Json:
    given = {"delivery": encode("Delivery", UUID(str(delivery_id))), "idempotencyKey": str(key or uuid4())}
    return await api.attempt("resendDelivery", "ResendDeliveryInput", "delivery", token, **given)


async def named(name: str) -> UUID:
    """A resident who has a number to be reached at."""
    account = await identity.resident(name=name)
    await sending.reachable(account, Channel.SMS)
    return account


async def test_the_log_says_what_became_of_each(api: Api, at: Places, mine: str) -> None:
    set_up(Scripted(Channel.SMS, answers=[TryAgain("isv.FLOW", "too fast"), Refused("isv.BLACK", "blocked")]))
    account = await named("李新民")
    await tell(account, compound_id=at.compound_id)
    for _ in range(2):
        await send_all()
        await sending.hurry()
    [row] = await nodes(api, mine, at)
    assert (row["kind"], row["label"], row["channel"]) == (PLAIN.name, "测试", "SMS")
    assert (row["recipient"], row["recipientName"]) == (encode("Account", account), "李**")
    assert (row["state"], row["reason"], row["attemptsMade"]) == ("DEAD", "isv.BLACK", 2)
    assert row["attempts"] == [
        {"number": 1, "outcome": "RETRY", "code": "isv.FLOW", "detail": "too fast"},
        {"number": 2, "outcome": "REFUSED", "code": "isv.BLACK", "detail": "blocked"},
    ]
    assert "13800000001" not in str(row)


async def test_whom_the_account_does_not_name_the_register_of_the_compound_does(
    api: Api, at: Places, mine: str
) -> None:
    set_up(Scripted(Channel.SMS))
    here, elsewhere = await named(""), await named("")
    await residents.person(at.compound_id, "赵敏", account_id=here)
    await residents.person((await identity.places()).compound_id, "钱进", account_id=elsewhere)
    for account in (here, elsewhere):
        await tell(account, compound_id=at.compound_id)
    shown = {row["recipient"]: row["recipientName"] for row in await nodes(api, mine, at)}
    assert shown == {encode("Account", here): "赵**", encode("Account", elsewhere): ""}


async def test_it_is_read_by_pages_and_narrowed_and_the_reading_is_kept(
    api: Api, at: Places, mine: str
) -> None:
    set_up(Scripted(Channel.SMS, answers=[Refused("x"), Refused("y")]))
    for _ in range(5):
        await tell(await named("王"), compound_id=at.compound_id)
    await send_all()
    await tell(await named("张"), kind=RARE, compound_id=at.compound_id)
    before = await count("audit_entry", "action = 'delivery.list' AND outcome = 'done'")
    first = (await read(api, mine, at.compound_id, first=4))["data"]["deliveries"]
    rest = await nodes(api, mine, at, first=4, after=first["pageInfo"]["endCursor"])
    assert len({row["id"] for row in first["nodes"] + rest}) == 6
    assert first["nodes"][0]["kind"] == RARE.name, "the newest first"
    assert await count("audit_entry", "action = 'delivery.list' AND outcome = 'done'") == before + 2
    for narrowed, number in (
        ({"state": "DEAD"}, 2), ({"state": "SENT"}, 3), ({"state": "PENDING"}, 1), ({"kind": RARE.name}, 1),
        ({"channel": "SMS"}, 6), ({"channel": "WECHAT"}, 0), ({"state": "SENT", "kind": PLAIN.name}, 3),
        ({"kind": "no.such"}, 0),
    ):  # fmt: skip
        assert len(await nodes(api, mine, at, filter=narrowed)) == number, narrowed


async def test_bad_input_is_refused(api: Api, at: Places, mine: str) -> None:
    assert codes(await read(api, mine, at.compound_id, first=0)) == ["BAD_PAGE_SIZE"]
    assert codes(await read(api, mine, at.compound_id, first=101)) == ["BAD_PAGE_SIZE"]
    assert codes(await read(api, mine, at.compound_id, after="nonsense")) == ["BAD_CURSOR"]
    assert codes(await api.ask(QUERY, {"compound": encode("House", at.compound_id)}, mine)) == ["BAD_ID"]
    wrong = {"delivery": encode("House", uuid4()), "idempotencyKey": str(uuid4())}
    answer = await api.attempt("resendDelivery", "ResendDeliveryInput", "delivery", mine, **wrong)
    assert codes(answer["data"]["resendDelivery"]) == ["BAD_ID"]
    assert codes((await resend(api, mine, uuid4()))["data"]["resendDelivery"]) == ["DELIVERY_NOT_FOUND"]


async def test_the_list_costs_the_same_however_long(api: Api, at: Places, mine: str) -> None:
    set_up(Scripted(Channel.SMS))
    costs = []
    for number in (1, 15):
        for _ in range(number):
            await tell(await named("王"), compound_id=at.compound_id)
        await send_all()
        async with database.counted() as cost:
            assert len(await nodes(api, mine, at)) >= number
        costs.append(cost.count)
    assert costs[0] == costs[1] <= 12, costs


@pytest.mark.parametrize("ended", ["dead", "uncertain", "expired"])
async def test_what_did_not_arrive_is_sent_again(api: Api, at: Places, mine: str, ended: str) -> None:
    answers: dict[str, Outcome] = {
        "dead": Refused("x"),
        "uncertain": Unknown("x"),
        "expired": TryAgain("x", after_s=1e7),
    }
    sms = Scripted(Channel.SMS, answers=[answers[ended]])
    set_up(sms)
    await tell(await named("李"), compound_id=at.compound_id)
    await send_all()
    [row] = await sending.rows()
    assert row["state"] == ended
    await database.execute("UPDATE delivery SET expires_at = now() - interval '1 day', due_at = created_at")
    key = uuid4()
    answers_given = [(await resend(api, mine, row["id"], key))["data"]["resendDelivery"] for _ in range(2)]
    assert answers_given[0] == answers_given[1], "the same key answers the same"
    assert answers_given[0] == {
        "delivery": encode("Delivery", row["id"]),
        "errors": [],
    }
    [row] = await sending.rows()
    assert (row["state"], row["attempts"], row["reason"], row["settled_at"]) == ("pending", 0, None, None)
    assert abs(row["expires_at"] - clock.now() - PLAIN.worth) < timedelta(minutes=1)
    await send_all()
    assert await sending.states() == ["sent"] and len(sms.parcels) == 2
    assert [each.partition(":")[0] for each in await sending.tries()] == ["1", "1"], "counted anew"
    kept = await count(
        "audit_entry", "action = 'delivery.resend' AND outcome = 'done' AND subject_id = $1", row["id"]
    )
    assert kept == 1
    again = await resend(api, mine, row["id"])
    assert codes(again["data"]["resendDelivery"]) == ["DELIVERY_NOT_RESENDABLE"]


async def test_a_digest_that_another_one_stands_for_is_not_sent_again(
    api: Api, at: Places, mine: str
) -> None:
    set_up(Scripted(Channel.SMS, answers=[Refused("x")]))
    account = await named("李")
    await tell(account, kind=CHATTY, compound_id=at.compound_id)
    await sending.hurry()
    await send_all()
    [dead] = await sending.rows()
    await tell(account, kind=CHATTY, compound_id=at.compound_id)
    answer = await resend(api, mine, dead["id"])
    assert codes(answer["data"]["resendDelivery"]) == ["DELIVERY_MERGED"]
    assert sorted(await sending.states()) == ["dead:x", "pending"]


async def test_pressed_by_two_at_once_it_is_sent_again_once(api: Api, at: Places, mine: str) -> None:
    sms = Scripted(Channel.SMS, answers=[Refused("x")])
    set_up(sms)
    await tell(await person(Channel.SMS), compound_id=at.compound_id)
    await send_all()
    [row] = await sending.rows()
    answers = await asyncio.gather(*(resend(api, mine, row["id"]) for _ in range(6)))
    errors = sorted(code for each in answers for code in codes(each["data"]["resendDelivery"]))
    assert len(errors) == 5 and set(errors) <= {"STATE_CONFLICT", "DELIVERY_NOT_RESENDABLE"}
    await asyncio.gather(*(send_all(Courier()) for _ in range(3)))
    assert len(sms.parcels) == 2
