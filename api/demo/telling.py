"""Lets the demo's people live through a day (示范消息): they sign in, register, invite, and are told of it.

All of it goes through the commands and handlers of the product, and out to the stand-ins of the
platforms. What became of each message stands in the delivery log: one for every way it can end.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import httpx

from api.actors import actor_for
from api.demo.loading import PASSWORD
from api.demo.people import DemoAccount, DemoPeople, demo_people
from api.demo.phones import ORIGIN, Phones
from api.demo.places import COMPOUND
from api.wiring import EVENTS, HANDLERS
from domains.estate import queries
from domains.identity.service.staff_sign_in import sign_in_staff
from domains.kernel import clock, database, outbox
from domains.kernel.actor import Actor, Capacity
from domains.kernel.clock import FixedClock
from domains.kernel.errors import Conflict
from domains.residents import notices
from domains.residents.queries import ties
from domains.residents.service.invitations import accept_invitation, invite_to_house
from domains.residents.service.registration import register_resident, review_registration
from domains.residents.service.vehicles import register_vehicle
from notifications.deliveries.courier import Courier
from notifications.inbox import InboxFilter, mark_read, page
from notifications.notifying import notify
from notifications.preferences import set_quiet_hours
from notifications.webhooks import register_webhook, rotate_webhook_secret, test_webhook, webhooks

RECEIVER = "gate"
SISTER = ("沈嘉禾", "19900008801")
"""Name and number of somebody whom no register knows."""
WAITS = "SELECT id FROM registration WHERE account_id = $1 AND state = 'pending'"
HOUSE = "SELECT h.number FROM house h WHERE h.id = $1"


async def tell_demo(platform_url: str) -> None:
    """Tell everybody; where it broke off before, what is there stays."""
    compound = await queries.compound_by_code(COMPOUND.code)
    assert compound is not None, "the demo is loaded"
    people = demo_people()
    async with httpx.AsyncClient(base_url=platform_url, timeout=10) as http:
        phones = Phones(http)
        manager = await _manager(phones)
        owner = await _moves_in(phones, people, manager)
        sister = await _family_joins(phones, people, owner)
        await _old_news(sister, owner.id, compound.id)
        await _waits(phones, people)
        await _other_system(phones, manager, compound.id, f"{platform_url}/hooks/{RECEIVER}")


async def settled() -> None:
    """Let handlers and couriers do all that is due."""
    relay = outbox.Relay(EVENTS, HANDLERS)
    while await relay.deliver():
        pass
    for courier in (Courier(urgent=True), Courier()):
        while await courier.deliver():
            pass


async def _manager(phones: Phones) -> Actor:
    """The manager at a desk, whose browser takes notifications."""
    done = await sign_in_staff(
        Actor(origin=ORIGIN), login="manager", password=PASSWORD, device=ORIGIN.user_agent
    )
    manager = await actor_for(done.access_token, ORIGIN)
    await phones.open_browser(manager, "许文博")
    return manager


async def _moves_in(phones: Phones, people: DemoPeople, manager: Actor) -> Actor:
    """The owner registers and is approved: a WeChat message that arrives."""
    owner = await phones.sign_in(people.owner.name, people.owner.phone)
    # Whatever the hour of the first start, the messages of the demo go out.
    await set_quiet_hours(owner, is_on=False)
    await phones.consent(owner, people.owner.name, notices.APPROVED)
    await _register(owner, people.owner, "owner")
    await settled()
    waiting = await database.fetchval(WAITS, owner.id)
    if waiting is not None:
        await review_registration(manager, registration_id=waiting, approve=True)
        await settled()
    seen = await page(manager, InboxFilter(), after=None, limit=1)
    await mark_read(manager, ids=[each.id for each in seen])
    return await _anew(owner)


async def _family_joins(phones: Phones, people: DemoPeople, owner: Actor) -> Actor:
    """The owner's sister is invited, without having consented to be told in WeChat; that she joined is a
    message of which nobody knows whether it arrived."""
    sister, house = await phones.sign_in(*SISTER), owner.houses[0].house_id
    await set_quiet_hours(sister, is_on=False)
    if not sister.houses:
        invited = await invite_to_house(
            owner, house_id=house, capacity="family", name=SISTER[0], phone=SISTER[1]
        )
        await settled()
        await phones.consent(owner, people.owner.name, notices.ARRIVED)
        await phones.lose_an_answer()
        await accept_invitation(sister, code=invited.code)
        await settled()
    seen = await page(owner, InboxFilter(), after=None, limit=2)
    await mark_read(owner, ids=[each.id for each in seen[1:]])
    return await _anew(sister)


async def _old_news(sister: Actor, owner_id: UUID, compound_id: UUID) -> None:
    """Her car, of which the owner was told last week, and no courier ran until it was no news."""
    house = sister.houses[0].house_id
    with suppress(Conflict):
        vehicle = await register_vehicle(sister, house_id=house, kind="car", plate="浙A6H2K8")
        told = {
            "compound": COMPOUND.name, "house": await database.fetchval(HOUSE, house), "plate": "浙A6H2K8",
        }  # fmt: skip
        with clock.use(FixedClock(clock.now() - timedelta(days=7))):
            async with database.transaction():
                await notify(
                    [owner_id], notices.VEHICLE, told, dedupe_key=str(vehicle), compound_id=compound_id,
                    subject=("Vehicle", vehicle),
                )  # fmt: skip
        await settled()


async def _waits(phones: Phones, people: DemoPeople) -> None:
    """The tenant registers and waits for a reviewer, who has a message that is not read."""
    tenant = await phones.sign_in(people.tenant.name, people.tenant.phone)
    await _register(tenant, people.tenant, "tenant")
    await settled()


async def _other_system(phones: Phones, manager: Actor, compound_id: UUID, url: str) -> None:
    """A gate system that was not ready for its first call, which is a dead letter, and took the second."""
    kinds = [notices.APPROVED.name, notices.SUBMITTED.name]
    known = [each.id for each in await webhooks(manager, compound_id=compound_id) if each.url == url]
    made = (
        await rotate_webhook_secret(manager, webhook_id=known[0])
        if known
        else await register_webhook(manager, compound_id=compound_id, name="门岗系统", url=url, kinds=kinds)
    )
    await test_webhook(manager, webhook_id=made.webhook_id)
    await settled()
    await phones.set_up_receiver(RECEIVER, made.secret)
    await test_webhook(manager, webhook_id=made.webhook_id)
    await settled()


async def _register(actor: Actor, who: DemoAccount, capacity: Capacity) -> None:
    ends_on = clock.today() + timedelta(days=365) if capacity == "tenant" else None
    with suppress(Conflict):
        await register_resident(
            actor, compound_code=who.compound, building=who.building, unit=who.unit, room=who.room, name=who.name,
            capacity=capacity, document_number=who.identity, lease_until_on=ends_on,
        )  # fmt: skip


async def _anew(actor: Actor) -> Actor:
    """The same person as the next request would find them."""
    return replace(actor, houses=tuple(await ties(actor.id)))
