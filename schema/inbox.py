"""The inbox in the API (收件箱): what the caller was told, and what of it is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Annotated, cast
from uuid import UUID

import strawberry

from notifications import inbox
from schema.context import Context, Info
from schema.errors import Payload, refusals_as_data
from schema.permissions import signed_in
from schema.relay import After, Connection, First, Key, Node, connection, decode, encode, page_request

SORT = "inbox:at:desc"


@strawberry.enum(description="How far a notice may intrude (紧急程度).")
class Urgency(Enum):
    LOW = strawberry.enum_value("low", description="不急,汇总后告知")
    NORMAL = strawberry.enum_value("normal", description="一般,避开免打扰时段")
    HIGH = strawberry.enum_value("high", description="重要,不受免打扰限制")
    URGENT = strawberry.enum_value("urgent", description="紧急,通过所有渠道立即告知")


@strawberry.type(description="Something the caller was told (消息), in the language of the request.")
class Notification(Node):
    id: strawberry.Private[UUID]
    subject_type: strawberry.Private[str]
    subject_id: strawberry.Private[UUID | None]
    compound_id: strawberry.Private[UUID | None]
    kind: str = strawberry.field(description="Name of its kind, `domain.fact`; new ones appear over time.")
    label: str = strawberry.field(description="The kind in words.")
    urgency: Urgency = strawberry.field(description="How urgent it was.")
    title: str = strawberry.field(description="Title.")
    body: str = strawberry.field(description="Text; may be empty.")
    link: str = strawberry.field(
        description="Page of the client that it leads to; empty where there is none."
    )
    created_at: datetime = strawberry.field(description="When it happened.")
    read_at: datetime | None = strawberry.field(description="When it was read; null while it is not.")

    @strawberry.field(description="Opaque id of what it is about; null where there is no such thing.")
    def subject(self) -> strawberry.ID | None:
        return strawberry.ID(encode(self.subject_type, self.subject_id)) if self.subject_id else None

    @strawberry.field(description="Opaque id of the compound; null for what concerns none.")
    def compound(self) -> strawberry.ID | None:
        return strawberry.ID(encode("Compound", self.compound_id)) if self.compound_id else None

    @classmethod
    def is_type_of(cls, obj: object, info: Info) -> bool:
        """Rows stand for the type: nothing is copied."""
        return isinstance(obj, inbox.Notification)


@strawberry.type(description="A page of the inbox.")
class InboxConnection(Connection[Notification]):
    @strawberry.field(
        description="Unread notices of the whole inbox, whatever the filter; counted up to 1000."
    )
    async def unread_count(self, info: Info) -> int:
        return await inbox.unread_count(info.context.actor)


def _keys(row: inbox.Notification) -> tuple[Key, ...]:
    return row.created_at, row.id


@strawberry.type
class InboxViewer:
    """What the caller was told."""

    @strawberry.field(description="The caller's notices, the newest first.", extensions=[signed_in])
    async def inbox(
        self,
        info: Info,
        first: First = 20,
        after: After = None,
        unread_only: Annotated[
            bool, strawberry.argument(description="Only those that are not read.")
        ] = False,
        kinds: Annotated[
            list[str] | None, strawberry.argument(description="Only these kinds, by name; at most 20.")
        ] = None,
    ) -> InboxConnection:
        actor, page = info.context.actor, page_request(first, after, SORT, datetime, UUID)
        wanted = inbox.InboxFilter(unread_only, None if kinds is None else tuple(kinds))
        rows = await inbox.page(actor, wanted, after=page.after, limit=page.limit)
        made = connection(
            page, rows, _keys, lambda row: cast("Notification", row), lambda: inbox.total(actor, wanted)
        )
        return InboxConnection(edges=made.edges, nodes=made.nodes, page_info=made.page_info, count=made.count)


@strawberry.input(description="What was read.", one_of=True)
class MarkReadInput:
    notifications: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET, description="These, at most 100; what is not the caller's is passed over."
    )
    through: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="This one and all that are not newer."
    )


@strawberry.type(description="Result of marking as read.")
class MarkReadPayload(Payload):
    notifications: list[Notification] | None = strawberry.field(
        default=None, description="Those that were unread before, the newest first; at most 100."
    )
    changed_count: int | None = strawberry.field(default=None, description="How many were unread before.")
    unread_count: int | None = strawberry.field(
        default=None, description="Unread notices that are left, counted up to 1000."
    )


@strawberry.type
class InboxMutation:
    """Mutations on the inbox."""

    @strawberry.mutation(
        description="Mark own notices as read; what is read already stays as it is. What waits to be sent of "
        "them only if nobody reads is not sent.",
        extensions=[signed_in],
    )
    @refusals_as_data(MarkReadPayload)
    async def mark_read(
        self,
        info: Info,
        input: Annotated[MarkReadInput, strawberry.argument(description="What was read.")],
    ) -> MarkReadPayload:
        ids = [decode(each, "Notification", "notifications") for each in input.notifications or ()]
        through = decode(input.through, "Notification", "through") if input.through else None
        marked = await inbox.mark_read(info.context.actor, ids=ids, through=through)
        shown = cast("list[Notification]", list(marked.notifications))
        return MarkReadPayload(
            notifications=shown, changed_count=marked.count, unread_count=marked.unread_count
        )


async def notification_nodes(context: Context, ids: Sequence[UUID]) -> Mapping[UUID, object]:
    """Notices by id, those of the caller."""
    return await inbox.by_id(context.actor, ids)


NODES = {"Notification": notification_nodes}
