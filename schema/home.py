"""A resident's own houses and home screen, in the API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from itertools import chain
from typing import Annotated, Any, cast
from uuid import UUID

import strawberry

from domains.access.queries import passes as visit_queries
from domains.billing.queries import bills as bill_queries
from domains.kernel import clock
from domains.residents import qr, rules
from domains.residents.queries import invitations as invitation_queries
from domains.residents.queries import occupancies
from domains.residents.queries import registrations as registration_queries
from domains.residents.service import passes
from schema.context import Context, Info, Loader
from schema.estate import Compound, House
from schema.household import Capacity
from schema.invitations import Invitation
from schema.permissions import residents_only, signed_in
from schema.profile import called
from schema.registration import Registration
from schema.relay import decode, encode
from schema.scalars import Long
from schema.visitor_passes import VisitorPass


class OwnHousesLoader(Loader[UUID, list[occupancies.OwnHouse]]):
    """The caller's houses, read once for everything that shows them."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, list[occupancies.OwnHouse]]:
        """The only key is the caller."""
        return {keys[0]: await occupancies.own_houses(self.context.actor)}


class OpenRegistrationsLoader(Loader[UUID, list[registration_queries.Registration]]):
    """What the caller asked for and has not got, read once."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, list[registration_queries.Registration]]:
        """The only key is the caller."""
        return {keys[0]: await registration_queries.open_ones(self.context.actor)}


class ReceivedInvitationsLoader(Loader[UUID, list[invitation_queries.Invitation]]):
    """What waits for the caller's phone, read once."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, list[invitation_queries.Invitation]]:
        """The only key is the caller."""
        return {keys[0]: await invitation_queries.received(self.context.actor)}


class ExpectedVisitsLoader(Loader[UUID, list[visit_queries.VisitorPass]]):
    """Visitors of the caller's houses who wait for a word or come today, read once."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, list[visit_queries.VisitorPass]]:
        """The only key is the caller."""
        return {keys[0]: await visit_queries.expected(self.context.actor)}


class DueBillsLoader(Loader[UUID, list[bill_queries.Due]]):
    """What the caller has to pay in all, read once; at most one."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, list[bill_queries.Due]]:
        """The only key is the caller."""
        due = await bill_queries.due(self.context.actor)
        return {keys[0]: [] if due is None else [due]}


# Any: which rows it loads is the loader's.
async def _own(context: Context, kind: type[Loader[UUID, list[Any]]]) -> list[Any]:
    return await context.loader(kind).load(context.actor.id) or []


@strawberry.type(description="A house of the caller (我的房屋).")
class ViewerHouse:
    occupancy_id: strawberry.ID = strawberry.field(
        resolver=lambda root: strawberry.ID(encode("Occupancy", root.id)),
        description="Id of the caller's occupancy, for `endOccupancy`.",
    )
    capacity: Capacity = strawberry.field(description="As what the caller belongs to it.")
    since_on: date | None = strawberry.field(description="First day; null where the register does not say.")
    lease_until_on: date | None = strawberry.field(description="Last day of the caller's tenancy.")
    house: House = strawberry.field(description="The house.")
    compound: Compound = strawberry.field(description="Its compound.")


@strawberry.type(description="The electronic pass of a verified occupant (电子通行证).")
class ResidencePass:
    token: str = strawberry.field(description="Signed token, good for 5 minutes.")
    expires_at: datetime = strawberry.field(description="When it has to be fetched again.")

    @strawberry.field(description="The token as a QR code: an SVG document.")
    def svg(self) -> str:
        return qr.svg(self.token)


@strawberry.enum(description="Part of the day in the compound, to greet by (问候时段).")
class PartOfDay(Enum):
    MORNING = strawberry.enum_value("morning", description="早上, 5–11 点")
    NOON = strawberry.enum_value("noon", description="中午, 11–13 点")
    AFTERNOON = strawberry.enum_value("afternoon", description="下午, 13–18 点")
    EVENING = strawberry.enum_value("evening", description="晚上, 18–5 点")


def part_of_day(hour: int) -> PartOfDay:
    """By the hour in Asia/Shanghai, 0 to 23."""
    starts = (
        (18, PartOfDay.EVENING),
        (13, PartOfDay.AFTERNOON),
        (11, PartOfDay.NOON),
        (5, PartOfDay.MORNING),
    )
    return next((part for start, part in starts if hour >= start), PartOfDay.EVENING)


