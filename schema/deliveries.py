"""The delivery log in the API (投递记录), and sending again what did not arrive; for staff."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Annotated, cast
from uuid import UUID

import strawberry

from domains.identity import account_queries
from domains.residents.queries import people
from notifications import permissions
from notifications.deliveries import queries
from notifications.deliveries import service as deliveries_service
from notifications.kinds import registry
from schema.context import Info, Loader
from schema.errors import Payload, refusals_as_data
from schema.limits.cost import cost
from schema.permissions import staff_only
from schema.relay import After, Connection, First, Key, connection, decode, encode, page_request

SORT = "deliveries:at:desc"


@strawberry.enum(
    description="How far a delivery is (投递状态). New values may appear: keep a default branch."
)
class DeliveryState(Enum):
    PENDING = strawberry.enum_value("pending", description="Waits to be sent (待发送).")
    SENDING = strawberry.enum_value("sending", description="Is being sent (发送中).")
    SENT = strawberry.enum_value("sent", description="The platform took it (已发送).")
    UNCERTAIN = strawberry.enum_value(
        "uncertain", description="May have arrived or not; the platform cannot be asked (结果不明)."
    )
    SUPPRESSED = strawberry.enum_value("suppressed", description="Not sent, on purpose (未发送).")
    EXPIRED = strawberry.enum_value("expired", description="No news any more (已过期).")
    DEAD = strawberry.enum_value("dead", description="Given up (投递失败).")


@strawberry.enum(description="A way out of the app (投递渠道). New values may appear: keep a default branch.")
class DeliveryChannel(Enum):
    WECHAT = strawberry.enum_value("wechat", description="微信订阅消息")
    ALIPAY = strawberry.enum_value("alipay", description="支付宝小程序消息")
    WEB_PUSH = strawberry.enum_value("webpush", description="浏览器推送")
    SMS = strawberry.enum_value("sms", description="短信")
    VOICE = strawberry.enum_value("voice", description="语音电话")
    WEBHOOK = strawberry.enum_value("webhook", description="系统对接")


@strawberry.enum(description="What an attempt came to (尝试结果).")
class AttemptOutcome(Enum):
    SENT = strawberry.enum_value("sent", description="The platform took it.")
    RETRY = strawberry.enum_value("retry", description="Not sent; tried again later.")
    REFUSED = strawberry.enum_value("refused", description="Not sent, for good.")
    UNKNOWN = strawberry.enum_value("unknown", description="Handed over; no answer came back.")


@strawberry.type(description="One try of a delivery (投递尝试).")
class DeliveryAttempt:
    number: int = strawberry.field(description="From 1 on; counted anew after a resend.")
    outcome: AttemptOutcome = strawberry.field(description="What it came to.")
    code: str = strawberry.field(description="The platform's code, or ours; empty when it was sent.")
    detail: str = strawberry.field(description="What the platform said.")
    began_at: datetime = strawberry.field(description="Start.")
    ended_at: datetime = strawberry.field(description="End.")


class AttemptsLoader(Loader[UUID, list[queries.Attempt]]):
    """The attempts of deliveries."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, list[queries.Attempt]]:
        """One statement for all that were asked for."""
        return await queries.attempts(self.context.actor, keys)


class MaskedNameLoader(Loader[UUID, str]):
    """What recipients are called, masked."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, str]:
        """The account's own, else what the register calls it in the compounds whose log the caller may read."""
        own = await account_queries.masked_names(keys)
        nameless = [key for key in keys if not own.get(key)]
        within = self.context.actor.compounds(permissions.DELIVERIES_READ)
        return {**own, **await people.masked_names(nameless, within)}


def _id(root: queries.Delivery) -> strawberry.ID:
    return strawberry.ID(encode("Delivery", root.id))


def _compound(root: queries.Delivery) -> strawberry.ID | None:
    return strawberry.ID(encode("Compound", root.compound_id)) if root.compound_id else None


def _recipient(root: queries.Delivery) -> strawberry.ID | None:
    return strawberry.ID(encode("Account", root.account_id)) if root.account_id else None


async def _recipient_name(root: queries.Delivery, info: Info) -> str | None:
    return await info.context.loader(MaskedNameLoader).load(root.account_id) if root.account_id else None


def _label(root: queries.Delivery, info: Info) -> str:
    kind = registry().find(root.kind)
    return kind.label.of(info.context.language) if kind else root.kind


async def _attempts(root: queries.Delivery, info: Info) -> list[DeliveryAttempt]:
    rows = await info.context.loader(AttemptsLoader).load(root.id)
    return cast("list[DeliveryAttempt]", rows or [])


