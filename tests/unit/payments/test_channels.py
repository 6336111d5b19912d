"""Both channels end to end: a person pays at the platform's stand-in, whose notification comes to our own address over
HTTP; it is credited once, given back, and in the end the platform's own books say what ours say."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import uvicorn

from api.app import build_app
from api.instance import Addresses, running
from api.settings import Settings
from domains.kernel import database
from domains.kernel.actor import Actor, Grant
from domains.kernel.ids import uuid7
from payments import permissions
from payments.gateways import Gateway, Product, gateways
from payments.service import asking, refund_sending
from payments.service.refund_requests import RefundPart, decide_refund, request_refund
from schema.relay import encode
from tests.factories.ledger import check_books, trial_balance
from tests.factories.payments import BILL, Scene, begun
from tests.unit.stand_ins.merchant import forget, openid
from tests.unit.stand_ins.stand import Stand
from tests.unit.stand_ins.stand import running as stand_running

PARAMETERS = "SELECT client_parameters::text FROM payment_attempt WHERE id = $1"
TAKEN = (
    "SELECT count(*) FROM gateway_event WHERE attempt_id = $1 AND kind = 'notification' AND verdict = 'taken'"
)
REFUNDS = "SELECT state FROM refund WHERE order_id = $1 ORDER BY id"
OURS = """
SELECT a.out_trade_no, a.channel_no, coalesce(a.paid_fen, 0) AS paid_fen,
    coalesce(sum(r.amount_fen) FILTER (WHERE r.state = 'succeeded'), 0)::bigint AS back_fen
FROM payment_attempt a LEFT JOIN refund r ON r.attempt_id = a.id WHERE a.channel = $1 GROUP BY a.id
"""


@dataclass
class Shop:
    """A channel, its stand-in, and a person who pays there."""

    name: Literal["alipay", "wechat"]
    stand: Stand
    gateway: Gateway

    @property
    def platform(self) -> str:
        return "wechatpay" if self.name == "wechat" else "alipay"

    def buyer(self) -> str:
        if self.name == "wechat":
            return openid(self.stand, "陈静")
        login = self.stand.open("alipay/login", person="陈静")
        assert login["auth_code"]
        [[id]] = self.stand.books("SELECT alipay_open_id FROM people WHERE name = '陈静'")
        return str(id)

    async def begun(self, product: Product = "mini_program") -> Scene:
        buyer = self.buyer() if product == "mini_program" else ""
        return await begun(self.gateway, buyer=buyer, product=product)

    async def parameters(self, scene: Scene) -> dict[str, str]:
        """What the payer's client was given."""
        given: dict[str, str] = json.loads(await database.fetchval(PARAMETERS, scene.attempt))
        return given

    async def pay(self, scene: Scene, **more: Any) -> bool:
        """The person pays in the mini-program; whether the platform let them."""
        return await self.pay_with(await self.parameters(scene), **more)

    async def pay_with(self, given: dict[str, str], **more: Any) -> bool:
        """The same, with what the payer's client was given before."""
        number = (
            {"prepay_id": given["package"].removeprefix("prepay_id="), **given}
            if self.name == "wechat"
            else {"trade_no": given["tradeNO"]}
        )
        fields = {"person": "陈静", **number, **more}
        told = await asyncio.to_thread(self.stand.open, f"{self.name}/pay", **fields)
        return told in ({"errMsg": "requestPayment:ok"}, {"resultCode": "9000", "memo": ""})

    def fault(self, api: str, kind: str, **more: float) -> None:
        names = {"create": "alipay.trade.create", "refund": "alipay.trade.refund"}
        of_wechat = {"create": "prepay"}
        self.stand.fault(
            self.platform, (of_wechat if self.name == "wechat" else names).get(api, api), kind, **more
        )

    async def delivered(self, scene: Scene) -> list[bool]:
        """Whether each notification of the payment was taken."""
        number, notices = await scene.number(), self.stand.http.get("/open/notices").json()["notices"]
        return [each["delivered_at"] is not None for each in notices if each["out_trade_no"] == number]


async def becomes(look: Callable[[], Awaitable[object]], expected: object) -> None:
    """It becomes that, however long the machine takes."""
    for _ in range(1_000):
        if (seen := await look()) == expected:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"{seen!r} did not become {expected!r}")


@pytest.fixture(scope="module")
def listener() -> Iterator[socket.socket]:
    with closing(socket.create_server(("127.0.0.1", 0))) as made:
        yield made


@pytest.fixture(scope="module")
def settings(
    tmp_path_factory: pytest.TempPathFactory, given: dict[str, str], listener: socket.socket
) -> Settings:
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    return Settings(home=tmp_path_factory.mktemp("home"), public_url=url)


