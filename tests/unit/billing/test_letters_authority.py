"""Letters: who lists, reads, has and prints one. Whoever may not leaves nothing behind."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from domains.billing import permissions
from domains.billing.documents import issuing
from domains.billing.models import DunningLetter
from domains.billing.queries import dunning as queries
from domains.billing.service.dunning_letters import print_dunning_letter
from domains.kernel import database
from domains.kernel.actor import Actor
from domains.kernel.errors import DomainError
from domains.residents.models import Occupancy
from tests.factories import bills, residents
from tests.factories import dunning as days
from tests.factories.residents import CALLERS, Scene

pytestmark = pytest.mark.usefixtures("instance")

DUE_ON = date(2026, 3, 15)
READ, WRITE = permissions.BILLS_READ, permissions.DUNNING_WRITE
SOLD_AT = datetime(2026, 4, 10, 4, tzinfo=UTC)


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


async def letter(scene: Scene, payer: str = "owner") -> UUID:
    """Of a bill of March, thirty days after its due date."""
    await days.steps(scene, (30, "letter"))
    await bills.bill(scene.house_id, 100_00, payer=payer)
    await days.remind(DUE_ON + timedelta(days=30))
    return (await DunningLetter.get(compound_id=scene.compound_id)).id


async def caller(scene: Scene, kind: str, *granted: str) -> Actor:
    """As the factory's; staff elsewhere, and of another building, hold the same there."""
    if kind == "staff elsewhere":
        return residents.staff(*granted, compound_id=scene.other_compound_id)
    if kind == "staff of another building":
        return residents.staff(*granted, compound_id=scene.compound_id, building_id=scene.other_building_id)
    if kind == "staff without":
        others = [each for each in permissions.LABELS if each not in (READ, WRITE)]
        return scene.staff(*others)
    return await residents.caller(scene, kind, *granted)


async def left_behind(scene: Scene) -> tuple[object, ...]:
    papers = await database.fetchval(
        "SELECT count(*) FROM document_issue WHERE compound_id = $1", scene.compound_id
    )
    printed = await DunningLetter.filter(compound_id=scene.compound_id, printed_at__isnull=False).count()
    return *await residents.fingerprint(), papers, printed


async def refused(scene: Scene, attempt: object) -> str:
    before = await left_behind(scene)
    with pytest.raises(DomainError) as refusal:
        await attempt  # type: ignore[misc]  # a call that was begun
    assert await left_behind(scene) == before
    return refusal.value.code


DENIED = [kind for kind in CALLERS if kind != "staff"]


@pytest.mark.parametrize("kind", CALLERS)
async def test_having_one_of_the_owners(scene: Scene, kind: str) -> None:
    """Who may open its bills, and who duns there."""
    letter_id = await letter(scene)
    for granted in (READ, WRITE):
        actor = await caller(scene, kind, granted)
        if kind in ("owner", "family", "staff"):
            assert (await issuing.issue_letter(actor, letter_id=letter_id)).address
            continue
        code = await refused(scene, issuing.issue_letter(actor, letter_id=letter_id))
        assert code == ("UNAUTHENTICATED" if kind == "nobody" else "LETTER_NOT_FOUND")


@pytest.mark.parametrize("kind", ["tenant", "neighbour", "stranger", "family"])
async def test_having_one_of_the_tenants(scene: Scene, kind: str) -> None:
    """Its owner too, who answers for it from the day of the letter on."""
    letter_id = await letter(scene, "tenant")
    for who in ("owner", kind) if kind == "tenant" else (kind,):
        actor = await caller(scene, who)
        if who in ("owner", "tenant"):
            assert (await issuing.issue_letter(actor, letter_id=letter_id)).address
        else:
            assert (
                await refused(scene, issuing.issue_letter(actor, letter_id=letter_id)) == "LETTER_NOT_FOUND"
            )


async def test_the_sellers_letter_is_not_the_buyers(scene: Scene) -> None:
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    await Occupancy.filter(compound_id=scene.compound_id).update(recorded_at=long_ago)
    letter_id = await letter(scene)
    buyer = await residents.occupant(scene.house_id, "owner", "孙买家")
    await Occupancy.filter(pk=buyer.occupancy_id).update(since_on=SOLD_AT.date())
    await Occupancy.filter(pk=scene.owner.occupancy_id).update(ended_at=SOLD_AT, end_reason="过户")
    seller = await residents.resident(scene.owner.account_id)
    assert (await issuing.issue_letter(seller, letter_id=letter_id)).address
    for who in (buyer, scene.family):
        actor = await residents.resident(who.account_id)
        assert await refused(scene, issuing.issue_letter(actor, letter_id=letter_id)) == "LETTER_NOT_FOUND"


@pytest.mark.parametrize("kind", DENIED)
async def test_printing_is_for_who_duns_there(scene: Scene, kind: str) -> None:
    letter_id = await letter(scene)
    actor = await caller(scene, kind, WRITE)
    code = await refused(scene, print_dunning_letter(actor, letter_id=letter_id))
    assert code == ("UNAUTHENTICATED" if kind == "nobody" else "FORBIDDEN")


async def test_reading_bills_is_not_printing_letters(scene: Scene) -> None:
    letter_id = await letter(scene)
    code = await refused(scene, print_dunning_letter(scene.staff(READ), letter_id=letter_id))
    assert code == "FORBIDDEN"
    of_building = residents.staff(WRITE, compound_id=scene.compound_id, building_id=scene.building_id)
    assert (await print_dunning_letter(of_building, letter_id=letter_id)).address
    assert (await DunningLetter.get(pk=letter_id)).printed_by == of_building.id


@pytest.mark.parametrize("kind", CALLERS)
async def test_listing_and_reading_are_for_who_reads_bills(scene: Scene, kind: str) -> None:
    letter_id = await letter(scene)
    actor = await caller(scene, kind, READ)
    seen = kind == "staff"
    assert set(await queries.letters_by_id(actor, [letter_id])) == ({letter_id} if seen else set())

    async def listed() -> list[UUID]:
        rows = await queries.letters(actor, scene.compound_id, None, after=None, limit=9)
        assert await queries.count_letters(actor, scene.compound_id, None) == len(rows)
        return [row.id for row in rows]

    if kind == "staff of another building":
        assert await listed() == []
    elif seen:
        assert await listed() == [letter_id]
    else:
        code = await refused(scene, listed())
        assert code == ("UNAUTHENTICATED" if kind == "nobody" else "FORBIDDEN")


async def test_dunning_without_reading_bills_lists_nothing(scene: Scene) -> None:
    letter_id, clerk = await letter(scene), scene.staff(WRITE)
    assert await queries.letters_by_id(clerk, [letter_id]) == {}
    listing = queries.letters(clerk, scene.compound_id, None, after=None, limit=9)
    assert await refused(scene, listing) == "FORBIDDEN"
