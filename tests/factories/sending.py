"""Deliveries the short way: kinds, people with addresses, senders that answer as they are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from domains.kernel import clock, database, sealing
from domains.kernel.ids import uuid7
from notifications.channels.port import Outcome, Parcel, Sent
from notifications.channels.senders import senders
from notifications.deliveries.courier import Courier
from notifications.kinds import Channel, Climb, FieldType, Kind, Registry, Text, Urgency, registry
from notifications.notifying import notify, templates
from notifications.sealed import CONTACT_ADDRESS, PUSH_ENDPOINT, PUSH_KEYS, WEBHOOK_SECRET

_FIELDS = {"house": FieldType.TEXT}
_TITLE, _BODY = Text("{house} 有新消息", "News of {house}"), Text("请查看", "Please look")
EVERY = frozenset({Channel.WECHAT, Channel.SMS, Channel.WEB_PUSH})


def kind(name: str, **more: Any) -> Kind:  # Any: the kind's own fields
    """A kind with one field; every channel is on and has a template of one keyword."""
    keywords = {"thing1": "{house}"}
    given: dict[str, Any] = {
        "channels": EVERY, "wechat": keywords, "sms": keywords, "voice": keywords, "link": "/pages/{house}", **more,
    }  # fmt: skip
    return Kind(name, label=Text("测试", "Test"), fields=_FIELDS, title=_TITLE, body=_BODY, **given)


PLAIN = kind("test.plain")
RARE = kind("test.rare", throttle=timedelta(hours=1))
CHATTY = kind("test.chatty", slots=(time(18),))
ALARM = kind("test.alarm", urgency=Urgency.URGENT, is_optional=False, throttle=timedelta(hours=1))
FIRE = kind(
    "test.fire", urgency=Urgency.URGENT, is_optional=False,
    climbs=(Climb(timedelta(minutes=2), Channel.SMS), Climb(timedelta(minutes=5), Channel.VOICE, anyone=True)),
)  # fmt: skip
KINDS = (PLAIN, RARE, CHATTY, ALARM, FIRE)
TEMPLATES = {
    **{
        channel: {each.name: f"{channel}:{each.name}" for each in KINDS}
        for channel in (Channel.WECHAT, Channel.SMS)
    },
    Channel.VOICE: {FIRE.name: "voice:test.fire"},
}

Answer = Outcome | Exception | Callable[[Parcel], Outcome]


@dataclass(slots=True)
class Scripted:
    """A sender that notes what it is given and answers what it is told, then Sent.

    `asked` is what it answers about an unknown outcome; it waits for `gate` where there is one.
    """

    channel: Channel
    is_repeatable: bool = False
    needs_consent: bool = False
    answers: list[Answer] = field(default_factory=list)
    asked: bool | None = None
    gate: asyncio.Event | None = None
    parcels: list[Parcel] = field(default_factory=list)
    inquiries: list[tuple[Parcel, datetime]] = field(default_factory=list)

    async def send(self, parcel: Parcel) -> Outcome:
        assert database.open_transaction() is None, "nothing outside is called in a transaction"
        self.parcels.append(parcel)
        if self.gate is not None:
            await self.gate.wait()
        answer = self.answers.pop(0) if self.answers else Sent(f"m{len(self.parcels)}")
        if isinstance(answer, Exception):
            raise answer
        return answer(parcel) if callable(answer) else answer

    async def was_sent(self, parcel: Parcel, since: datetime) -> bool | None:
        self.inquiries.append((parcel, since))
        return self.asked


def set_up(*given: Scripted) -> None:
    """Fill the slots with these senders, the kinds and their templates."""
    registry.fill(Registry(KINDS))
    templates.fill(TEMPLATES)
    senders.fill({each.channel: each for each in given})  # type: ignore[misc]  # theirs are of the class, a script's its own


@asynccontextmanager
async def cleared() -> AsyncIterator[None]:
    """No deliveries before and after."""
    yield
    for table in (
        "delivery", "notification", "notice", "viewer_event", "recipient", "push_subscription", "contact",
        "message_throttle", "message_consent", "notification_preference", "webhook_endpoint", "outbox_message",
    ):  # fmt: skip
        await database.execute(f"DELETE FROM {table}")


async def person(*channels: Channel, language: str = "zh") -> UUID:
    """An account that has an address for these channels and no quiet hours; a phone for the calls too."""
    account = uuid4()
    await reachable(account, *channels, language=language)
    return account


async def reachable(account: UUID, *channels: Channel, language: str = "zh") -> None:
    """The same for an account that there is."""
    await database.execute(
        "INSERT INTO recipient (account_id, language, is_quiet_at_night, quiet_from, quiet_until, updated_at) "
        "VALUES ($1, $2, false, 0, 1, now())", account, language,
    )  # fmt: skip
    for channel in channels:
        if channel is Channel.WEB_PUSH:
            await device(account)
        else:
            await contact(account, channel)


async def contact(account: UUID, channel: Channel, address: str = "13800000001") -> None:
    """An address of a person."""
    await database.execute(
        "INSERT INTO contact (id, account_id, channel, app_id, address_sealed, updated_at) "
        "VALUES ($1, $2, $3, 'wx1', $4, now())",
        uuid4(), account, channel, sealing.seal(address, CONTACT_ADDRESS),
    )  # fmt: skip


async def device(account: UUID) -> UUID:
    """A browser of a person."""
    id = uuid4()
    await database.execute(
        "INSERT INTO push_subscription (id, account_id, session_id, endpoint_sealed, endpoint_index, keys_sealed, "
        "created_at) VALUES ($1, $2, $3, $4, $5, $6, now())",
        id, account, uuid4(), sealing.seal(f"https://push/{id}", PUSH_ENDPOINT), id.bytes,
        sealing.seal("{}", PUSH_KEYS),
    )  # fmt: skip
    return id


async def endpoint(compound_id: UUID, url: str = "https://hook.example") -> UUID:
    """Another system that is told of plain notices of a compound."""
    id = uuid4()
    await database.execute(
        "INSERT INTO webhook_endpoint (id, compound_id, name, url, secret_sealed, kinds, created_at, created_by) "
        "VALUES ($1, $2, 'hook', $3, $4, $5, now(), $1)",
        id, compound_id, url, sealing.seal("whsec_x", WEBHOOK_SECRET), [PLAIN.name],
    )  # fmt: skip
    return id


async def consent(account: UUID, kind: Kind, number: int = 1) -> None:
    """Consents of a person to WeChat messages of a kind."""
    for _ in range(number):
        await database.execute(
            "INSERT INTO message_consent (id, account_id, channel, template_id, state, granted_at) "
            "VALUES ($1, $2, 'wechat', $3, 'free', now())",
            uuid7(), account, TEMPLATES[Channel.WECHAT][kind.name],
        )  # fmt: skip


async def tell(
    *accounts: UUID, kind: Kind = PLAIN, key: str | None = None, house: str = "3-1-101",
    compound_id: UUID | None = None,
) -> None:  # fmt: skip
    """Tell these accounts, in a transaction of its own."""
    async with database.transaction():
        await notify(
            accounts, kind, {"house": house}, dedupe_key=key or str(uuid4()), compound_id=compound_id
        )


async def read_all(account: UUID) -> None:
    """The person reads what there is."""
    await database.execute("UPDATE notification SET read_at = $2 WHERE account_id = $1", account, clock.now())


async def rows(account: UUID | None = None) -> Sequence[asyncpg.Record]:
    """The deliveries, of a person, the oldest first."""
    return await database.fetch(
        "SELECT * FROM delivery WHERE $1::uuid IS NULL OR account_id = $1 ORDER BY created_at, id", account
    )


async def states(account: UUID | None = None) -> list[str]:
    """State and reason of the deliveries."""
    return [":".join(filter(None, (row["state"], row["reason"]))) for row in await rows(account)]


async def tries() -> list[str]:
    """Number, outcome and code of the attempts, in order."""
    found = await database.fetch("SELECT * FROM delivery_attempt ORDER BY began_at, id")
    return [":".join(filter(None, (str(row["number"]), row["outcome"], row["code"]))) for row in found]


async def send_all(courier: Courier | None = None) -> int:
    """Send until nothing is due; the number taken up."""
    one, total = courier or Courier(), 0
    while number := await one.deliver():
        total += number
    return total


async def hurry() -> None:
    """Let what waits be due now."""
    await database.execute("UPDATE delivery SET due_at = $1 WHERE state = 'pending'", clock.now())
