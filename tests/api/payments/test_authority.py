"""Who may do what with payments, over the API; whoever may not has done nothing."""

from __future__ import annotations

from uuid import UUID

import pytest

from domains.billing.queries.house_payments import follow
from domains.kernel import database
from schema.relay import encode
from tests.api.identity.clients import Api, Json, codes
from tests.api.payments.cases import MUTATIONS, PERMISSIONS, World
from tests.factories import identity, residents
from tests.factories.channel import ScriptedChannel, channel_of
from tests.factories.ledger import check_books
from tests.factories.residents import CALLERS, Scene

pytestmark = pytest.mark.usefixtures("instance")

DENIED = {"FORBIDDEN", "UNAUTHENTICATED", "BILL_NOT_FOUND", "PAYMENT_NOT_FOUND"}
STATE = """
SELECT (SELECT md5(string_agg(t::text, '|' ORDER BY t.id)) FROM payment_order t) AS orders,
    (SELECT md5(string_agg(t::text, '|' ORDER BY t.id)) FROM payment_attempt t) AS attempts,
    (SELECT md5(string_agg(t::text, '|' ORDER BY t.id)) FROM payment_item t) AS items,
    (SELECT md5(string_agg(t::text, '|' ORDER BY t.id)) FROM refund t) AS refunds,
    (SELECT md5(string_agg(t::text, '|' ORDER BY t.id)) FROM payable t) AS payables,
    (SELECT count(*) FROM journal) AS journals,
    (SELECT count(*) FROM outbox_message WHERE event ~* 'payment|payable|refund|bill') AS events
"""


@pytest.fixture
async def world() -> World:
    with channel_of(ScriptedChannel()) as channel:
        return World(await residents.scene(), channel)


async def token_of(scene: Scene, kind: str) -> str | None:
    """A session of one of CALLERS; None for nobody."""
    if kind == "nobody":
        return None
    if kind in ("owner", "family", "tenant", "neighbour"):
        return await identity.token(getattr(scene, kind).account_id)
    if kind == "stranger":
        return await identity.token(await identity.resident(identity.new_phone()))
    place = scene.other_compound_id if kind == "staff elsewhere" else scene.compound_id
    company = await database.fetchval(
        "SELECT o.name FROM compound c JOIN company o ON o.id = c.company_id WHERE c.id = $1", place
    )
    granted = ("residents.read", "estate.read") if kind == "staff without" else PERMISSIONS
    if kind == "staff of another building":
        account = await identity.staff(company, granted, scope="building", place_id=scene.other_building_id)
    else:
        account = await identity.staff(company, granted, scope="compound", place_id=place)
    return await identity.token(account)


def refusal(answer: Json, name: str) -> list[str]:
    """Why it was refused; empty where it was done."""
    return codes(answer) if "errors" in answer else codes(answer["data"][name])


async def state() -> tuple[object, ...]:
    row = await database.fetchrow(STATE)
    assert row is not None
    return tuple(row.values())


@pytest.mark.parametrize("name", MUTATIONS)
async def test_who_may_not_does_nothing(api: Api, world: World, name: str) -> None:
    case = MUTATIONS[name]
    given = await case.given(world)
    before, calls = await state(), world.channel.calls.total()
    for kind in CALLERS:
        if kind in case.allowed:
            continue
        answer = await api.attempt(
            name, case.takes, case.selection, await token_of(world.scene, kind), **given
        )
        assert set(refusal(answer, name)) <= DENIED and refusal(answer, name), (kind, answer)
    assert await state() == before and world.channel.calls.total() == calls


@pytest.mark.parametrize("name", MUTATIONS)
async def test_who_may_does_it_once(api: Api, world: World, name: str) -> None:
    case = MUTATIONS[name]
    for kind in sorted(case.allowed):
        given, token = await case.given(world), await token_of(world.scene, kind)
        answer = await api.attempt(name, case.takes, case.selection, token, **given)
        assert refusal(answer, name) == [], (kind, answer)
        shown = next(iter(answer["data"][name].values()))
        assert shown is not None, kind
        if case.has_key:
            after = await state()
            again = await api.attempt(name, case.takes, case.selection, token, **given)
            assert again["data"] == answer["data"] and await state() == after, kind
    await check_books()