@strawberry.type(description="What a home screen greets with.")
class Greeting:
    name: str = strawberry.field(
        description="The caller's name, as `viewer.me` has it; empty until it is known."
    )
    part_of_day: PartOfDay = strawberry.field(description="Part of the day.")
    today: date = strawberry.field(description="Today's date.")


@strawberry.interface(
    description="Something that needs the resident (待办卡片). New kinds appear: keep a default branch."
)
class HomeCard:
    key: str = strawberry.field(description="Stable over refreshes.")
    due: strawberry.Private[datetime]


@strawberry.type(description="A registration waits for its review.")
class RegistrationPendingCard(HomeCard):
    registration: Registration = strawberry.field(description="The registration.")


@strawberry.type(description="A registration was rejected within the last 14 days and not asked for again.")
class RegistrationRejectedCard(HomeCard):
    registration: Registration = strawberry.field(description="The registration, with the reviewer's reason.")


@strawberry.type(description="An invitation waits to be accepted.")
class InvitationCard(HomeCard):
    invitation: Invitation = strawberry.field(description="The invitation.")


@strawberry.type(description="The caller's lease ends within 30 days.")
class LeaseEndingCard(HomeCard):
    house: ViewerHouse = strawberry.field(description="The house.")
    days_left: int = strawberry.field(description="Days until the last day; 0 on the last day itself.")


@strawberry.type(description="A visitor asks to be let in and waits for a word of the house.")
class VisitRequestedCard(HomeCard):
    visitor_pass: VisitorPass = strawberry.field(description="What the visitor asks for.")


@strawberry.type(description="A visitor of the house is expected today.")
class VisitExpectedCard(HomeCard):
    visitor_pass: VisitorPass = strawberry.field(description="The pass.")


@strawberry.type(description="Bills are to be paid (待缴账单).")
class BillsDueCard(HomeCard):
    count: int = strawberry.field(description="How many.")
    total_fen: Long = strawberry.field(description="Fen in all, late fees up to today included.")
    due_on: date = strawberry.field(description="Due date of the oldest.")


@strawberry.type(description="The caller has no house yet and waits for none: register one.")
class RegisterHouseCard(HomeCard):
    """Nothing but the invitation to begin."""


async def registration_cards(context: Context) -> list[HomeCard]:
    """Registrations that wait or were refused."""
    cards: list[HomeCard] = []
    for row in await _own(context, OpenRegistrationsLoader):
        kind = RegistrationPendingCard if row.state == "pending" else RegistrationRejectedCard
        cards.append(
            kind(key=f"registration:{row.id}", due=row.reviewed_at or row.submitted_at, registration=row)
        )
    return cards


async def invitation_cards(context: Context) -> list[HomeCard]:
    """Invitations to take up."""
    rows = await _own(context, ReceivedInvitationsLoader)
    return [InvitationCard(key=f"invitation:{row.id}", due=row.expires_at, invitation=row) for row in rows]


async def lease_cards(context: Context) -> list[HomeCard]:
    """Leases that end soon."""
    cards: list[HomeCard] = []
    for row in await _own(context, OwnHousesLoader):
        left = None if row.lease_until_on is None else row.lease_until_on - clock.today()
        if left is not None and left <= rules.LEASE_WARNING:
            due = clock.business_day_bounds(row.lease_until_on)[1]
            cards.append(LeaseEndingCard(key=f"lease:{row.id}", due=due, house=row, days_left=left.days))
    return cards


async def visit_request_cards(context: Context) -> list[HomeCard]:
    """Visitors who wait for a word."""
    return [
        VisitRequestedCard(key=f"visit:{row.id}", due=row.requested_at, visitor_pass=row)
        for row in await _own(context, ExpectedVisitsLoader)
        if row.state == "requested"
    ]


async def visit_cards(context: Context) -> list[HomeCard]:
    """Visitors on their way today, and those who are inside."""
    return [
        VisitExpectedCard(key=f"visit:{row.id}", due=row.starts_at, visitor_pass=row)
        for row in await _own(context, ExpectedVisitsLoader)
        if row.state != "requested"
    ]


