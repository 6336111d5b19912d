"""What stands at the demo compound's gates (示范门岗): put there by the first start, made good by each later one."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from api.demo.loading import PASSWORD, STAFF
from api.demo.people import demo_people
from api.demo.places import COMPOUND, MAIN_GATE
from domains.access import sealed
from domains.access.rules import REQUEST_LIFE
from domains.access.service import templates
from domains.identity import queries as identity
from domains.identity.models import Role, StaffMember
from domains.identity.service.founding import found_staff
from domains.kernel import clock, database, sealing
from domains.kernel.actor import SYSTEM, Actor
from domains.kernel.errors import Conflict, Throttled
from domains.residents.queries import ties

# A start finds by one statement what there is to do; a demonstration is tried out weeks after it was loaded.
STANDING = """
SELECT c.id AS compound_id, EXISTS (SELECT FROM device d WHERE d.compound_id = c.id) AS is_equipped,
    EXISTS (SELECT FROM alarm a WHERE a.compound_id = c.id) AS has_alarms,
    EXISTS (SELECT FROM fee_item f WHERE f.compound_id = c.id) AS has_fees,
    EXISTS (SELECT FROM payment_order p WHERE p.compound_id = c.id AND p.cashier_id IS NOT NULL) AS has_payments,
    EXISTS (SELECT FROM pass_template t WHERE t.compound_id = c.id) AS has_visits,
    (SELECT t.link_sealed FROM pass_template t WHERE t.compound_id = c.id AND t.ended_at IS NULL AND t.until_on >= $3
        ORDER BY t.created_at, t.id LIMIT 1) AS link_sealed,
    EXISTS (SELECT FROM visitor_pass v WHERE v.compound_id = c.id AND v.state = 'active' AND v.origin = 'host'
        AND v.inside_since IS NULL AND v.ends_at > $2) AS is_expected,
    EXISTS (SELECT FROM visitor_pass v WHERE v.compound_id = c.id AND v.state = 'requested'
        AND v.requested_at > $2::timestamptz - $4::interval) AS is_asked
FROM compound c WHERE c.code = $1
"""

ACCOUNT = """
SELECT DISTINCT p.account_id FROM person p JOIN occupancy o ON o.person_id = p.id
WHERE p.compound_id = $1 AND p.name = $2 AND p.account_id IS NOT NULL AND o.ended_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """What there is; `link_sealed` is the secret of the visit that repeats every day."""

    compound_id: UUID
    is_equipped: bool
    has_alarms: bool
    has_fees: bool
    has_payments: bool
    has_visits: bool
    link_sealed: bytes | None
    is_expected: bool
    is_asked: bool

    @property
    def visitor_path(self) -> str:
        """Where the page of a pass is that counts; empty where nobody has any."""
        return (
            "" if self.link_sealed is None else f"/v/{sealing.unseal(self.link_sealed, sealed.TEMPLATE_LINK)}"
        )


async def stand(platform_url: str = "") -> str:
    """Put devices, doors, visitors and records there that are missing; the path of a visitor's page. Where the stand-ins
    of the platforms are, somebody pays at them."""
    there = await _standing()
    if not there.is_equipped:
        async with database.transaction():
            await _equip(there.compound_id)
    if not there.has_alarms:
        await _live_a_week(there.compound_id)
    if not there.has_fees:
        await _bill_half_a_year(there.compound_id)
    if not there.has_payments:
        await _take_payments(there.compound_id, platform_url)
    await _receive(there)
    await templates.make_due()
    return there.visitor_path or (await _standing()).visitor_path


async def _standing() -> Standing:
    row = await database.fetchrow(STANDING, COMPOUND.code, clock.now(), clock.today(), REQUEST_LIFE)
    assert row is not None, "the demo is loaded"
    return Standing(**row)


async def _equip(compound_id: UUID) -> None:
    from api.demo.equipment import equip  # a start that finds everything need not load what makes it
    from api.demo.passages import record_fortnight

    await employ()
    await equip(compound_id)
    await record_fortnight(compound_id)


async def employ() -> None:
    """A demo of an earlier version has no guard, and a manager who may do less."""
    for staff in STAFF:
        if not await StaffMember.filter(login=staff.login).exists():
            await found_staff(
                SYSTEM, company=staff.company, login=staff.login, name=staff.name, permissions=staff.permissions,
                password=PASSWORD, role=staff.title,
            )  # fmt: skip
        await Role.filter(company__name=staff.company, name=staff.title).update(
            permissions=list(staff.permissions)
        )


async def _live_a_week(compound_id: UUID) -> None:
    from api.demo.conditions import Week, measure

    await Week(await _staff("manager"), await measure(compound_id)).live()


async def _bill_half_a_year(compound_id: UUID) -> None:
    from api.demo.billing import HalfYear

    await employ()
    await HalfYear(compound_id, await _staff("manager"), await _staff("accountant")).live()


async def _take_payments(compound_id: UUID, platform_url: str) -> None:
    from api.demo.paying import Morning

    await employ()
    cashier, clerk, manager = await _staff("cashier"), await _staff("accountant"), await _staff("manager")
    await Morning(compound_id, cashier, clerk, manager, platform_url).live()


async def _receive(there: Standing) -> None:
    if there.has_visits and there.is_expected and there.is_asked:
        return
    owner = demo_people().owner
    account_id = await database.fetchval(ACCOUNT, there.compound_id, owner.name)
    if account_id is None:  # without the stand-ins of the platforms nobody has signed in
        return
    from api.demo.visits import GATE, House

    house = House(owner, Actor(kind="resident", account_id=account_id, houses=await ties(account_id)))
    if not there.has_visits:
        gate_id = await database.fetchval(GATE, there.compound_id, MAIN_GATE)
        await house.receive(await _staff("guard"), gate_id)
    # Whoever tried the demo out may have used up what a house may do in a day.
    with suppress(Conflict, Throttled):
        if not there.is_expected:
            await house.expect()
        if not there.is_asked:
            await house.wait_at_the_gate()


async def _staff(login: str) -> Actor:
    row = await StaffMember.get(login=login).values("account_id", "account__name")
    held = await identity.grants(row["account_id"])
    return Actor(kind="staff", account_id=row["account_id"], name=row["account__name"], grants=held)
