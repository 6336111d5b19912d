"""What payments cost: a notification beside the signature and the statements that none can do without, two hundred of the
same at once, and how long a resident waits for a channel that takes its time.

The statements are those of the very notification: it is taken in a transaction that is given up, and what it said to the
database then is said again, in one transaction, without a word of deciding.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from statistics import median, quantiles
from urllib.parse import urlencode
from uuid import UUID

import asyncpg
import httpx

from domains.billing.service.bill_payments import Way, pay_bills
from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.platforms.alipay import Alipay
from domains.residents.models import Occupancy
from payments.gateways import Ask, gateways
from payments.gateways.alipay import AlipayGateway
from payments.service import intake, ledger
from payments.service.ledger import Account
from tests.bench.figures import Figures
from tests.bench.paired import Side, take_turns, wall_ratio
from tests.factories import bills, residents
from tests.factories.channel import ScriptedChannel
from tests.factories.payments import BILL, Scene, begun
from tests.factories.platforms import alipay, alipay_sign

ROUNDS, TIMES, AT_ONCE = 7, 40, 200
PAYERS, BILLS, TOGETHER = 20, 10, 4
GOAL_RATIO, ANSWERS_AFTER_S = 0.5, 0.05
SELLER = "2088000000000001"
_CONTROL = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")
CREDITED = "SELECT count(*) FROM journal WHERE compound_id = $1 AND kind = 'pay_alipay'"


class _GivenUp(Exception):
    """Nothing of it shall stay."""


@dataclass
class Notified:
    """A payment that is to be told of, as the platform writes it, and what taking it says to the database."""

    scene: Scene
    body: bytes
    text: bytes
    sign: str
    statements: list[tuple[str, Sequence[object]]] = field(default_factory=list)


class SlowChannel(ScriptedChannel):
    """It answers after a while."""

    async def create(self, ask: Ask) -> Mapping[str, str]:
        await asyncio.sleep(ANSWERS_AFTER_S)
        return await super().create(ask)


async def measure(figures: Figures) -> None:
    """Everything, in an instance whose slots are filled."""
    before = gateways()
    try:
        await _notifications(figures)
        await _at_once(figures)
        await _waiting(figures)
    finally:
        gateways.fill(before)


async def _notifications(figures: Figures) -> None:
    transport = alipay(lambda _: httpx.Response(500))
    gateway = _gateway(transport)
    ours, bare = list[Notified](), list[Notified]()

    async def take() -> None:
        told = ours.pop()
        assert (await intake.take_notification(gateway, {}, told.body)).verdict == "taken"

    async def by_hand() -> None:
        told = bare.pop()
        assert transport.is_genuine(told.text, told.sign)
        async with database.transaction():
            for statement, values in told.statements:
                await database.fetch(statement, *values)

    async def prepare(told: list[Notified]) -> None:
        told.append(await _notified(gateway))

    sides = Side(take, before=lambda: prepare(ours)), Side(by_hand, before=lambda: prepare(bare))
    taken, plain = await take_turns(sides, rounds=ROUNDS, times=TIMES)
    ratio = wall_ratio(plain, taken)
    figures.add("signature and the same statements, one transaction", f"{plain.per_second:.0f} /s ({plain})")
    figures.add(
        "a notification taken, per process", f"{taken.per_second:.0f} /s ({taken}), ×{ratio:.2f}", f"≥ ×{GOAL_RATIO}",
        ratio >= GOAL_RATIO,
    )  # fmt: skip


def _gateway(transport: Alipay) -> AlipayGateway:
    made = AlipayGateway(
        transport, seller_id=SELLER, notify_url="https://l.cn/n", return_url="https://l.cn/{}".format
    )
    gateways.fill({"alipay": made})
    return made


async def _notified(gateway: AlipayGateway) -> Notified:
    scene = await begun(gateway, prepare=False)
    async with database.transaction():  # a compound's first payment of all opens this
        await ledger.account_ids(scene.compound, [Account("clearing", purpose="alipay")])
    told = _written(gateway, scene, await scene.number())
    await _note_statements(gateway, told)
    return told


def _written(gateway: AlipayGateway, scene: Scene, number: str) -> Notified:
    now = f"{clock.now().astimezone(clock.SHANGHAI):%Y-%m-%d %H:%M:%S}"
    fields = {
        "app_id": gateway.app_id, "seller_id": SELLER, "out_trade_no": number, "trade_no": f"2200{number}",
        "trade_status": "TRADE_SUCCESS", "total_amount": f"{BILL / 100:.2f}", "gmt_payment": now, "notify_time": now,
        "notify_id": number,
    }  # fmt: skip
    text = "&".join(f"{name}={value}" for name, value in sorted(fields.items())).encode()
    sign = alipay_sign(text)
    return Notified(scene, urlencode({**fields, "sign_type": "RSA2", "sign": sign}).encode(), text, sign)


async def _note_statements(gateway: AlipayGateway, told: Notified) -> None:
    def note(said: asyncpg.connection.LoggedQuery) -> None:
        if not said.query.startswith(_CONTROL):
            told.statements.append((said.query, said.args))

    with suppress(_GivenUp):
        async with database.transaction() as current:
            current.connection.add_query_logger(note)
            try:
                await intake.take_notification(gateway, {}, told.body)
                await current.write_collected()
            finally:
                current.connection.remove_query_logger(note)
            raise _GivenUp


async def _at_once(figures: Figures) -> None:
    gateway, seconds = _gateway(alipay(lambda _: httpx.Response(500))), list[float]()
    for _ in range(5):
        told = await _notified(gateway)
        started = time.perf_counter()
        taken = await asyncio.gather(
            *(intake.take_notification(gateway, {}, told.body) for _ in range(AT_ONCE))
        )
        seconds.append(time.perf_counter() - started)
        assert {each.reply.body for each in taken} == {b"success"}
        credits = await database.fetchval(CREDITED, told.scene.compound)
        if credits != 1:
            break
    figures.add(
        f"{AT_ONCE} identical notifications at once",
        f"all answered in {1000 * median(seconds):.0f} ms, credits: {credits}", "1 credit", credits == 1,
    )  # fmt: skip


async def _waiting(figures: Figures) -> None:
    gateways.fill({"alipay": SlowChannel()})
    payers = [await _payer() for _ in range(PAYERS)]
    waits = list[float]()

    async def pay(number: int) -> None:
        for who, owed in payers[number::TOGETHER]:
            for bill in owed:
                started = time.perf_counter()
                await pay_bills(who, bill_ids=[bill], way=Way("alipay", "h5"))
                waits.append(time.perf_counter() - started)

    await asyncio.gather(*(pay(number) for number in range(TOGETHER)))
    p99 = quantiles(waits, n=100)[98]
    figures.add(
        f"payBills, {TOGETHER} at a time, the channel answers in {1000 * ANSWERS_AFTER_S:.0f} ms",
        f"p50 {1000 * median(waits):.0f} ms, p99 {1000 * p99:.0f} ms",
    )


async def _payer() -> tuple[Actor, list[UUID]]:
    """Somebody who owes for some months."""
    scene = await residents.scene()
    await Occupancy.filter(compound_id=scene.compound_id).update(since_on=date(2020, 1, 1))
    item = await bills.item(scene.compound_id)
    owed = [
        await bills.bill(scene.house_id, {item: 10_000 + month}, month=date(2025, month, 1))
        for month in range(1, BILLS + 1)
    ]
    return await residents.caller(scene, "owner"), owed