LISTS = {
    "payments": "query($c: ID!) { payments(compound: $c) { nodes { id } } }",
    "refunds": "query($c: ID!) { refunds(compound: $c) { nodes { id } } }",
    "ledgerBalances": "query($c: ID!) { ledgerBalances(compound: $c) { balanceFen } }",
    "journals": 'query($c: ID!) { journals(compound: $c, fromOn: "2020-01-01", untilOn: "2099-01-01") { nodes { kind } } }',
}


@pytest.mark.parametrize("name", LISTS)
async def test_lists_are_for_staff_over_all_of_the_compound(api: Api, world: World, name: str) -> None:
    await world.asked_back(await world.paid())
    variables = {"c": encode("Compound", world.scene.compound_id)}
    for kind in CALLERS:
        answer = await api.ask(LISTS[name], variables, await token_of(world.scene, kind))
        if kind == "staff":
            found = answer["data"][name]
            assert found if name == "ledgerBalances" else found["nodes"], answer
        else:
            assert codes(answer) == ["UNAUTHENTICATED" if kind == "nobody" else "FORBIDDEN"], kind
            assert (answer["data"] or {}).get(name) is None


ONE = """query($p: ID!, $r: ID!) { payment(id: $p) { id refunds { id isOwn } } node(id: $p) { id }
    refund: node(id: $r) { id } }"""
OWN = "query { viewer { payments { nodes { id } } } }"


async def test_a_payment_is_its_payers_and_the_staffs(api: Api, world: World) -> None:
    payment = await world.paid()
    refund = encode("Refund", await world.asked_back(payment))
    variables = {"p": encode("Payment", payment), "r": refund}
    for kind in CALLERS:
        token = await token_of(world.scene, kind)
        answer = await api.ask(ONE, variables, token)
        data = answer["data"] or {}
        if kind in ("owner", "staff"):
            assert data["payment"]["refunds"] == [{"id": refund, "isOwn": False}], (kind, answer)
            assert data["node"] and data["refund"], (kind, answer)
        else:
            assert not any(data.get(each) for each in ("payment", "node", "refund")), (kind, answer)
        own = await api.ask(OWN, token=token)
        if kind in ("owner", "family", "tenant", "neighbour", "stranger"):
            nodes = own["data"]["viewer"]["payments"]["nodes"]
            assert [each["id"] for each in nodes] == ([variables["p"]] if kind == "owner" else [])
        else:
            assert codes(own) == ["UNAUTHENTICATED" if kind == "nobody" else "FORBIDDEN"], kind


async def test_what_was_paid_at_the_desk_is_seen_by_whose_bill_it_paid(api: Api, world: World) -> None:
    payment = await world.at_desk()
    refund = encode("Refund", await world.asked_back(payment))
    variables = {"p": encode("Payment", payment), "r": refund}
    for kind in CALLERS:
        token = await token_of(world.scene, kind)
        answer = await api.ask(ONE, variables, token)
        data = answer["data"] or {}
        if kind in ("owner", "family", "staff"):
            assert data["payment"]["refunds"] == [{"id": refund, "isOwn": False}], (kind, answer)
            assert data["node"] and data["refund"], (kind, answer)
        else:
            assert not any(data.get(each) for each in ("payment", "node", "refund")), (kind, answer)
        if kind in ("owner", "family", "tenant", "neighbour", "stranger"):
            own = await api.ask(OWN, token=token)
            nodes = own["data"]["viewer"]["payments"]["nodes"]
            assert [each["id"] for each in nodes] == [variables["p"]] * (kind in ("owner", "family"))


