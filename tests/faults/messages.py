"""Messages on their way while workers are killed: a platform that notes what it gets, and the workers."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import httpx

from domains.kernel import database, outbox, sealing
from domains.kernel.crypto import Keyring
from domains.kernel.events import Event, Registry
from notifications.channels.port import Outcome, Parcel, Sent, TryAgain, Unknown
from notifications.channels.senders import senders
from notifications.deliveries.courier import Courier
from notifications.kinds import Channel
from notifications.notifying import notify
from notifications.sealed import CONTACT_ADDRESS, PUSH_ENDPOINT, PUSH_KEYS
from tests.factories.kernel import NotePosted
from tests.factories.sending import PLAIN, set_up

if TYPE_CHECKING:  # its module starts these workers
    from tests.faults.conftest import Nursery

APPS = {"kernel": "domains.kernel"}
# Workers of their own open what the test has sealed.
KEYS = Keyring({1: bytes(16)}, 1, bytes(32))

CROWD = (
    """
INSERT INTO recipient (account_id, language, is_quiet_at_night, quiet_from, quiet_until, updated_at)
SELECT id, 'zh', false, 0, 1, now() FROM unnest($1::uuid[]) AS id
""",
    """
INSERT INTO push_subscription (id, account_id, session_id, endpoint_sealed, endpoint_index, keys_sealed, created_at)
SELECT gen_random_uuid(), id, id, $2, uuid_send(id), $3, now() FROM unnest($1::uuid[]) AS id
""",
    """
INSERT INTO contact (id, account_id, channel, app_id, address_sealed, updated_at)
SELECT gen_random_uuid(), id, 'sms', '', $2, now() FROM unnest($1::uuid[]) AS id
""",
)
ALL_TOLD = """
SELECT (SELECT count(*) FROM delivery WHERE account_id = ANY($1::uuid[]) AND settled_at IS NOT NULL) = $2
    AND NOT EXISTS (SELECT FROM outbox_message WHERE event = 'NotePosted' AND state <> 'done')
