"""Visits that repeat, in the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, cast
from uuid import UUID

import strawberry

from domains.access.queries import templates as queries
from domains.access.service import templates as service
from domains.access.service.issuing import Guest
from schema.context import Context, Info
from schema.errors import Payload, refusals_as_data
from schema.permissions import residents_only
from schema.relay import Node, decode
from schema.visitor_passes import VisitPurpose, page_path


@strawberry.type(description="A visit that repeats every week (常访模板); one link for all its passes.")
class PassTemplate(Node):
    id: strawberry.Private[UUID]
    house_number: str = strawberry.field(description="The house: 3号楼1单元101.")
    guest_name: str = strawberry.field(description="Who comes.")
    phone: str | None = strawberry.field(description="Masked number; null if none was given.")
    plate: str = strawberry.field(description="Number plate; empty if they come without a car.")
    companions: int = strawberry.field(description="How many come along.")
    purpose: VisitPurpose = strawberry.field(description="What for.")
    message: str = strawberry.field(description="The host's words to the guest.")
    weekdays: list[int] = strawberry.field(description="Days of the week, at most 7; Monday is 1, Sunday 7.")
    from_minute: int = strawberry.field(
        description="Begin, in minutes of the day in Asia/Shanghai: 540 is 9:00."
    )
    until_minute: int = strawberry.field(description="End, likewise, on the same day.")
    uses_allowed: int | None = strawberry.field(
        description="How many times each pass opens; null for any number."
    )
    until_on: date = strawberry.field(description="The last day.")
    created_at: datetime = strawberry.field(description="When it was made.")
    ended_at: datetime | None = strawberry.field(
        description="When it was ended; null while passes are made of it."
    )
    host_name: str = strawberry.field(description="Who made it.")
    is_mine: bool = strawberry.field(description="Whether the caller made it.")
    link: str | None = strawberry.field(
        resolver=lambda root: page_path(root.link),
        description="Path of the visitor's page, which shows the pass that is due; for who made it, null for others.",
    )

    @classmethod
    def is_type_of(cls, obj: object, info: Info) -> bool:
        """Rows stand for the type: nothing is copied."""
        return isinstance(obj, queries.PassTemplate)


@strawberry.input(description="A guest who comes every week.")
class CreatePassTemplateInput:
    idempotency_key: UUID = strawberry.field(
        description="Made by the client for this template: the same key makes it once."
    )
    house: strawberry.ID = strawberry.field(description="The house of the caller that is visited.")
    name: str = strawberry.field(description="Name of the guest.")
    phone: str | None = strawberry.field(default=None, description="Mobile number.")
    weekdays: list[int] = strawberry.field(description="Days of the week, at most 7; Monday is 1, Sunday 7.")
    from_minute: int = strawberry.field(
        description="Begin, in minutes of the day in Asia/Shanghai: 540 is 9:00."
    )
    until_minute: int = strawberry.field(description="End, likewise, on the same day; at most 1440.")
    until_on: date = strawberry.field(description="The last day, within a year.")
    uses: int = strawberry.field(default=1, description="How many times each pass opens.")
    plate: str = strawberry.field(default="", description="Number plate, if they come by car.")
    companions: int = strawberry.field(default=0, description="How many come along, up to 50.")
    purpose: VisitPurpose = strawberry.field(default=VisitPurpose.SERVICE, description="What for.")
    message: str = strawberry.field(default="", description="Words that the guest reads on the page.")

    def guest(self) -> Guest:
        """As the command takes it."""
        return Guest(
            name=self.name, phone=self.phone, plate=self.plate, companions=self.companions,
            purpose=str(self.purpose.value), message=self.message,
        )  # fmt: skip


@strawberry.input(description="The template to end.")
class EndPassTemplateInput:
    pass_template: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.type(description="Result of a command on a visit that repeats.")
class PassTemplatePayload(Payload):
    pass_template: PassTemplate | None = strawberry.field(
        default=None, description="The template as it is now; null when refused."
    )


async def _payload(info: Info, id: UUID) -> PassTemplatePayload:
    found = await queries.by_id(info.context.actor, [id])
    return PassTemplatePayload(pass_template=cast("PassTemplate | None", found.get(id)))


@strawberry.type
class PassTemplatesMutation:
    """Mutations of visits that repeat."""

    @strawberry.mutation(
        description="Expect somebody every week (新建常访模板): passes are made two days ahead, under one link.",
        extensions=[residents_only],
    )
    @refusals_as_data(PassTemplatePayload)
    async def create_pass_template(
        self, info: Info, input: Annotated[CreatePassTemplateInput, strawberry.argument(description="Who.")]
    ) -> PassTemplatePayload:
        id = await service.create_pass_template(
            info.context.actor, house_id=decode(input.house, "House", "house"), guest=input.guest(),
            weekdays=input.weekdays, from_minute=input.from_minute, until_minute=input.until_minute,
            until_on=input.until_on, uses=input.uses, idempotency_key=input.idempotency_key,
        )  # fmt: skip
        return await _payload(info, id)

    @strawberry.mutation(
        description="End a template and take back its passes (结束常访模板): who made it, or an owner of the house.",
        extensions=[residents_only],
    )
    @refusals_as_data(PassTemplatePayload)
    async def end_pass_template(
        self, info: Info, input: Annotated[EndPassTemplateInput, strawberry.argument(description="Which.")]
    ) -> PassTemplatePayload:
        id = decode(input.pass_template, "PassTemplate", "pass_template")
        await service.end_pass_template(info.context.actor, template_id=id)
        return await _payload(info, id)


@strawberry.type
class PassTemplatesViewer:
    """The visits that repeat in the caller's houses."""

    @strawberry.field(
        description="Templates of the caller's houses, the running ones first; at most 100.",
        extensions=[residents_only],
    )
    async def pass_templates(self, info: Info) -> list[PassTemplate] | None:
        return cast("list[PassTemplate]", await queries.own(info.context.actor))


async def pass_template_nodes(context: Context, ids: Sequence[UUID]) -> Mapping[UUID, object]:
    """Templates by id, those of the caller's houses."""
    return await queries.by_id(context.actor, ids)


NODES = {"PassTemplate": pass_template_nodes}