async def test_only_who_may_see_a_payment_follows_it(world: World) -> None:
    payment = await world.open()
    for kind in CALLERS:
        stream = follow(await residents.caller(world.scene, kind, *PERMISSIONS), payment)
        seen = await anext(stream, None)
        assert (seen is not None) == (kind in ("owner", "staff")), kind
        await stream.aclose()


BY_CASHIER = "query($p: ID!) { payment(id: $p) { state receipt } }"


async def test_a_cashier_of_one_building_sees_and_voids_what_they_took_there(api: Api, world: World) -> None:
    scene = world.scene
    company = await database.fetchval(
        "SELECT o.name FROM compound c JOIN company o ON o.id = c.company_id WHERE c.id = $1",
        scene.compound_id,
    )
    granted = ("desk.write", "bills.read")
    account = await identity.staff(company, granted, scope="building", place_id=scene.building_id)
    token, case = await identity.token(account), MUTATIONS["recordDeskPayment"]
    taken = await api.run("recordDeskPayment", case.takes, case.selection, token, **await case.given(world))
    assert taken["payment"]["state"] == "PAID"
    mine = taken["payment"]["id"]
    shown = (await api.ask(BY_CASHIER, {"p": mine}, token))["data"]["payment"]
    assert shown["receipt"]
    theirs = encode("Payment", await world.at_desk())
    assert (await api.ask(BY_CASHIER, {"p": theirs}, token))["data"]["payment"] is None
    for payment, expected in ((theirs, ["FORBIDDEN"]), (mine, [])):
        given = {"payment": payment, "reason": "收错了户"}
        void = MUTATIONS["voidDeskPayment"]
        key = await void.given(world)
        answer = await api.attempt(
            "voidDeskPayment",
            void.takes,
            void.selection,
            token,
            idempotencyKey=key["idempotencyKey"],
            **given,
        )
        assert refusal(answer, "voidDeskPayment") == expected, answer
    assert (await api.ask(BY_CASHIER, {"p": mine}, token))["data"]["payment"]["state"] == "VOIDED"
    await check_books()


async def test_nobody_decides_what_they_asked_for(api: Api, world: World) -> None:
    token, case = await token_of(world.scene, "staff"), MUTATIONS["requestRefund"]
    asked = await api.run("requestRefund", case.takes, case.selection, token, **await case.given(world))
    before = await state()
    decide = MUTATIONS["decideRefund"]
    given = {"refund": asked["refund"]["id"], "approve": True, "idempotencyKey": str(UUID(int=7))}
    answer = await api.attempt("decideRefund", decide.takes, decide.selection, token, **given)
    assert refusal(answer, "decideRefund") == ["REFUND_OWN"] and await state() == before


COUNTED = {
    "payments": """query($c: ID!) { payments(compound: $c) { nodes { title receipt clientParameters { name }
        parts { part bill { number } } refunds { requestedByName paymentNumber } } } }""",
    "refunds": "query($c: ID!) { refunds(compound: $c) { nodes { paymentTitle requestedByName isOwn cause } } }",
    "journals": """query($c: ID!) { journals(compound: $c, fromOn: "2020-01-01", untilOn: "2099-01-01", first: 100) {
        nodes { kind entries { account channel amountFen } } } }""",
    "own": """query { viewer { payments { nodes { title receipt parts { part bill { number } }
        refunds { requestedByName cause } } } } }""",
}


@pytest.mark.parametrize("name", COUNTED)
async def test_lists_cost_the_same_for_one_and_for_many(api: Api, world: World, name: str) -> None:
    token = await token_of(world.scene, "owner" if name == "own" else "staff")
    variables = {} if name == "own" else {"c": encode("Compound", world.scene.compound_id)}
    costs: list[int] = []
    for _ in range(2):
        for _ in range(len(costs) * 2 + 1):
            await world.asked_back(await world.paid())
            await world.asked_back(await world.at_desk())
        await api.ask(COUNTED[name], variables, token)
        async with database.counted() as statements:
            answer = await api.ask(COUNTED[name], variables, token)
        assert "errors" not in answer, answer
        costs.append(statements.count)
    assert costs[0] == costs[1], costs
