"""What happens in a walk over payments: what payers, the desk and staff do, what the platforms do wrong, and what others
send in their name. A step says whether it found anything to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, Protocol
from uuid import uuid4

import orjson

from domains.kernel import database
from tests.faults.walk_town import PERSON, Answer, Told, Town

Channel = Literal["alipay", "wechat"]

ABNORMAL: Final = """
SELECT id::text FROM refund WHERE compound_id = $1::uuid AND state = 'abnormal' ORDER BY id LIMIT 1
"""
KEPT: Final = """
SELECT e.channel, e.body, e.headers::text AS headers FROM gateway_event e JOIN payment_attempt a ON a.id = e.attempt_id
WHERE a.compound_id = $1 AND e.verdict IN ('taken', 'held') AND e.kind IN ('notification', 'refund')
ORDER BY e.id DESC LIMIT 8
"""


class How(NamedTuple):
    """How somebody wants to pay, and whether they do so at once."""

    channel: Channel
    product: Literal["mini_program", "qr"]
    pays: bool


@dataclass
class Payer:
    """Who lives in a compound of their own, and remembers what they were told."""

    town: Town
    compound: str = field(default_factory=lambda: str(uuid4()))
    bills: list[Told] = field(default_factory=list)
    attempts: list[Told] = field(default_factory=list)

    async def call(self, api: int, name: str, **fields: object) -> Told:
        """What a process tells; nothing where it refuses, or was killed before it answered."""
        answer = await self.town.post(api, f"/walk/{name}", data=orjson.dumps(fields))
        if answer is None or answer.status == 409:
            return {}
        require(answer, 200)
        told: Told = orjson.loads(answer.body)
        return told

    async def begin(self, api: int, name: str, how: How, **fields: object) -> Told:
        """A new way to pay, unless it is refused; and, if they want to, they pay at once."""
        channel, product, pays = how
        buyer = self.town.buyers[channel] if product == "mini_program" else ""
        told = await self.call(api, name, channel=channel, product=product, buyer=buyer, **fields)
        if "attempt" in told:
            self.attempts.append(told)
            if pays:
                await Pay().take(self, told)
        return told

    def attempt(self, last: int) -> Told | None:
        """What was begun so many before the newest."""
        return self.attempts[-1 - last % len(self.attempts)] if self.attempts else None


class Step(Protocol):
    """Something that somebody does."""

    async def take(self, payer: Payer, attempt: Told | None) -> bool:
        """Do it to what the payer began; False where there was nothing to do it to."""


@dataclass(frozen=True)
class Begin:
    """Something new is to be paid."""

    fen: int
    how: How
    api: int

    async def take(self, payer: Payer, attempt: Told | None) -> bool:
        told = await payer.begin(self.api, "owe", self.how, compound=payer.compound, fen=self.fen)
        payer.bills += [{name: told[name] for name in ("payable", "house")}] if told else []
        return True


@dataclass(frozen=True)
class BeginAgain:
    """Something that is being paid, or was, or was given back since, is to be paid."""

    last: int
    how: How
    api: int

    async def take(self, payer: Payer, attempt: Told | None) -> bool:
        if not payer.bills:
            return False
        bill = payer.bills[-1 - self.last % len(payer.bills)]
        await payer.begin(self.api, "begin", self.how, compound=payer.compound, **bill)
        return True


@dataclass(frozen=True)
class OtherWay:
    """Try the same payment in another way."""

    how: How
    api: int

    async def take(self, payer: Payer, attempt: Told | None) -> bool:
        if attempt is None:
            return False
        await payer.begin(self.api, "another", self.how, order=attempt["order"])
        return True


@dataclass(frozen=True)
class TapAgain:
    """Ask once more for what it is paid by."""

    api: int

    async def take(self, payer: Payer, attempt: Told | None) -> bool:
        if attempt is None:
            return False
        told = await payer.call(self.api, "prepare", attempt=attempt["attempt"])
        attempt |= {name: value for name, value in told.items() if value}
        return True


@dataclass(frozen=True)
class Pay:
    """Pay at the platform, whether or not it was paid before; another sum than was asked, if `fen`."""

    fen: int | None = None

    async def take(self, payer: Payer, attempt: Told | None) -> bool:
        if attempt is None or not (given := attempt["parameters"]):
            return False
        fields = {**given, "out_trade_no": attempt["number"], "person": PERSON}
        if self.fen is not None:
            fields["amount_fen"] = self.fen
        await payer.town.at_platform(f"/open/{attempt['channel']}/pay", data=orjson.dumps(fields))
        return True


@dataclass(frozen=True)
class Ask:
    """Have the channel asked, and give the payment up, unless it was paid, if nobody wants to pay it any more."""

    api: int
    give_up: bool = False

    async def take(self, payer: Payer, attempt: Told | None) -> bool:
        if attempt is None:
            return False
        await payer.call(self.api, "ask", attempt=attempt["attempt"], give_up=self.give_up)
        return True


@dataclass(frozen=True)
class Watch:
    """Whoever waits for it says that it was paid, whether or not it was, or cancels it."""

    cancels: bool
    api: int

    async def take(self, payer: Payer, attempt: Told | None) -> bool:
        if attempt is None:
            return False
        fields = {"order": attempt["order"], "cancels": self.cancels}
        await payer.call(self.api, "watch", compound=payer.compound, **fields)
        return True


@dataclass(frozen=True)
class Expire:
    """Its time is over."""

    api: int

    async def take(self, payer: Payer, attempt: Told | None) -> bool:
        if attempt is None:
            return False
        await payer.call(self.api, "expire", order=attempt["order"])
        return True


@dataclass(frozen=True)
class Refund:
    """Somebody asks for a share of what was paid, which may be more than is left of it, and another decides."""

    share: float
    approve: bool
    api: int

    async def take(self, payer: Payer, attempt: Told | None) -> bool:
        if attempt is None:
            return False
        fields = {"order": attempt["order"], "share": self.share, "approve": self.approve}
        await payer.call(self.api, "refund", compound=payer.compound, **fields)
        return True


@dataclass(frozen=True)
class Unstick:
    """A person sees to a refund that did not go through: it is sent again, or kept as a prepayment."""

    keep: bool
    api: int

    async def take(self, payer: Payer, attempt: Told | None) -> bool:
        refund = await database.fetchval(ABNORMAL, payer.compound)
        if refund is None:
            return False
        await payer.call(self.api, "unstick", compound=payer.compound, refund=refund, keep=self.keep)
        return True


@dataclass(frozen=True)
class HearAgain:
    """What was genuine comes once more, at whichever process."""

    last: int
    api: int

    async def take(self, payer: Payer, attempt: Told | None) -> bool:
        rows = await database.fetch(KEPT, payer.compound)
        if not rows:
            return False
        row = rows[self.last % len(rows)]
        path, headers = payer.town.paths[row["channel"]], orjson.loads(row["headers"] or "{}")
        require(await payer.town.post(self.api, path, data=row["body"], headers=headers), 200, 204)
        return True


@dataclass(frozen=True)
class Forge:
    """Somebody says that it was paid."""

    api: int

    async def take(self, payer: Payer, attempt: Told | None) -> bool:
        if attempt is None:
            return False
        form = {
            "out_trade_no": attempt["number"], "sign_type": "RSA2", "sign": "c2ln", "trade_status": "TRADE_SUCCESS",
        }  # fmt: skip
        require(await payer.town.post(self.api, payer.town.paths[attempt["channel"]], data=form), 400, 429)
        return True


@dataclass(frozen=True)
class Trouble:
    """The next call of that kind, whoever makes it, meets it."""

    platform: str
    api: str
    kind: str

    async def take(self, payer: Payer, attempt: Told | None) -> bool:
        ordered = {
            "platform": self.platform, "api": self.api, "kind": self.kind, "seconds": 0.2, "copies": 3,
        }  # fmt: skip
        await payer.town.at_platform("/open/faults", data=orjson.dumps(ordered))
        return True


def require(answer: Answer | None, *statuses: int) -> None:
    """An answer says what it should, unless its process was killed first."""
    assert answer is None or answer.status in statuses, answer.body.decode()
