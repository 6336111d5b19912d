"""What happens while somebody is looking (实时更新): subscriptions, and where to begin."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from contextlib import aclosing
from datetime import datetime
from typing import Annotated, TypeVar, cast
from uuid import UUID

import strawberry
from graphql import FieldNode, FragmentSpreadNode, GraphQLResolveInfo, InlineFragmentNode, SelectionSetNode

from domains.kernel.actor import Actor
from domains.residents.queries import registrations
from domains.residents.service.registration import REGISTRATION_CHANGED
from notifications import inbox, viewer_events
from notifications.addresses import INBOX_JOINED
from notifications.feeds import feeds
from notifications.notifying import INBOX_ADDED
from notifications.viewer_events import Place
from schema.context import Context, Info
from schema.event_cursors import event_cursor, read_event_cursor
from schema.inbox import Notification
from schema.permissions import residents_only, signed_in
from schema.registration import Registration
from schema.relay import Node, encode

T = TypeVar("T")
INBOX_EVENTS = frozenset({INBOX_ADDED, inbox.INBOX_READ, INBOX_JOINED})
AfterEvent = Annotated[
    str | None,
    strawberry.argument(
        description="Cursor of the last event that was seen, or `viewer.eventCursor`: what was missed since "
        "comes first. Null begins now."
    ),
]


@strawberry.type
class Happened:
    """An event as clients see it; what it is about is read when it is asked for."""

    event: strawberry.Private[viewer_events.ViewerEvent]

    @strawberry.field(description="Pass it as `after` to go on from here.")
    def cursor(self) -> str:
        return event_cursor(self.event.place)


@strawberry.type(description="The inbox changed (收件箱变化).")
class InboxChange(Happened):
    @strawberry.field(description="Unread notices now, counted up to 1000.")
    async def unread_count(self, info: Info) -> int:
        return (await self._change(info)).unread_count

    @strawberry.field(description="The notice that was added; null where some were marked as read.")
    async def notification(self, info: Info) -> Notification | None:
        return cast("Notification | None", (await self._change(info)).notification)

    async def _change(self, info: Info) -> inbox.Change:
        actor = info.context.actor
        return await feeds().inbox_change((actor.id, self.event.subject_id, inbox.language_of(actor)))


@strawberry.type(description="Something of the caller's changed (实时事件).")
class ViewerEvent(Happened):
    @strawberry.field(
        description="What happened, `domain.fact`, such as inbox.added, inbox.read, registration.changed; "
        "new ones appear over time."
    )
    def name(self) -> str:
        return self.event.name

    @strawberry.field(description="Opaque id of what changed; null where there is no such thing.")
    def subject(self) -> strawberry.ID | None:
        id = self.event.subject_id
        return strawberry.ID(encode(self.event.subject_type, id)) if id else None

    @strawberry.field(
        description="What changed, as it is now; null where there is no such thing or it may not be seen any more."
    )
    async def node(self, info: Info) -> Node | None:
        from schema.nodes import SOURCES  # they hold types that name this module's

        source, id = SOURCES.get(self.event.subject_type), self.event.subject_id
        if source is None or id is None:
            return None
        # The subscription may be older than what its caller may see.
        await info.context.renew()
        return cast("Node | None", (await source(info.context, [id])).get(id))

    @strawberry.field(description="When it happened.")
    def at(self) -> datetime:
        return self.event.at


Show = Callable[[viewer_events.ViewerEvent], Awaitable[T | None]]


async def followed(
    actor: Actor, after: str | None, names: Collection[str] | None, show: Show[T]
) -> AsyncGenerator[T, None]:
    """What `show` makes of the caller's events of these names, or of all, after a cursor or from now on;
    None is passed over. Raises BAD_CURSOR and CURSOR_EXPIRED before anything is followed."""
    place = None if after is None else read_event_cursor(after)
    return _shown(await feeds().follow(actor.id, place), names, show)


async def _shown(
    events: AsyncGenerator[viewer_events.ViewerEvent, None], names: Collection[str] | None, show: Show[T]
) -> AsyncGenerator[T, None]:
    async with aclosing(events):
        async for event in events:
            if (names is None or event.name in names) and (made := await show(event)) is not None:
                yield made


async def _inbox_change(event: viewer_events.ViewerEvent) -> InboxChange:
    return InboxChange(event=event)


async def _viewer_event(event: viewer_events.ViewerEvent) -> ViewerEvent:
    return ViewerEvent(event=event)


@strawberry.type
class LiveSubscription:
    """Root fields of subscriptions. Each checks the caller before it returns its events: a refusal is
    an error of the operation, and the connection ends with the session."""

    @strawberry.subscription(
        description="A notice was added to the caller's inbox, or some were marked as read. CURSOR_EXPIRED for a "
        "cursor that is older than three days: read the inbox, then begin from `viewer.eventCursor`."
    )
    async def inbox_changed(self, info: Info, after: AfterEvent = None) -> AsyncGenerator[InboxChange, None]:
        signed_in.check(info.context.actor)
        return await followed(info.context.actor, after, INBOX_EVENTS, _inbox_change)

    @strawberry.subscription(
        description="Something of the caller's changed. CURSOR_EXPIRED for a cursor that is older than three days: "
        "read what is shown again, then begin from `viewer.eventCursor`."
    )
    async def viewer_events(
        self,
        info: Info,
        after: AfterEvent = None,
        names: Annotated[
            list[str] | None, strawberry.argument(description="Only events of these names; null means all.")
        ] = None,
    ) -> AsyncGenerator[ViewerEvent, None]:
        signed_in.check(info.context.actor)
        return await followed(info.context.actor, after, names and frozenset(names), _viewer_event)

    @strawberry.subscription(
        description="The caller's own registration as it is after each change, from now on; for residents. After an "
        "error LIVE_INTERRUPTED read again, then subscribe."
    )
    async def registration_changed(self, info: Info) -> AsyncGenerator[Registration, None]:
        actor = info.context.actor
        residents_only.check(actor)

        async def read(event: viewer_events.ViewerEvent) -> Registration | None:
            id = cast("UUID", event.subject_id)
            return cast("Registration | None", (await registrations.by_id(actor, [id])).get(id))

        return await followed(actor, None, {REGISTRATION_CHANGED}, read)


@strawberry.type
class LiveViewer:
    """Where to begin."""

    place: strawberry.Private[Place | None] = None

    @strawberry.field(
        description="Cursor for `after` of a subscription, taken before anything else of the viewer is read: "
        "who shows what this query gives and goes on from here misses nothing."
    )
    async def event_cursor(self) -> str:
        return event_cursor(self.place or await feeds().here())


async def place_before(info: Info) -> Place | None:
    """Where the viewer's listener is before its fields are read, if `eventCursor` is one of them."""
    raw = info._raw_info
    asked = any(_selects(raw, each.selection_set, "eventCursor") for each in raw.field_nodes)
    return await feeds().here() if asked else None


def _selects(raw: GraphQLResolveInfo[Context], selections: SelectionSetNode | None, name: str) -> bool:
    for each in selections.selections if selections else ():
        if isinstance(each, FieldNode):
            found = each.name.value == name
        elif isinstance(each, FragmentSpreadNode):
            found = _selects(raw, raw.fragments[each.name.value].selection_set, name)
        else:
            found = isinstance(each, InlineFragmentNode) and _selects(raw, each.selection_set, name)
        if found:
            return True
    return False