@strawberry.type(description="A notice on its way to somebody by one channel outside of the app (投递).")
class Delivery:
    id: strawberry.ID = strawberry.field(resolver=_id, description="Opaque id.")
    compound: strawberry.ID | None = strawberry.field(
        resolver=_compound, description="Id of the compound; null for what concerns none."
    )
    kind: str = strawberry.field(description="Name of the kind of notice.")
    label: str = strawberry.field(resolver=_label, description="The kind in words.")
    channel: DeliveryChannel = strawberry.field(description="By which way.")
    recipient: strawberry.ID | None = strawberry.field(
        resolver=_recipient, description="Id of the account; null for a webhook."
    )
    recipient_name: str | None = strawberry.field(
        resolver=_recipient_name, description="Name, masked: 李**; null for a webhook."
    )
    is_urgent: bool = strawberry.field(description="Urgent: it does not queue behind the rest.")
    is_digest: bool = strawberry.field(description="Stands for all of its kind that were unread (摘要).")
    is_climb: bool = strawberry.field(description="Sent only where nobody had read by then (升级提醒).")
    state: DeliveryState = strawberry.field(description="How far it is.")
    reason: str | None = strawberry.field(
        description="Code of why it stands there: the platform's, or ours such as NO_CONSENT, READ, THROTTLED."
    )
    attempts_made: int = strawberry.field(description="Attempts so far, since it was last resent.")
    due_at: datetime = strawberry.field(description="Not sent before.")
    expires_at: datetime = strawberry.field(description="Not sent from then on.")
    platform_id: str | None = strawberry.field(description="The platform's id of the message.")
    created_at: datetime = strawberry.field(description="When it was planned.")
    settled_at: datetime | None = strawberry.field(description="When it was sent or given up; else null.")
    attempts: list[DeliveryAttempt] = strawberry.field(
        resolver=_attempts,
        description="Its tries in their order, at most the last 50.",
        metadata=cost(assumed=3),
    )


@strawberry.input(description="What a list of deliveries is narrowed to.")
class DeliveryFilter:
    state: DeliveryState | None = strawberry.field(default=None, description="Only those that are so far.")
    channel: DeliveryChannel | None = strawberry.field(default=None, description="Only those by this way.")
    kind: str | None = strawberry.field(default=None, description="Only those of this kind, by its name.")

    def narrowed(self) -> queries.DeliveryFilter:
        """As the query takes it."""
        state, channel = self.state, self.channel
        return queries.DeliveryFilter(
            str(state.value) if state else None, str(channel.value) if channel else None, self.kind
        )


def _keys(row: queries.Delivery) -> tuple[Key, ...]:
    return row.created_at, row.id


@strawberry.type
class DeliveriesQuery:
    """Root field of the delivery log."""

    @strawberry.field(
        description="Deliveries of a compound, the newest first, for staff who may read them in all of it; "
        "without a compound those that concern none, for who runs the installation. The reading is audited.",
        extensions=[staff_only],
    )
    async def deliveries(
        self,
        info: Info,
        compound: Annotated[
            strawberry.ID | None, strawberry.argument(description="Global id of the compound.")
        ] = None,
        first: First = 20,
        after: After = None,
        filter: Annotated[
            DeliveryFilter | None, strawberry.argument(description="What to narrow to.")
        ] = None,
    ) -> Connection[Delivery]:
        page = page_request(first, after, SORT, datetime, UUID)
        compound_id = decode(compound, "Compound", "compound") if compound else None
        narrowed = (filter or DeliveryFilter()).narrowed()
        rows = await queries.deliveries(
            info.context.actor, compound_id=compound_id, narrowed=narrowed, after=page.after, limit=page.limit
        )
        return connection(page, rows, _keys, lambda row: cast("Delivery", row))


@strawberry.input(description="The delivery to send again.")
class ResendDeliveryInput:
    delivery: strawberry.ID = strawberry.field(description="Its global id.")
    idempotency_key: UUID = strawberry.field(
        description="The same key answers the same: pressed twice, it is sent again once."
    )


@strawberry.type(description="Result of sending a delivery again.")
class ResendDeliveryPayload(Payload):
    delivery: strawberry.ID | None = strawberry.field(
        default=None, description="Id of the delivery, which waits to be sent now."
    )


@strawberry.type
class DeliveriesMutation:
    """Mutations of deliveries."""

    @strawberry.mutation(
        description="Send again what was given up, has expired or may not have arrived (重新投递). It may "
        "arrive twice where its outcome was unknown.",
        extensions=[staff_only],
    )
    @refusals_as_data(ResendDeliveryPayload)
    async def resend_delivery(
        self, info: Info, input: Annotated[ResendDeliveryInput, strawberry.argument(description="Which.")]
    ) -> ResendDeliveryPayload:
        delivery_id = decode(input.delivery, "Delivery", "delivery")
        await deliveries_service.resend_delivery(
            info.context.actor, delivery_id=delivery_id, idempotency_key=input.idempotency_key
        )
        return ResendDeliveryPayload(delivery=strawberry.ID(encode("Delivery", delivery_id)))
