"""Orders to doors in the API: opening from the phone, holding open and closed."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime
from enum import Enum
from typing import Annotated, cast
from uuid import UUID

import strawberry

from domains.access.queries import doors as queries
from domains.access.service import modes, opening
from domains.access.service.settling import DOOR_COMMAND_CHANGED, settle_overdue
from domains.kernel import clock
from notifications import viewer_events
from schema import catalogue
from schema.context import Context, Info
from schema.doors import Door, DoorLoader, DoorMode
from schema.errors import Payload, general_text, refusals_as_data
from schema.live import followed
from schema.permissions import signed_in, staff_only
from schema.relay import Node, decode


@strawberry.enum(description="What a door was ordered to do (指令).")
class DoorAction(Enum):
    OPEN = strawberry.enum_value("open", description="开门一次")
    HOLD_OPEN = strawberry.enum_value("hold_open", description="保持常开")
    NORMAL = strawberry.enum_value("normal", description="恢复正常")
    CLOSED = strawberry.enum_value("closed", description="保持常闭")


@strawberry.enum(description="How far an order to a door is (指令状态).")
class DoorCommandState(Enum):
    REQUESTED = strawberry.enum_value("requested", description="已提交: about to be sent")
    SENT = strawberry.enum_value("sent", description="已下发: the controller has not answered yet")
    OPENED = strawberry.enum_value("opened", description="已执行: the controller says so")
    REFUSED = strawberry.enum_value("refused", description="未执行: see `reason`")
    EXPIRED = strawberry.enum_value("expired", description="已过期: nothing was done, and nothing will be")
    UNKNOWN = strawberry.enum_value(
        "unknown", description="结果未知: it may have been carried out, look at the door"
    )


@strawberry.type(
    description="One order to a door (开门指令): carried out once or not at all, within seconds."
)
class DoorCommand(Node):
    id: strawberry.Private[UUID]
    door_id: strawberry.Private[UUID]
    action: DoorAction = strawberry.field(description="What was ordered.")
    state: DoorCommandState = strawberry.field(description="How far it is.")
    reason: str = strawberry.field(
        description="Code of why it was not carried out, such as DOOR_UNREACHABLE; empty where it was."
    )
    requested_at: datetime = strawberry.field(description="When it was asked for.")
    expires_at: datetime = strawberry.field(description="When it stops to count, seconds later.")
    sent_at: datetime | None = strawberry.field(description="When it was sent; null before.")
    settled_at: datetime | None = strawberry.field(description="When its end was known; null before.")
    acted_at: datetime | None = strawberry.field(
        description="When the lock was released, by the controller's clock; null where it was not."
    )
    moved_at: datetime | None = strawberry.field(
        description="When the door then moved; null where it was not seen to."
    )

    @strawberry.field(description="Why it was not carried out, for the person; null where it was.")
    def message(self, info: Info) -> str | None:
        if not self.reason:
            return None
        code = self.reason if self.reason in catalogue.texts() else "DOOR_REFUSED"
        return general_text(code, info.context.language)

    @strawberry.field(description="The door, where the caller may see it.")
    async def door(self, info: Info) -> Door | None:
        return cast("Door | None", await info.context.loader(DoorLoader).load(self.door_id))

    @classmethod
    def is_type_of(cls, obj: object, info: Info) -> bool:
        """Rows stand for the type: nothing is copied."""
        return isinstance(obj, queries.DoorCommand)


@strawberry.input(description="The door to open.")
class OpenDoorInput:
    door: strawberry.ID = strawberry.field(description="Its id.")
    house: strawberry.ID | None = strawberry.field(
        default=None, description="For which of one's houses; the first that the door leads to unless told."
    )
    idempotency_key: UUID = strawberry.field(
        description="Made by the client for this tap; sent again it gives the same order and opens nothing."
    )


@strawberry.input(description="How a door is to be held.")
class SetDoorModeInput:
    door: strawberry.ID = strawberry.field(description="Its id.")
    mode: DoorMode = strawberry.field(description="How.")
    reason: str = strawberry.field(description="Why, up to 100 characters.")
    idempotency_key: UUID = strawberry.field(
        description="Made by the client for this order; sent again it gives the same order."
    )


@strawberry.type(description="Result of an order to a door.")
class DoorCommandPayload(Payload):
    command: DoorCommand | None = strawberry.field(
        default=None,
        description="The order, mostly at its end; while it is under way, follow `doorCommandChanged`.",
    )


async def _payload(info: Info, id: UUID) -> DoorCommandPayload:
    found = await queries.commands_by_id(info.context.actor, [id])
    return DoorCommandPayload(command=cast("DoorCommand | None", found.get(id)))


@strawberry.type
class DoorCommandsMutation:
    """Mutations that order a door."""

    @strawberry.mutation(
        description="Open a door from the phone (手机开门), or as staff with doors.open from afar. Waits for the "
        "controller's answer for 3 seconds at most.",
        extensions=[signed_in],
    )
    @refusals_as_data(DoorCommandPayload)
    async def open_door(
        self, info: Info, input: Annotated[OpenDoorInput, strawberry.argument(description="Which one.")]
    ) -> DoorCommandPayload:
        id = await opening.open_door(
            info.context.actor, door_id=decode(input.door, "Door", "door"),
            house_id=decode(input.house, "House", "house") if input.house else None,
            idempotency_key=input.idempotency_key,
        )  # fmt: skip
        return await _payload(info, id)

    @strawberry.mutation(
        description="Hold a door open or closed, or end that (常开、常闭); for staff with doors.write.",
        extensions=[staff_only],
    )
    @refusals_as_data(DoorCommandPayload)
    async def set_door_mode(
        self, info: Info, input: Annotated[SetDoorModeInput, strawberry.argument(description="How.")]
    ) -> DoorCommandPayload:
        id = await modes.set_door_mode(
            info.context.actor, door_id=decode(input.door, "Door", "door"), mode=cast("modes.Mode", input.mode.value),
            reason=input.reason, idempotency_key=input.idempotency_key,
        )  # fmt: skip
        return await _payload(info, id)


@strawberry.type
class DoorCommandsQuery:
    """Root fields of orders to doors."""

    @strawberry.field(
        description="An order to a door: one's own, or for staff with doors.read; null otherwise.",
        extensions=[signed_in],
    )
    async def door_command(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Its id.")]
    ) -> DoorCommand | None:
        command_id = decode(id, "DoorCommand", "id")
        return cast("DoorCommand | None", (await command_nodes(info.context, [command_id])).get(command_id))


@strawberry.type
class DoorCommandsSubscription:
    """Subscriptions to orders."""

    @strawberry.subscription(
        description="An order of the caller's as it is now, and after each change; after an error LIVE_INTERRUPTED "
        "read again, then subscribe."
    )
    async def door_command_changed(
        self, info: Info, command: Annotated[strawberry.ID, strawberry.argument(description="Its id.")]
    ) -> AsyncGenerator[DoorCommand, None]:
        actor = info.context.actor
        signed_in.check(actor)
        command_id = decode(command, "DoorCommand", "command")

        async def read(event: viewer_events.ViewerEvent) -> DoorCommand | None:
            return await current() if event.subject_id == command_id else None

        async def current() -> DoorCommand | None:
            return cast(
                "DoorCommand | None", (await queries.commands_by_id(actor, [command_id])).get(command_id)
            )

        # Followed before it is read: what changes in between comes twice rather than not at all.
        changes = await followed(actor, None, {DOOR_COMMAND_CHANGED}, read)

        async def first_as_it_is() -> AsyncGenerator[DoorCommand, None]:
            if (now := await current()) is not None:
                yield now
            async with aclosing(changes):
                async for change in changes:
                    yield change

        return first_as_it_is()


async def command_nodes(context: Context, ids: Sequence[UUID]) -> Mapping[UUID, object]:
    """Orders by id, those the caller may see; one whose time is over is ended by who asks."""
    found = await queries.commands_by_id(context.actor, ids)
    late = [each.id for each in found.values() if each.settled_at is None and each.expires_at < clock.now()]
    for id in late:
        await settle_overdue(id)
    return await queries.commands_by_id(context.actor, ids) if late else found


NODES = {"DoorCommand": command_nodes}