"""
INBOXES = """
SELECT count(*) AS inboxes, count(DISTINCT account_id) AS people FROM notification WHERE account_id = ANY($1::uuid[])
"""
STATES = "SELECT state, count(*) AS number FROM delivery WHERE account_id = ANY($1::uuid[]) GROUP BY state"
HURRY = "UPDATE delivery SET due_at = now() WHERE state = 'pending' AND due_at > now()"


async def crowd(number: int, channel: Channel = Channel.WEB_PUSH) -> list[UUID]:
    """So many accounts, each with a browser or a phone."""
    sealing.keyring.fill(KEYS)
    accounts = [uuid4() for _ in range(number)]
    await database.execute(CROWD[0], accounts)
    if channel is Channel.WEB_PUSH:
        endpoint, keys = sealing.seal("https://push", PUSH_ENDPOINT), sealing.seal("{}", PUSH_KEYS)
        await database.execute(CROWD[1], accounts, endpoint, keys)
    else:
        await database.execute(CROWD[2], accounts, sealing.seal("13800000001", CONTACT_ADDRESS))
    return accounts


@dataclass(slots=True)
class Receiver:
    """A platform over HTTP: it notes the id that each request carries, whether it can answer or not."""

    delay_s: float = 0.0
    port: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    url: str = ""

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Receiver]:
        """Answer on a port of this machine."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = next(
                    int(line[15:])
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length:")
                )
                self.seen[(await reader.readexactly(length)).decode()] += 1
                await asyncio.sleep(self.delay_s * random.random() * 2)
                writer.write(b"HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@dataclass(slots=True)
class HttpSender:
    """Hands a parcel's id to the receiver."""

    channel: Channel
    is_repeatable: bool
    client: httpx.AsyncClient
    needs_consent: bool = False

    async def send(self, parcel: Parcel) -> Outcome:
        try:
            await self.client.post("/", content=str(parcel.delivery_id))
        except httpx.ConnectError:
            return TryAgain("UNREACHABLE")
        except httpx.TransportError:
            return Unknown("NO_ANSWER")
        return Sent()

    async def was_sent(self, parcel: Parcel, since: datetime) -> bool | None:
        return None


@asynccontextmanager
async def platforms(url: str) -> AsyncIterator[None]:
    """Web Push, which may be repeated, and SMS, which may not, both by the receiver."""
    async with httpx.AsyncClient(base_url=url, timeout=30, limits=httpx.Limits(max_connections=64)) as client:
        set_up()
        sealing.keyring.fill(KEYS)
        made = HttpSender(Channel.WEB_PUSH, True, client), HttpSender(Channel.SMS, False, client)
        senders.fill({each.channel: each for each in made})  # type: ignore[misc]  # theirs are of the class
        yield


def _die(*_: object, **__: object) -> Any:  # Any: never returns
    os.kill(os.getpid(), signal.SIGKILL)


def _die_with(_: Courier, leased: Sequence[object], **__: object) -> None:
    if leased:
        _die()


async def sending(url: str, receiver: str, dies_at: str = "") -> None:
    """Send until killed; or die with deliveries claimed, or sent and not settled; or wait for answers as long as in
    production, where nobody dies and a slow machine is no lost message."""
    if dies_at == "claimed":
        Courier._start = _die_with  # type: ignore[method-assign,assignment]  # this process ends there
    if dies_at == "sent":
        Courier._settle = _die  # type: ignore[method-assign]  # as above
    courier = Courier(poll_s=0.05) if dies_at == "never" else _courier()
    async with database.connected(url, APPS, pool_size=10), platforms(receiver):
        await courier.run(asyncio.Event(), asyncio.Event())


async def tell(event: Event, event_id: UUID) -> None:
    """What happened concerns one account."""
    assert isinstance(event, NotePosted)
    await notify([UUID(event.note_id)], PLAIN, {"house": "1"}, dedupe_key=str(event_id), compound_id=None)


async def receiving(port: str) -> None:
    """Be the platform, until killed."""
    async with Receiver(port=int(port)).listening():
        await asyncio.Event().wait()


async def messaging(url: str, receiver: str) -> None:
    """Work as a worker does: from events to the inbox, and from there to the platform, until killed."""
    relay = outbox.Relay(
        Registry([NotePosted]), {NotePosted: (tell,)}, batch=16, park_after=10**6, poll_s=0.05, lease_s=2.0
    )
    async with database.connected(url, APPS, pool_size=20), platforms(receiver), asyncio.TaskGroup() as group:
        group.create_task(relay.run(asyncio.Event(), asyncio.Event()))
        group.create_task(_courier().run(asyncio.Event(), asyncio.Event()))


def _courier() -> Courier:
    return Courier(lease_s=3.0, poll_s=0.05, send_limit_s=2.0)


@dataclass(frozen=True, slots=True)
class Storm:
    """What came of messages whose workers were killed again and again."""

    seconds: float
    kills: int
    inboxes: int
    twice: int
    states: Counter[str]
    seen: Counter[str]


async def storm(
    url: str,
    nursery: Nursery,
    accounts: Sequence[UUID],
    *,
    workers: int = 2,
    kill_each_s: float = 1.0,
    most_kills: int = 10_000,
) -> Storm:
    """An event for each of these accounts, told and sent by workers of which one is killed and replaced
    every so often, until everybody is told."""
    began, kills = time.monotonic(), 0
    async with Receiver(delay_s=0.01).listening() as receiver:
        for start in range(0, len(accounts), 100):
            async with database.transaction():
                for account in accounts[start : start + 100]:
                    await outbox.record(NotePosted(str(account)))
        for _ in range(workers):
            nursery.spawn("messaging", url, receiver.url)
        while not await _all_told(accounts):
            await asyncio.sleep(kill_each_s)
            if kills == most_kills:
                continue
            nursery.kill(nursery.living[0])
            nursery.spawn("messaging", url, receiver.url)
            kills += 1
        for pid in list(nursery.living):
            nursery.kill(pid)
    row = await database.fetchrow(INBOXES, accounts)
    assert row is not None, "a row of aggregates"
    states = Counter({each["state"]: each["number"] for each in await database.fetch(STATES, accounts)})
    twice = row["inboxes"] - row["people"]
    return Storm(time.monotonic() - began, kills, row["people"], twice, states, receiver.seen)


async def _all_told(accounts: Sequence[UUID]) -> bool:
    await database.execute(HURRY)
    return bool(await database.fetchval(ALL_TOLD, accounts, len(accounts)))
