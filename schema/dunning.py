"""Dunning in the API (催缴): steps, letters, reminders by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, cast
from uuid import UUID

import strawberry

from domains.billing import dunning as rules
from domains.billing.queries import dunning as queries
from domains.billing.service import dunning as service
from domains.billing.service import dunning_letters, dunning_steps
from schema.billing_documents import IssuedDocument
from schema.context import Context, Info
from schema.errors import Payload, refusals_as_data
from schema.houses import HouseLoader
from schema.permissions import staff_only
from schema.relay import After, Connection, First, Key, Node, connection, decode, page_request
from schema.scalars import Long

if TYPE_CHECKING:
    from schema.estate import House

SORT = "dunning_letters:made"


@strawberry.enum(description="How somebody is reminded (催缴方式).")
class DunningForm(Enum):
    MESSAGE = strawberry.enum_value("message", description="消息")
    LETTER = strawberry.enum_value("letter", description="催缴函, to be printed; a message is sent as well")


@strawberry.type(description="A step of a compound's dunning (催缴步骤).")
class DunningStep:
    days: int = strawberry.field(description="Days after the due date; below zero before it.")
    form: DunningForm = strawberry.field(description="By a message or a letter.")


@strawberry.type(description="A letter to be printed and handed over (催缴函).")
class DunningLetter(Node):
    id: strawberry.Private[UUID]
    house_id: strawberry.Private[UUID]
    house_number: str = strawberry.field(description="The house: 3号楼1单元101.")
    number: str = strawberry.field(description="Its number, counted per compound and year: CJH-2026-0001.")
    made_on: date = strawberry.field(description="The day on it.")
    owed_fen: Long = strawberry.field(description="Principal and late fee of that day, in fen.")
    bills: int = strawberry.field(description="How many bills are on it.")
    is_owed: bool = strawberry.field(description="One of them at least is not paid yet.")
    printed_at: datetime | None = strawberry.field(description="When it was first printed; null before.")
    printed_by_name: str | None = strawberry.field(description="By whom.")

    @strawberry.field(description="The house, where the caller may see it.")
    async def house(self, info: Info) -> Annotated[House, strawberry.lazy("schema.estate")] | None:
        return cast("House | None", await info.context.loader(HouseLoader).load(self.house_id))

    @classmethod
    def is_type_of(cls, obj: object, info: Info) -> bool:
        """Rows stand for the type: nothing is copied."""
        return isinstance(obj, queries.DunningLetter)


@strawberry.input(description="A step of dunning.")
class DunningStepInput:
    days: int = strawberry.field(
        description="Days after the due date, -60 to 1000; below zero before it, for messages."
    )
    form: DunningForm = strawberry.field(description="By a message or a letter.")


@strawberry.input(description="All steps of a compound; what is left out is a step no more.")
class SetDunningStepsInput:
    compound: strawberry.ID = strawberry.field(description="The compound.")
    steps: list[DunningStepInput] = strawberry.field(
        description="At most 12, one a day; none reminds of nothing."
    )


@strawberry.input(description="The house to remind.")
class RemindNowInput:
    house: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.input(description="The letter to print.")
class PrintDunningLetterInput:
    letter: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.type(description="Result of setting a compound's steps.")
class DunningStepsPayload(Payload):
    steps: list[DunningStep] | None = strawberry.field(
        default=None, description="The steps as they are now, at most 12; null when refused."
    )


@strawberry.type(description="Result of reminding a house.")
class RemindNowPayload(Payload):
    house: strawberry.ID | None = strawberry.field(
        default=None, description="Id of the house; null when refused."
    )


@strawberry.type(description="Result of printing a letter.")
class DunningLetterPayload(Payload):
    letter: DunningLetter | None = strawberry.field(
        default=None, description="The letter as it is now; null when refused, and for who lacks bills.read."
    )
    document: IssuedDocument | None = strawberry.field(
        default=None, description="The letter as PDF; null when refused."
    )


Compound = Annotated[strawberry.ID, strawberry.argument(description="The compound.")]


def _keys(row: queries.DunningLetter) -> tuple[Key, ...]:
    return row.made_on, row.id


def _as_letter(row: queries.DunningLetter) -> DunningLetter:
    return row  # type: ignore[return-value]  # rows stand for the type


@strawberry.type
class DunningQuery:
    """Root fields of dunning."""

    @strawberry.field(
        description="A compound's steps of dunning in their order, at most 12; for staff with bills.read.",
        extensions=[staff_only],
    )
    async def dunning_steps(self, info: Info, compound: Compound) -> list[DunningStep] | None:
        compound_id = decode(compound, "Compound", "compound")
        return cast("list[DunningStep]", await queries.dunning_steps(info.context.actor, compound_id))

    @strawberry.field(
        description="A compound's letters, the last one first; for staff with bills.read, audited.",
        extensions=[staff_only],
    )
    async def dunning_letters(
        self,
        info: Info,
        *,
        compound: Compound,
        is_printed: Annotated[
            bool | None, strawberry.argument(description="Only those that were printed, or were not.")
        ] = None,
        first: First = 20,
        after: After = None,
    ) -> Connection[DunningLetter] | None:
        actor, compound_id = info.context.actor, decode(compound, "Compound", "compound")
        page = page_request(first, after, SORT, date, UUID)
        rows = await queries.letters(actor, compound_id, is_printed, after=page.after, limit=page.limit)

        async def count() -> int:
            return await queries.count_letters(actor, compound_id, is_printed)

        return connection(page, rows, _keys, _as_letter, count)


@strawberry.type
class DunningMutation:
    """Mutations of dunning."""

    @strawberry.mutation(
        description="Set when a compound reminds of its bills, and how; for staff with dunning.write in all of it.",
        extensions=[staff_only],
    )
    @refusals_as_data(DunningStepsPayload)
    async def set_dunning_steps(
        self, info: Info, input: Annotated[SetDunningStepsInput, strawberry.argument(description="Which.")]
    ) -> DunningStepsPayload:
        compound_id = decode(input.compound, "Compound", "compound")
        steps = [(step.days, cast("rules.Form", step.form.value)) for step in input.steps]
        await dunning_steps.set_dunning_steps(info.context.actor, compound_id=compound_id, steps=steps)
        kept = [DunningStep(days=step.days, form=step.form) for step in sorted(input.steps, key=_days)]
        return DunningStepsPayload(steps=kept)

    @strawberry.mutation(
        description="Remind who pays for a house of all it has to pay, at most once a day; for staff with "
        "dunning.write.",
        extensions=[staff_only],
    )
    @refusals_as_data(RemindNowPayload)
    async def remind_now(
        self, info: Info, input: Annotated[RemindNowInput, strawberry.argument(description="Which.")]
    ) -> RemindNowPayload:
        await service.remind_now(info.context.actor, house_id=decode(input.house, "House", "house"))
        return RemindNowPayload(house=input.house)

    @strawberry.mutation(
        description="Print a letter (打印催缴函), which marks it as printed; again as often as needed. For staff with "
        "dunning.write and bills.read.",
        extensions=[staff_only],
    )
    @refusals_as_data(DunningLetterPayload)
    async def print_dunning_letter(
        self, info: Info, input: Annotated[PrintDunningLetterInput, strawberry.argument(description="Which.")]
    ) -> DunningLetterPayload:
        actor, id = info.context.actor, decode(input.letter, "DunningLetter", "letter")
        made = await dunning_letters.print_dunning_letter(actor, letter_id=id)
        letter = (await queries.letters_by_id(actor, [id])).get(id)
        return DunningLetterPayload(
            letter=cast("DunningLetter | None", letter), document=cast("IssuedDocument", made)
        )


def _days(step: DunningStepInput) -> int:
    return step.days


async def letter_nodes(context: Context, ids: Sequence[UUID]) -> Mapping[UUID, object]:
    """Letters by id, those the caller may see."""
    return await queries.letters_by_id(context.actor, ids)


NODES = {"DunningLetter": letter_nodes}
