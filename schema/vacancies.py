"""Houses that stand empty, in the API (空置): owners ask, staff decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, cast
from uuid import UUID

import strawberry

from domains.billing.queries import vacancies as queries
from domains.billing.service import vacancies as service
from schema.context import Context, Info
from schema.errors import Payload, refusals_as_data
from schema.houses import HouseLoader
from schema.permissions import residents_only, staff_only
from schema.relay import After, Connection, First, Key, Node, connection, decode, page_request

if TYPE_CHECKING:
    from schema.estate import House

SORT = "vacancies:requested"


@strawberry.enum(description="How far a vacancy is (空置登记状态).")
class VacancyState(Enum):
    REQUESTED = strawberry.enum_value("requested", description="待审核")
    APPROVED = strawberry.enum_value("approved", description="已通过")
    REJECTED = strawberry.enum_value("rejected", description="已驳回")


@strawberry.type(description="A house stands empty and pays less (空置).")
class Vacancy(Node):
    id: strawberry.Private[UUID]
    house_id: strawberry.Private[UUID]
    house_number: str = strawberry.field(description="The house: 3号楼1单元101.")
    from_on: date = strawberry.field(description="The first day.")
    until_on: date = strawberry.field(description="The first day that is not vacant any more.")
    state: VacancyState = strawberry.field(description="How far it is.")
    note: str = strawberry.field(description="What was said with it.")
    reason: str = strawberry.field(description="What staff wrote when they decided.")
    requested_at: datetime = strawberry.field(description="When it was asked for or recorded.")
    decided_at: datetime | None = strawberry.field(description="When it was decided.")

    @strawberry.field(description="The house, where the caller may see it.")
    async def house(self, info: Info) -> Annotated[House, strawberry.lazy("schema.estate")] | None:
        return cast("House | None", await info.context.loader(HouseLoader).load(self.house_id))

    @classmethod
    def is_type_of(cls, obj: object, info: Info) -> bool:
        """Rows stand for the type: nothing is copied."""
        return isinstance(obj, queries.Vacancy)


@strawberry.input(description="Days on which a house stands empty, three years at most.")
class VacancyInput:
    house: strawberry.ID = strawberry.field(description="The house.")
    from_on: date = strawberry.field(description="The first day.")
    until_on: date = strawberry.field(description="The first day that is not vacant any more.")
    note: str = strawberry.field(default="", description="For staff to read, up to 200 characters.")


@strawberry.input(description="A decision on what an owner said.")
class DecideVacancyInput:
    vacancy: strawberry.ID = strawberry.field(description="Its id.")
    approve: bool = strawberry.field(description="Whether the house counts as vacant.")
    reason: str = strawberry.field(
        default="", description="For the owner to read; needed to reject, up to 200 characters."
    )


@strawberry.input(description="An earlier end of a vacancy.")
class EndVacancyInput:
    vacancy: strawberry.ID = strawberry.field(description="Its id.")
    until_on: date = strawberry.field(description="The first day that is not vacant any more.")


@strawberry.type(description="Result of a command on a vacancy.")
class VacancyPayload(Payload):
    vacancy: Vacancy | None = strawberry.field(
        default=None, description="The vacancy as it is now; null when refused."
    )


def _as_vacancy(row: queries.Vacancy) -> Vacancy:
    return row  # type: ignore[return-value]  # rows stand for the type


def _keys(row: queries.Vacancy) -> tuple[Key, ...]:
    return row.requested_at, row.id


async def _payload(info: Info, id: UUID) -> VacancyPayload:
    found = await queries.by_id(info.context.actor, [id])
    return VacancyPayload(vacancy=cast("Vacancy | None", found.get(id)))


@strawberry.type
class VacanciesViewer:
    """Vacancies of the caller's houses."""

    @strawberry.field(
        description="Vacancies of the houses that the caller owns, the last one first; at most 100.",
        extensions=[residents_only],
    )
    async def vacancies(self, info: Info) -> list[Vacancy] | None:
        return [_as_vacancy(row) for row in await queries.own(info.context.actor)]