async def bill_cards(context: Context) -> list[HomeCard]:
    """One for all that is to be paid."""
    return [
        BillsDueCard(
            key="bills", due=clock.business_day_bounds(row.due_on)[1], count=row.count, total_fen=Long(row.total_fen),
            due_on=row.due_on,
        )
        for row in await _own(context, DueBillsLoader)
    ]  # fmt: skip


async def beginning_cards(context: Context) -> list[HomeCard]:
    """For who has nothing at all."""
    loaders = (OwnHousesLoader, OpenRegistrationsLoader, ReceivedInvitationsLoader)
    if any([await _own(context, kind) for kind in loaders]):
        return []
    return [RegisterHouseCard(key="register", due=clock.now())]


CardSource = Callable[[Context], Awaitable[list[HomeCard]]]
CARD_SOURCES: tuple[CardSource, ...] = (
    visit_request_cards, bill_cards, visit_cards, invitation_cards, lease_cards, registration_cards, beginning_cards,
)  # fmt: skip
"""Who may put cards on the home screen, in the order of what needs the resident first: somebody waits at the gate; what is
owed is one card, which a day with many visitors would push out of sight."""


@strawberry.type(description="A resident's home screen (首页), in one query.")
class Home:
    @strawberry.field(description="What to greet with.")
    async def greeting(self, info: Info) -> Greeting:
        hour, name = (
            clock.now().astimezone(clock.SHANGHAI).hour,
            await called(info.context, info.context.actor.name),
        )
        return Greeting(name=name, part_of_day=part_of_day(hour), today=clock.today())

    @strawberry.field(description="The caller's houses, the first one first.")
    async def houses(self, info: Info) -> list[ViewerHouse]:
        return await _own(info.context, OwnHousesLoader)

    @strawberry.field(description="Registrations that wait, or were rejected within the last 14 days.")
    async def registrations(self, info: Info) -> list[Registration]:
        return await _own(info.context, OpenRegistrationsLoader)

    @strawberry.field(description="Invitations that wait for the caller's verified phone.")
    async def invitations(self, info: Info) -> list[Invitation]:
        return await _own(info.context, ReceivedInvitationsLoader)

    @strawberry.field(description="What needs the caller, the most pressing first.")
    async def cards(self, info: Info) -> list[HomeCard]:
        groups = [sorted(await source(info.context), key=lambda card: card.due) for source in CARD_SOURCES]
        return list(chain.from_iterable(groups))


@strawberry.type
class HomeViewer:
    """The caller's own houses, registrations, invitations and home screen."""

    @strawberry.field(description="The caller's houses, the first one first.")
    async def houses(self, info: Info) -> list[ViewerHouse]:
        return await _own(info.context, OwnHousesLoader)

    @strawberry.field(description="The caller's registrations, the last one first; at most 100.")
    async def registrations(self, info: Info) -> list[Registration]:
        return cast("list[Registration]", await registration_queries.own(info.context.actor))

    @strawberry.field(description="Invitations that wait for the caller's verified phone.")
    async def invitations(self, info: Info) -> list[Invitation]:
        return await _own(info.context, ReceivedInvitationsLoader)

    @strawberry.field(description="Invitations the caller sent, the last one first; at most 100.")
    async def sent_invitations(self, info: Info) -> list[Invitation]:
        return cast("list[Invitation]", await invitation_queries.sent(info.context.actor))

    @strawberry.field(description="The home screen; for residents.", extensions=[residents_only])
    async def home(self) -> Home | None:
        return Home()

    @strawberry.field(
        description="A pass for one of the caller's houses; for its verified occupants, until they are not any more.",
        extensions=[signed_in],
    )
    async def residence_pass(
        self, info: Info, house: Annotated[strawberry.ID, strawberry.argument(description="The house.")]
    ) -> ResidencePass | None:
        house_id = decode(house, "House", "house")
        issued = await passes.issue_residence_pass(info.context.actor, house_id=house_id)
        return ResidencePass(token=issued.token, expires_at=issued.expires_at)


CARDS: Sequence[type] = (
    RegistrationPendingCard,
    RegistrationRejectedCard,
    InvitationCard,
    LeaseEndingCard,
    VisitRequestedCard,
    VisitExpectedCard,
    BillsDueCard,
    RegisterHouseCard,
)
"""Types only an interface leads to: the schema has to be told of them."""
