"""Those who walk: each begins payments of its own compound, pays, asks, gives up and takes money back as its dice fall,
by way of whichever of two processes, while these and a third are killed and started again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any, Final, Literal
from uuid import uuid4

import httpx

from domains.kernel import database

if TYPE_CHECKING:  # its module starts the processes
    from tests.faults.conftest import Nursery

Told = dict[str, Any]  # Any: JSON
Platform = Literal["alipay", "wechatpay"]

PERSON: Final = "陈静"
WAYS: Final = (("alipay", "mini_program"), ("wechat", "mini_program"), ("alipay", "qr"), ("wechat", "qr"))
_CALLS: Final = ("drop", "busy", "busy_done", "http_500", "http_429", "cut", "slow")
_NOTICES: Final = (
    "duplicate", "duplicate", "reorder", "delay", "drop", "bad_signature", "sha1_signature", "stale", "wrong_app",
    "wrong_seller",
)  # fmt: skip
FAULTS: Final[dict[Platform, dict[str, Sequence[str]]]] = {
    "alipay": {
        "alipay.trade.create": _CALLS, "alipay.trade.precreate": _CALLS, "alipay.trade.query": _CALLS,
        "alipay.trade.close": _CALLS, "alipay.trade.refund": (*_CALLS, "pending", "not_enough"),
        "alipay.trade.fastpay.refund.query": _CALLS, "notify": _NOTICES, "pay": ("late",),
    },
    "wechatpay": {
        "prepay": _CALLS, "query": _CALLS, "close": _CALLS,
        "refund": (*_CALLS, "pending", "not_enough", "abnormal", "closed"), "refund_query": _CALLS, "notify": _NOTICES,
        "pay": ("late",),
    },
}  # fmt: skip
KEPT = """
SELECT e.channel, e.body, e.headers::text AS headers FROM gateway_event e JOIN payment_attempt a ON a.id = e.attempt_id
WHERE a.compound_id = $1 AND e.verdict IN ('taken', 'held') AND e.kind IN ('notification', 'refund')
ORDER BY e.id DESC LIMIT 5
"""


@dataclass
class Town:
    """The processes, the platforms, and what they are asked; one is killed after every so many steps."""

    nursery: Nursery
    http: httpx.AsyncClient
    stand_url: str
    arguments: tuple[str, ...]
    ports: tuple[int, int]
    paths: dict[str, str]
    buyers: dict[str, str]
    random: Random
    kill_each: int
    pids: dict[str, int] = field(default_factory=dict)
    done: int = 0
    kills: int = 0

    def start(self) -> None:
        """Two that answer and one that asks."""
        for name in ("0", "1", "worker"):
            self._spawn(name)

    def _spawn(self, name: str) -> None:
        role = (
            ("worker", *self.arguments)
            if name == "worker"
            else ("api", *self.arguments, str(self.ports[int(name)]))
        )
        self.pids[name] = self.nursery.spawn(*role)

    def count(self) -> None:
        """One step more."""
        self.done += 1
        if self.done % self.kill_each == 0:
            name = self.random.choice(list(self.pids))
            self.nursery.kill(self.pids[name])
            self._spawn(name)
            self.kills += 1

    async def post(self, api: int, path: str, **more: Any) -> httpx.Response | None:  # Any: of the client's
        """An answer, of the other process where this one is dead; None where it was killed before it answered."""
        for turn in range(600):
            try:
                return await self.http.post(f"http://127.0.0.1:{self.ports[(api + turn) % 2]}{path}", **more)
            except httpx.ConnectError:
                await asyncio.sleep(0.1 * (turn % 2))
            except httpx.TransportError:
                return None
        raise AssertionError("it did not come up again")

    async def at_platform(self, path: str, **fields: object) -> None:
        """What a person does at the platforms."""
        answer = await self.http.post(self.stand_url + path, json=fields)
        assert answer.is_success, answer.text


@dataclass
class Walker:
    """One with a compound, dice, and a memory of what it was told."""

    town: Town
    random: Random
    compound: str = field(default_factory=lambda: str(uuid4()))
    bills: list[Told] = field(default_factory=list)
    attempts: list[Told] = field(default_factory=list)

    async def walk(self, steps: int) -> None:
        """So many steps, some of them several at once."""
        await self.owe()
        while steps > 0:
            together = [self._choice() for _ in range(self.random.choice((1, 1, 1, 2, 3)))]
            await asyncio.gather(*(step() for step in together))
            for _ in together:
                self.town.count()
            steps -= len(together)

    def _choice(self) -> Callable[[], Awaitable[object]]:
        steps = {
            self.begin: 22, self.pay: 28, self.other_way: 7, self.ask: 9, self.give_up: 7, self.tap_again: 3,
            self.refund: 9, self.unstick: 4, self.expire: 2, self.repeat: 4, self.forge: 2, self.fault: 8,
        }  # fmt: skip
        (step,) = self.random.choices(list(steps), list(steps.values()))
        return step

    async def call(self, name: str, **fields: object) -> Told:
        answer = await self.town.post(self.random.randrange(2), f"/walk/{name}", json=fields)
        if answer is None or answer.status_code == 409:
            return {}
        assert answer.status_code == 200, answer.text
        told: Told = answer.json()
        return told

    async def owe(self) -> None:
        """Somebody owes something."""
        told = await self.call("bill", compound=self.compound, fen=self.random.randint(2, 90_000))
        self.bills += [told] if told else []

    def _way(self) -> Told:
        channel, product = self.random.choice(WAYS)
        buyer = self.town.buyers[channel] if product == "mini_program" else ""
        return {"channel": channel, "product": product, "buyer": buyer}

    async def begin(self) -> None:
        """Mostly to pay something new."""
        if not self.bills or self.random.random() < 0.7:
            await self.owe()
        if self.bills:
            bill = self.random.choice(self.bills[-4:])
            self._note(await self.call("begin", compound=self.compound, **bill, **self._way()))

    async def other_way(self) -> None:
        if attempt := self._any():
            self._note(await self.call("another", order=attempt["order"], **self._way()))

    async def tap_again(self) -> None:
        if attempt := self._any():
            self._note(await self.call("prepare", attempt=attempt["attempt"]))

    def _note(self, told: Told) -> None:
        self.attempts += [told] if told else []

    def _any(self, last: int = 8) -> Told | None:
        return self.random.choice(self.attempts[-last:]) if self.attempts else None

    async def pay(self) -> None:
        """Mostly all of it, sometimes less or more than was asked, sometimes what was paid already."""
        untried = [each for each in self.attempts if "tried" not in each]
        attempt = self.random.choice(untried[-4:]) if untried and self.random.random() < 0.8 else self._any()
        if attempt is None or not (given := attempt["parameters"]):
            return
        attempt["tried"] = True
        if "qrCode" in given:
            answer = {"person": PERSON, "answer": "pay"}
            await self.town.http.post(given["qrCode"].partition("?")[0], data=answer)
            return
        number = (
            {"trade_no": given["tradeNO"]}
            if "tradeNO" in given
            else given | {"prepay_id": given["package"][10:]}
        )
        amount = {} if self.random.random() < 0.85 else {"amount_fen": self.random.randint(1, 99_000)}
        path = f"/open/{attempt['channel']}/pay"
        await self.town.at_platform(path, person=PERSON, **number, **amount)

    async def ask(self) -> None:
        if attempt := self._any():
            await self.call("ask", attempt=attempt["attempt"], give_up=False)

    async def give_up(self) -> None:
        if attempt := self._any():
            await self.call("ask", attempt=attempt["attempt"], give_up=True)

    async def expire(self) -> None:
        if attempt := self._any():
            await self.call("expire", order=attempt["order"])

    async def refund(self) -> None:
        """A part or all of what some payment paid, which may be more than is left of it."""
        if attempt := self._any(30):
            share, approve = self.random.choice((0.1, 0.5, 1.0)), self.random.random() < 0.9
            fields = {
                "compound": self.compound,
                "order": attempt["order"],
                "share": share,
                "approve": approve,
            }
            await self.call("refund", **fields)

    async def unstick(self) -> None:
        """Send it again, or keep it in the house's prepayment."""
        statement = "SELECT id::text FROM refund WHERE compound_id = $1::uuid AND state = 'abnormal' ORDER BY id LIMIT 1"
        if refund := await database.fetchval(statement, self.compound):
            keep = self.random.random() < 0.3
            await self.call("unstick", compound=self.compound, refund=refund, keep=keep)

    async def repeat(self) -> None:
        """What was genuine comes once more, at another process."""
        rows = await database.fetch(KEPT, self.compound)
        if rows:
            row = self.random.choice(rows)
            headers = httpx.Response(200, content=row["headers"] or "{}").json()
            path = self.town.paths[row["channel"]]
            answer = await self.town.post(
                self.random.randrange(2), path, content=row["body"], headers=headers
            )
            assert answer is None or answer.status_code in (200, 204), answer.text

    async def forge(self) -> None:
        """Somebody says that it was paid."""
        if attempt := self._any():
            form = {
                "out_trade_no": attempt["number"],
                "sign_type": "RSA2",
                "sign": "c2ln",
                "trade_status": "TRADE_SUCCESS",
            }
            path = self.town.paths[attempt["channel"]]
            answer = await self.town.post(self.random.randrange(2), path, data=form)
            assert answer is None or answer.status_code in (400, 429), answer.text

    async def fault(self) -> None:
        """The next call of some kind, whoever makes it, meets trouble."""
        platform = self.random.choice(list(FAULTS))
        api = self.random.choice(list(FAULTS[platform]))
        kind = self.random.choice(FAULTS[platform][api])
        ordered = {"platform": platform, "api": api, "kind": kind, "seconds": 0.2, "copies": 3}
        await self.town.at_platform("/open/faults", **ordered)