@strawberry.type
class VacanciesQuery:
    """Root fields of vacancies."""

    @strawberry.field(
        description="A compound's vacancies, or a house's, the last one first; for staff with fees.read.",
        extensions=[staff_only],
    )
    async def vacancies(
        self,
        info: Info,
        *,
        compound: Annotated[strawberry.ID, strawberry.argument(description="The compound.")],
        state: Annotated[VacancyState | None, strawberry.argument(description="Only these.")] = None,
        house: Annotated[strawberry.ID | None, strawberry.argument(description="Only this house.")] = None,
        first: First = 20,
        after: After = None,
    ) -> Connection[Vacancy] | None:
        page = page_request(first, after, SORT, datetime, UUID)
        actor, compound_id = info.context.actor, decode(compound, "Compound", "compound")
        wanted = str(state.value) if state else None
        house_id = decode(house, "House", "house") if house else None
        rows = await queries.for_staff(
            actor, compound_id, state=wanted, house_id=house_id, after=page.after, limit=page.limit
        )

        async def count() -> int:
            return await queries.count_for_staff(actor, compound_id, wanted, house_id)

        return connection(page, rows, _keys, _as_vacancy, count)


@strawberry.type
class VacanciesMutation:
    """Mutations of vacancies."""

    @strawberry.mutation(
        description="Say that one's own house stands empty; staff decide. For its owners.",
        extensions=[residents_only],
    )
    @refusals_as_data(VacancyPayload)
    async def request_vacancy(
        self, info: Info, input: Annotated[VacancyInput, strawberry.argument(description="When.")]
    ) -> VacancyPayload:
        id = await service.request_vacancy(
            info.context.actor, house_id=decode(input.house, "House", "house"), from_on=input.from_on,
            until_on=input.until_on, note=input.note,
        )  # fmt: skip
        return await _payload(info, id)

    @strawberry.mutation(
        description="Record that a house stands empty; it counts at once. For staff with fees.write.",
        extensions=[staff_only],
    )
    @refusals_as_data(VacancyPayload)
    async def record_vacancy(
        self, info: Info, input: Annotated[VacancyInput, strawberry.argument(description="When.")]
    ) -> VacancyPayload:
        id = await service.record_vacancy(
            info.context.actor, house_id=decode(input.house, "House", "house"), from_on=input.from_on,
            until_on=input.until_on, note=input.note,
        )  # fmt: skip
        return await _payload(info, id)

    @strawberry.mutation(
        description="Confirm what an owner said, or not; for staff with fees.write.", extensions=[staff_only]
    )
    @refusals_as_data(VacancyPayload)
    async def decide_vacancy(
        self, info: Info, input: Annotated[DecideVacancyInput, strawberry.argument(description="The word.")]
    ) -> VacancyPayload:
        id = decode(input.vacancy, "Vacancy", "vacancy")
        await service.decide_vacancy(
            info.context.actor, vacancy_id=id, approve=input.approve, reason=input.reason
        )
        return await _payload(info, id)

    @strawberry.mutation(
        description="Let a vacancy end earlier; for staff with fees.write.", extensions=[staff_only]
    )
    @refusals_as_data(VacancyPayload)
    async def end_vacancy(
        self, info: Info, input: Annotated[EndVacancyInput, strawberry.argument(description="When.")]
    ) -> VacancyPayload:
        id = decode(input.vacancy, "Vacancy", "vacancy")
        await service.end_vacancy(info.context.actor, vacancy_id=id, until_on=input.until_on)
        return await _payload(info, id)


async def vacancy_nodes(context: Context, ids: Sequence[UUID]) -> Mapping[UUID, object]:
    """Vacancies by id: of one's own houses, or by permission."""
    return await queries.by_id(context.actor, ids)


NODES = {"Vacancy": vacancy_nodes}
