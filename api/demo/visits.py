"""The demo owner's visitors (示范访客): one pass in every state it can be in, and two that repeat."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from api.demo.people import DemoAccount
from api.demo.phones import ORIGIN
from api.demo.telling import settled
from domains.access.service.admitting import admit_visitor, leave_visitor
from domains.access.service.issuing import Guest
from domains.access.service.passes import create_visitor_pass, revoke_visitor_pass
from domains.access.service.requests import decide_visitor_pass, request_visitor_pass
from domains.access.service.templates import create_pass_template
from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.clock import FixedClock

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
EVERY_DAY, TUESDAY = (1, 2, 3, 4, 5, 6, 7), (2,)

GATE = "SELECT id FROM door WHERE compound_id = $1 AND name = $2 AND removed_at IS NULL"
ASKED = "SELECT id FROM visitor_pass WHERE house_id = $1 AND state = 'requested' ORDER BY id DESC LIMIT 1"


@dataclass(frozen=True, slots=True)
class _Gate:
    """The gate with its guard."""

    guard: Actor
    door_id: UUID

    async def admit(self, pass_id: UUID) -> None:
        await admit_visitor(
            self.guard, pass_id=pass_id, door_id=self.door_id, document_checked=True, idempotency_key=uuid4()
        )

    async def let_out(self, pass_id: UUID) -> None:
        await leave_visitor(self.guard, pass_id=pass_id, door_id=self.door_id)


def _plain(id: UUID) -> UUID:
    """The driver's ids are of a class of its own, which the hash of a request's body does not know."""
    return UUID(int=id.int)


class House:
    """A house whose people have visitors."""

    def __init__(self, account: DemoAccount, host: Actor) -> None:
        self._account, self._host = account, host
        self._house_id = _plain(host.houses[0].house_id)

    async def receive(self, guard: Actor, gate_id: UUID) -> None:
        """Everybody of the last days, in their order; those who come again show that it was done."""
        gate = _Gate(guard, _plain(gate_id))
        await self._came_and_left(gate, clock.now() - DAY)
        await self._taken_back(clock.now() - 20 * HOUR)
        await self._turned_down(clock.now() - 5 * HOUR)
        await self._is_inside(gate, clock.now() - timedelta(minutes=50))
        await self._repeat()

    async def _repeat(self) -> None:
        """A nurse every day, whose link is good whenever the demo runs, and a cleaner once a week."""
        nurse = Guest(
            name="吴阿姨", phone="19900008811", purpose="care", message="请走南门,电梯在大堂右手边。辛苦您了!"
        )
        cleaner = Guest(name="郑姐", phone="19900008812", purpose="service")
        until_on = clock.today() + timedelta(days=360)
        for guest, days, begin, end in (
            (nurse, EVERY_DAY, 6 * 60, 22 * 60),
            (cleaner, TUESDAY, 9 * 60, 11 * 60),
        ):
            await create_pass_template(
                self._host, house_id=self._house_id, guest=guest, weekdays=days, from_minute=begin, until_minute=end,
                until_on=until_on, uses=4, idempotency_key=uuid4(),
            )  # fmt: skip

    async def _came_and_left(self, gate: _Gate, at: datetime) -> None:
        with clock.use(FixedClock(at)) as then:
            id = await self._invite(Guest(name="陈立新", phone="19900008813", companions=1))
            then.advance(timedelta(minutes=20))
            await gate.admit(id)
            await settled()
            then.advance(HOUR)
            await gate.let_out(id)

    async def _taken_back(self, at: datetime) -> None:
        with clock.use(FixedClock(at)):
            id = await self._invite(Guest(name="韩师傅", phone="19900008814", purpose="repair"))
            await revoke_visitor_pass(self._host, visitor_pass_id=id, reason="改约下周")

    async def _turned_down(self, at: datetime) -> None:
        with clock.use(FixedClock(at)):
            await self.ask(Guest(name="冯推介", phone="19900008815", purpose="other"))
            id = await database.fetchval(ASKED, self._house_id)
            await decide_visitor_pass(self._host, visitor_pass_id=id, approve=False, reason="不认识")

    async def _is_inside(self, gate: _Gate, at: datetime) -> None:
        with clock.use(FixedClock(at)) as then:
            id = await self._invite(Guest(name="蒋若彤", phone="19900008816"), uses=2)
            then.advance(timedelta(minutes=10))
            await gate.admit(id)
            await settled()

    async def expect(self) -> None:
        """Somebody later today, by car."""
        guest = Guest(
            name="唐亦菲", phone="19900008817", plate="浙A5T6N9", companions=2, message="车位在 B 区 36 号"
        )
        starts_at = clock.now() + HOUR
        await self._invite(guest, starts_at=starts_at, ends_at=starts_at + 4 * HOUR)

    async def ask(self, guest: Guest) -> None:
        """Somebody who stands at the gate and has scanned the compound's code."""
        account = self._account
        await request_visitor_pass(
            Actor(origin=ORIGIN), compound_code=account.compound, building=account.building, unit=account.unit,
            room=account.room, guest=guest,
        )  # fmt: skip

    async def wait_at_the_gate(self) -> None:
        """Somebody who waits for an answer now."""
        await self.ask(Guest(name="彭速达", phone="19900008818", purpose="delivery"))

    async def _invite(
        self, guest: Guest, *, starts_at: datetime | None = None, ends_at: datetime | None = None, uses: int = 1
    ) -> UUID:  # fmt: skip
        return await create_visitor_pass(
            self._host, house_id=self._house_id, guest=guest, starts_at=starts_at, ends_at=ends_at, uses=uses,
            idempotency_key=uuid4(),
        )  # fmt: skip