@pytest.fixture(scope="module")
def stand(settings: Settings) -> Iterator[Stand]:
    with stand_running(settings.home / "platform", speed_up=24_000) as started:
        yield started


@pytest.fixture(scope="module")
async def served(
    settings: Settings, addresses: Addresses, stand: Stand, listener: socket.socket
) -> AsyncIterator[str]:
    """An instance whose platforms are the stand-ins, and which they reach."""
    url = str(stand.http.base_url).rstrip("/")
    async with running(settings, replace(addresses, platform_url=url)):
        config = uvicorn.Config(build_app(settings), loop="none", lifespan="off", log_config=None, ws="none")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server._serve([listener]))
        while not server.started:
            await asyncio.sleep(0.02)
        yield settings.url
        server.should_exit = True
        await serving


@pytest.fixture(params=["alipay", "wechat"])
async def shop(request: pytest.FixtureRequest, served: str, stand: Stand) -> AsyncIterator[Shop]:
    yield Shop(request.param, stand, gateways()[request.param])
    forget(stand)


def clerk(scene: Scene) -> Actor:
    held = (permissions.REFUNDS_REQUEST, permissions.REFUNDS_DECIDE)
    return Actor(
        kind="staff",
        account_id=uuid7(),
        name="员工",
        grants=tuple(Grant(each, scene.compound) for each in held),
    )


async def give_back(scene: Scene, fen: int) -> None:
    """One asks for a refund, another approves it, and it is sent."""
    item = await database.fetchval("SELECT id FROM payment_item WHERE order_id = $1", scene.order)
    refund = await request_refund(
        clerk(scene), payment_id=scene.order, parts=[RefundPart(item, fen)], reason="重复缴费"
    )
    await decide_refund(clerk(scene), refund_id=refund, approve=True)
    await refund_sending.see_to(refund)


async def refunds(scene: Scene) -> list[str]:
    return [row["state"] for row in await database.fetch(REFUNDS, scene.order)]


async def require_same_books(shop: Shop) -> None:
    """Ours, and the platform's own: every payment and every refund, to the fen."""
    ours = {row["out_trade_no"]: row for row in await database.fetch(OURS, shop.name)}
    theirs = {no: each for no, each in shop.stand.trades().items() if each["platform"] == shop.platform}
    paid = {no: (each["trade_no"], each["paid_fen"], each["refunded_fen"]) for no, each in theirs.items()}
    assert {no: (row["channel_no"], row["paid_fen"], row["back_fen"]) for no, row in ours.items() if row["paid_fen"]} == {
        no: each for no, each in paid.items() if each[1]
    }  # fmt: skip
    await check_books()


async def test_a_payment_is_told_credited_once_and_given_back(shop: Shop) -> None:
    scene = await shop.begun()
    assert await scene.states() == ("open", "prepared")
    shop.fault("notify", "duplicate", copies=20)
    assert await shop.pay(scene)
    await becomes(scene.states, ("paid", "succeeded"))
    await becomes(lambda: shop.delivered(scene), [True])
    assert await trial_balance(scene.compound) == {"clearing": BILL, "income": -BILL}
    assert await database.fetchval(TAKEN, scene.attempt) == 1
    await give_back(scene, 345)
    await becomes(lambda: refunds(scene), ["succeeded"])
    await becomes(lambda: shop.delivered(scene), [True, True])
    assert await trial_balance(scene.compound) == {
        "clearing": BILL - 345, "income": -BILL, "receivable": 345,
    }  # fmt: skip
    await give_back(scene, BILL - 345)
    await becomes(lambda: refunds(scene), ["succeeded", "succeeded"])
    assert await trial_balance(scene.compound) == {"receivable": BILL, "income": -BILL}
    await require_same_books(shop)


@pytest.mark.parametrize("product", ["h5", "qr"])
async def test_a_code_and_a_page_are_paid_by_anybody(shop: Shop, product: Product) -> None:
    scene = await shop.begun(product)
    given = await shop.parameters(scene)
    async with httpx.AsyncClient(base_url=shop.stand.http.base_url, trust_env=False) as browser:
        opened = await browser.get(given.get("url") or given["qrCode"])
        address = opened.headers.get("location") or str(opened.url)
        answered = await browser.post(address, data={"person": "刘洋", "answer": "pay"})
        assert answered.status_code in (200, 303)
    if product == "h5":
        # To this payment, whatever else the same browser has begun.
        shown, _, query = urlsplit(answered.headers["location"]).fragment.partition("?")
        assert shown == "/pages/payment/index"
        assert parse_qs(query)["id"] == [encode("Payment", scene.order)]
    await becomes(scene.states, ("paid", "succeeded"))
    assert await trial_balance(scene.compound) == {"clearing": BILL, "income": -BILL}
    await require_same_books(shop)


