"""Payment trouble over the API: who sees it and who settles it; whoever may not has done nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import orjson
import pytest

from domains.billing.models import BillingRules
from domains.kernel import database
from payments import permissions
from payments.service import intake, refund_sending
from schema.relay import encode
from tests.api.identity.clients import Api, Json, codes
from tests.api.payments.cases import FEN, World
from tests.api.payments.test_authority import DENIED, STATE, refusal, token_of
from tests.factories import identity, residents
from tests.factories.channel import ScriptedChannel, channel_of
from tests.factories.jobs import operator_account
from tests.factories.ledger import check_books, trial_balance
from tests.factories.residents import CALLERS

pytestmark = pytest.mark.usefixtures("instance")

SELECTION = """exception { id kind amountFen isAskedBack askedAction askedByName actions action closedAt closedByName
    payment { id } refund { id state } }"""
LIST = """query($c: ID, $kinds: [PaymentExceptionKind!], $open: Boolean!, $first: Int = 20, $after: String) {
    paymentExceptions(compound: $c, kinds: $kinds, open: $open, first: $first, after: $after) {
        totalCount pageInfo { hasNextPage endCursor } nodes {
            id kind amountFen note openedAt isAskedBack askedAction askedAt askedByName actions action closedAt
            closedByName decisionNote payment { id number title parts { amountFen } } refund { id state cause } } } }"""
LATEST = "SELECT id FROM payment_exception WHERE compound_id = $1 ORDER BY id DESC LIMIT 1"


@pytest.fixture
async def world() -> World:
    with channel_of(ScriptedChannel()) as channel:
        return World(await residents.scene(), channel)


async def latest(world: World) -> str:
    id: UUID = await database.fetchval(LATEST, world.scene.compound_id)
    return encode("PaymentException", id)


async def number_of(payment: UUID) -> str:
    number: str = await database.fetchval(
        "SELECT out_trade_no FROM payment_attempt WHERE order_id = $1", payment
    )
    return number


async def short(world: World) -> str:
    """Somebody paid a fen too little."""
    number = await number_of(await world.open())
    await intake.take_notification(world.channel, {}, world.channel.pay(number, FEN - 1))
    return await latest(world)


async def gone(world: World) -> str:
    """Somebody refunded at the platform itself."""
    number = await number_of(await world.paid())
    said = {
        "id": uuid4().hex,
        "sign": "genuine",
        "out_trade_no": number,
        "refund_no": uuid4().hex,
        "fen": 100,
    }
    await intake.take_notification(world.channel, {}, orjson.dumps({**said, "state": "succeeded"}))
    return await latest(world)


async def forged(world: World) -> str:
    """Somebody sent a message that is not genuine."""
    said = world.channel.pay(await number_of(await world.open())).replace(b"genuine", b"forged!")
    await intake.take_notification(world.channel, {}, said)
    return await latest(world)


async def failed(world: World) -> str:
    """A refund did not arrive."""
    await world.stuck()
    await refund_sending.see_to_due()
    world.channel.refund_state = "succeeded"
    return await latest(world)


Made = Callable[[World], Awaitable[str]]
WAYS: dict[str, Made] = {
    "REFUND": short, "PREPAY": short, "BOOK": gone, "WRITE_OFF": gone, "NOTE": forged, "RETRY": failed,
}  # fmt: skip


async def state() -> tuple[object, ...]:
    """All that could have changed."""
    row = await database.fetchrow(STATE)
    exceptions = await database.fetchval(
        "SELECT md5(string_agg(t::text, '|' ORDER BY t.id)) FROM payment_exception t"
    )
    assert row is not None
    return (*row.values(), exceptions)


async def settle(api: Api, id: str, action: str, token: str | None, key: str = "") -> Json:
    given = {"exception": id, "action": action, "note": "已核对", "idempotencyKey": key or str(uuid4())}
    return await api.attempt(
        "settlePaymentException", "SettlePaymentExceptionInput", SELECTION, token, **given
    )


async def clerk(world: World, *granted: str) -> str:
    """A session of staff with these permissions over all of the compound."""
    place = world.scene.compound_id
    company = await database.fetchval(
        "SELECT o.name FROM compound c JOIN company o ON o.id = c.company_id WHERE c.id = $1", place
    )
    return await identity.token(await identity.staff(company, granted, scope="compound", place_id=place))


@pytest.mark.parametrize("action", WAYS)
async def test_who_may_not_settles_nothing(api: Api, world: World, action: str) -> None:
    id = await WAYS[action](world)
    before, calls = await state(), world.channel.calls.total()
    tokens = [await token_of(world.scene, kind) for kind in CALLERS if kind != "staff"]
    asks_only = action in ("REFUND", "WRITE_OFF", "NOTE")
    other = permissions.REFUNDS_DECIDE if asks_only else permissions.REFUNDS_REQUEST
    for token in (*tokens, await clerk(world, permissions.PAYMENTS_READ, other)):
        answer = await settle(api, id, action, token)
        assert set(codes(answer)) <= DENIED and codes(answer), answer
    assert await state() == before and world.channel.calls.total() == calls


@pytest.mark.parametrize("action", WAYS)
async def test_who_may_settles_it_once(api: Api, world: World, action: str) -> None:
    id, token, key = await WAYS[action](world), await token_of(world.scene, "staff"), str(uuid4())
    answer = await settle(api, id, action, token, key)
    assert refusal(answer, "settlePaymentException") == [], answer
    shown, after = answer["data"]["settlePaymentException"]["exception"], await state()
    assert shown["id"] == id
    waits = {"REFUND": "isAskedBack", "WRITE_OFF": "askedAction"}.get(action)
    assert shown[waits] if waits else (shown["action"], shown["actions"]) == (action, [])
    again = await settle(api, id, action, token, key)
    assert again["data"] == answer["data"] and await state() == after
    await check_books()


async def test_two_people_write_off_a_loss(api: Api, world: World) -> None:
    id, one, other = (
        await gone(world),
        await token_of(world.scene, "staff"),
        await token_of(world.scene, "staff"),
    )
    asked = (await settle(api, id, "WRITE_OFF", one))["data"]["settlePaymentException"]["exception"]
    assert (asked["askedAction"], asked["closedAt"], asked["actions"]) == ("WRITE_OFF", None, ["BOOK"])
    before = await state()
    assert codes(await settle(api, id, "WRITE_OFF", one)) == ["EXCEPTION_OWN"] and await state() == before
    done = (await settle(api, id, "WRITE_OFF", other))["data"]["settlePaymentException"]["exception"]
    assert done["action"] == "WRITE_OFF" and done["closedByName"] and done["actions"] == []
    books = await trial_balance(world.scene.compound_id)
    assert books == {"clearing": FEN - 100, "write_off": 100, "income": -FEN}
    await check_books()


async def test_what_may_be_done_is_what_the_caller_may(api: Api, world: World) -> None:
    await BillingRules.update_or_create(
        compound_id=world.scene.compound_id, defaults={"allows_part_payment": True}
    )
    await short(world)
    variables = {"c": encode("Compound", world.scene.compound_id), "open": True}
    for granted, expected in (
        ((), []), ((permissions.REFUNDS_REQUEST,), ["REFUND"]), ((permissions.REFUNDS_DECIDE,), ["PREPAY", "APPLY"]),
    ):  # fmt: skip
        answer = await api.ask(LIST, variables, await clerk(world, permissions.PAYMENTS_READ, *granted))
        [node] = answer["data"]["paymentExceptions"]["nodes"]
        assert (node["actions"], node["kind"], node["amountFen"]) == (expected, "UNDERPAID", FEN - 1), answer


async def test_the_list_is_for_staff_over_all_of_the_compound(api: Api, world: World) -> None:
    id = await short(world)
    variables = {"c": encode("Compound", world.scene.compound_id), "open": True}
    one = "query($id: ID!) { node(id: $id) { id } }"
    for kind in CALLERS:
        token = await token_of(world.scene, kind)
        answer, node = await api.ask(LIST, variables, token), await api.ask(one, {"id": id}, token)
        if kind == "staff":
            assert [each["id"] for each in answer["data"]["paymentExceptions"]["nodes"]] == [id]
            assert node["data"]["node"] == {"id": id}
        else:
            assert codes(answer) == ["UNAUTHENTICATED" if kind == "nobody" else "FORBIDDEN"], kind
            assert not (node["data"] or {}).get("node"), kind


async def test_pages_filters_and_what_is_over(api: Api, world: World) -> None:
    token = await token_of(world.scene, "staff")
    made = [await short(world), await gone(world), await forged(world), await short(world)]
    await settle(api, made[0], "PREPAY", token)
    compound = encode("Compound", world.scene.compound_id)

    async def seen(**given: object) -> tuple[list[str], Json]:
        answer = await api.ask(LIST, {"c": compound, "open": True, **given}, token)
        found = answer["data"]["paymentExceptions"]
        return [each["id"] for each in found["nodes"]], found

    ids, found = await seen()
    assert (ids, found["totalCount"]) == (made[:0:-1], 3)
    first, page = await seen(first=2)
    rest, last = await seen(first=2, after=page["pageInfo"]["endCursor"])
    assert first + rest == ids and page["pageInfo"]["hasNextPage"] and not last["pageInfo"]["hasNextPage"]
    assert (await seen(kinds=["REFUSED", "UNDERPAID"]))[0] == [made[3], made[2]]
    over, found = await seen(open=False)
    assert over == made[:1] and found["nodes"][0]["action"] == "PREPAY" and found["nodes"][0]["closedByName"]


async def test_the_list_costs_the_same_for_one_and_for_many(api: Api, world: World) -> None:
    token, costs = await token_of(world.scene, "staff"), list[int]()
    variables = {"c": encode("Compound", world.scene.compound_id), "open": True}
    for _ in range(2):
        for _ in range(len(costs) * 2 + 1):
            await short(world)
            await failed(world)
            await settle(api, await gone(world), "WRITE_OFF", token)
        await api.ask(LIST, variables, token)
        async with database.counted() as statements:
            answer = await api.ask(LIST, variables, token)
        assert "errors" not in answer, answer
        costs.append(statements.count)
    assert costs[0] == costs[1], costs


async def test_what_names_nothing_of_ours_is_for_whoever_runs_the_installation(
    api: Api, world: World
) -> None:
    stranger = {"id": uuid4().hex, "sign": "genuine", "out_trade_no": "ELSEWHERE1", "state": "paid", "channel_no": "9",
                "fen": 77, "paid_at": "2026-07-01T00:00:00+00:00"}  # fmt: skip
    taken = await intake.take_notification(world.channel, {}, orjson.dumps(stranger))
    assert taken.verdict == "unknown_party"
    for kind in CALLERS:
        answer = await api.ask(LIST, {"open": True}, await token_of(world.scene, kind))
        assert codes(answer) == ["UNAUTHENTICATED" if kind == "nobody" else "FORBIDDEN"], kind
    operator = await identity.token(await operator_account())
    found = (await api.ask(LIST, {"open": True}, operator))["data"]["paymentExceptions"]["nodes"]
    [node] = [each for each in found if each["note"] == "ELSEWHERE1"]
    assert (node["actions"], node["payment"], node["amountFen"]) == (["NOTE"], None, 77)
    before = await state()
    denied = await settle(api, node["id"], "NOTE", await token_of(world.scene, "staff"))
    assert codes(denied) == ["FORBIDDEN"] and await state() == before
    done = await settle(api, node["id"], "NOTE", operator)
    assert done["data"]["settlePaymentException"]["exception"]["action"] == "NOTE", done