@pytest.mark.parametrize("fault", ["bad_signature", "sha1_signature", "stale", "wrong_app", "wrong_seller"])
async def test_what_is_not_genuine_credits_nothing_and_what_is_comes_again(shop: Shop, fault: str) -> None:
    scene = await shop.begun()
    shop.fault("notify", fault)
    assert await shop.pay(scene)
    await becomes(scene.states, ("paid", "succeeded"))
    await becomes(lambda: shop.delivered(scene), [True])
    verdict = {"stale": "stale", "wrong_app": "not for us", "wrong_seller": "not for us"}.get(
        fault, "signature"
    )
    kept = await database.fetchval(
        "SELECT count(*) FROM gateway_event WHERE channel = $1 AND verdict = $2", shop.name, verdict
    )
    assert kept >= 1
    # A box of WeChat Pay that is not opened names no payment: who runs the installation is told.
    names = shop.name == "alipay" or verdict == "not for us"
    told = "SELECT count(*) FROM payment_exception WHERE kind = 'refused' AND compound_id = $1"
    assert await database.fetchval(told, scene.compound) == names
    at_large = (
        "SELECT count(*) FROM payment_exception WHERE kind = 'refused' AND compound_id IS NULL AND note = $1"
    )
    assert await database.fetchval(at_large, f"{shop.name}: {verdict}") == (not names)
    assert await trial_balance(scene.compound) == {"clearing": BILL, "income": -BILL}
    await require_same_books(shop)


async def test_an_answer_that_is_lost_loses_no_payment(shop: Shop) -> None:
    shop.fault("create", "drop")
    scene = await shop.begun()
    assert await scene.states() == ("open", "unknown")
    assert await asking.prepare(scene.attempt) == "prepared"
    shop.fault("notify", "drop")
    assert await shop.pay(scene)
    await becomes(scene.states, ("paid", "succeeded"))
    assert list(shop.stand.trades()).count(await scene.number()) == 1
    await require_same_books(shop)


async def test_a_refund_whose_answer_is_lost_moves_money_once(shop: Shop) -> None:
    scene = await shop.begun()
    assert await shop.pay(scene)
    await becomes(scene.states, ("paid", "succeeded"))
    shop.fault("refund", "drop")
    await give_back(scene, 500)
    again = "UPDATE refund SET queries = 2 WHERE order_id = $1 RETURNING id"
    await refund_sending.see_to(await database.fetchval(again, scene.order))
    await becomes(lambda: refunds(scene), ["succeeded"])
    assert await trial_balance(scene.compound) == {
        "clearing": BILL - 500, "income": -BILL, "receivable": 500,
    }  # fmt: skip
    await require_same_books(shop)


async def test_a_refund_that_hangs_and_fails_waits_for_a_person(shop: Shop) -> None:
    scene = await shop.begun()
    assert await shop.pay(scene)
    await becomes(scene.states, ("paid", "succeeded"))
    shop.fault("refund", "not_enough" if shop.name == "alipay" else "abnormal")
    await give_back(scene, 500)
    await becomes(lambda: refunds(scene), ["abnormal"])
    assert await trial_balance(scene.compound) == {
        "clearing": BILL, "income": -BILL, "receivable": 500, "refund_due": -500,
    }  # fmt: skip
    kinds = "SELECT array_agg(kind) FROM payment_exception WHERE compound_id = $1"
    assert await database.fetchval(kinds, scene.compound) == ["refund_abnormal"]
    await require_same_books(shop)


async def test_giving_up_while_the_payer_pays_ends_one_way(shop: Shop) -> None:
    for _ in range(6):
        scene = await shop.begun()
        given = await shop.parameters(scene)
        is_paid, _ = await asyncio.gather(shop.pay_with(given), asking.ask(scene.attempt, give_up=True))
        if is_paid:
            await becomes(scene.states, ("paid", "succeeded"))
        else:
            assert await scene.states() == ("closed", "closed")
        assert await scene.settled() == (BILL if is_paid else 0)
    await require_same_books(shop)


async def test_an_address_that_is_not_ours_takes_nothing(shop: Shop, served: str) -> None:
    async with httpx.AsyncClient(base_url=served, trust_env=False) as http:
        for path in (
            f"/payments/notify/{shop.name}/{'0' * 32}",
            f"/payments/notify/unionpay/{shop.gateway.notify_url.rpartition('/')[2]}",
        ):
            assert (await http.post(path, content=b"a=1")).status_code == 404
        before = await database.fetchval("SELECT count(*) FROM gateway_event")
        forged = await http.post(shop.gateway.notify_url, content=b"a=1")
        assert forged.status_code == 400
        assert await database.fetchval("SELECT count(*) FROM gateway_event") == before + 1
