"""Endpoints of other systems in the API (系统对接, Webhook), for staff."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, cast
from uuid import UUID

import strawberry

from notifications import webhooks as service
from notifications.kinds import Kind
from schema.context import Context, Info
from schema.errors import Payload, refusals_as_data
from schema.limits.cost import cost
from schema.permissions import staff_only
from schema.relay import Node, decode, encode


def _compound_id(root: service.Webhook) -> strawberry.ID:
    return strawberry.ID(encode("Compound", root.compound_id))


def _is_enabled(root: service.Webhook) -> bool:
    return root.disabled_at is None


@strawberry.type(description="Another system that is told what happens in a compound (对接地址).")
class Webhook(Node):
    id: strawberry.Private[UUID]
    compound: strawberry.ID = strawberry.field(resolver=_compound_id, description="Id of the compound.")
    name: str = strawberry.field(description="Name for people.")
    url: str = strawberry.field(description="Address that is called, by POST.")
    kinds: list[str] = strawberry.field(
        description="Names of the kinds of notices it is told, at most all there are."
    )
    is_enabled: bool = strawberry.field(resolver=_is_enabled, description="Whether it is called.")
    disabled_at: datetime | None = strawberry.field(
        description="Since when it is not called: by hand, or because it answered 410; null while it is."
    )
    created_at: datetime = strawberry.field(description="When it was registered.")

    @classmethod
    def is_type_of(cls, obj: object, info: Info) -> bool:
        """Rows stand for the type: nothing is copied."""
        return isinstance(obj, service.Webhook)


def _label(root: Kind, info: Info) -> str:
    return root.label.of(info.context.language)


@strawberry.type(description="A kind of notice that an endpoint can be told (通知类型).")
class WebhookKind:
    name: str = strawberry.field(description="Stable name, the `type` of a call.")
    label: str = strawberry.field(resolver=_label, description="Name for people.")


async def webhook_nodes(context: Context, ids: Sequence[UUID]) -> Mapping[UUID, object]:
    """Endpoints by id, those the caller may see."""
    return await service.webhooks_by_id(context.actor, ids)


NODES = {"Webhook": webhook_nodes}


@strawberry.input(description="An endpoint to register.")
class RegisterWebhookInput:
    compound: strawberry.ID = strawberry.field(description="The compound whose notices it is told.")
    name: str = strawberry.field(description="Name for people, up to 60 characters.")
    url: str = strawberry.field(description="Its address: https, without credentials, up to 400 characters.")
    kinds: list[str] = strawberry.field(description="Names from `webhookKinds`, one at least.")


@strawberry.input(description="An endpoint.")
class WebhookInput:
    webhook: strawberry.ID = strawberry.field(description="Its global id.")

    def decoded(self) -> UUID:
        """Its id. Invalid BAD_ID."""
        return decode(self.webhook, "Webhook", "webhook")


@strawberry.type(description="Result of changing an endpoint.")
class WebhookPayload(Payload):
    webhook: Webhook | None = strawberry.field(
        default=None, description="The endpoint as it is now; null when refused."
    )


@strawberry.type(description="An endpoint with the secret that its calls are signed with (签名密钥).")
class WebhookSecretPayload(Payload):
    webhook: Webhook | None = strawberry.field(default=None, description="The endpoint; null when refused.")
    secret: str | None = strawberry.field(
        default=None,
        description="The secret, `whsec_` and base64, shown this once: the receiver verifies by it.",
    )


@strawberry.type(description="Result of removing an endpoint.")
class RemoveWebhookPayload(Payload):
    webhook: strawberry.ID | None = strawberry.field(
        default=None, description="Id of the endpoint that is gone."
    )


@strawberry.type(description="Result of trying an endpoint.")
class TestWebhookPayload(Payload):
    delivery: strawberry.ID | None = strawberry.field(
        default=None, description="Id of the delivery, whose outcome stands in the delivery log."
    )


async def _shown(info: Info, id: UUID) -> Webhook | None:
    found = await service.webhooks_by_id(info.context.actor, [id])
    return cast("Webhook | None", found.get(id))


Which = Annotated[WebhookInput, strawberry.argument(description="Which one.")]


@strawberry.type
class WebhooksQuery:
    """Root fields of endpoints, for staff."""

    @strawberry.field(
        description="Endpoints of a compound, at most 10, the oldest first; for staff with "
        "notifications.webhooks in all of it.",
        extensions=[staff_only],
        metadata=cost(assumed=10),
    )
    async def webhooks(
        self,
        info: Info,
        compound: Annotated[strawberry.ID, strawberry.argument(description="Its global id.")],
    ) -> list[Webhook] | None:
        compound_id = decode(compound, "Compound", "compound")
        return cast("list[Webhook]", await service.webhooks(info.context.actor, compound_id=compound_id))

    @strawberry.field(
        description="What an endpoint can be told, at most some dozens of kinds: a table of the program; for staff.",
        extensions=[staff_only],
        metadata=cost(assumed=30),
    )
    def webhook_kinds(self) -> list[WebhookKind] | None:
        return cast("list[WebhookKind]", service.kinds())


@strawberry.type
class WebhooksMutation:
    """Mutations of endpoints, for staff with notifications.webhooks in the whole compound."""

    @strawberry.mutation(
        description="Tell another system what happens in a compound from now on (新增对接地址).",
        extensions=[staff_only],
    )
    @refusals_as_data(WebhookSecretPayload)
    async def register_webhook(
        self,
        info: Info,
        input: Annotated[RegisterWebhookInput, strawberry.argument(description="The endpoint.")],
    ) -> WebhookSecretPayload:
        made = await service.register_webhook(
            info.context.actor, compound_id=decode(input.compound, "Compound", "compound"),
            name=input.name, url=input.url, kinds=input.kinds,
        )  # fmt: skip
        return WebhookSecretPayload(webhook=await _shown(info, made.webhook_id), secret=made.secret)

    @strawberry.mutation(
        description="Sign with a new secret from the next call on (更换签名密钥).", extensions=[staff_only]
    )
    @refusals_as_data(WebhookSecretPayload)
    async def rotate_webhook_secret(self, info: Info, input: Which) -> WebhookSecretPayload:
        made = await service.rotate_webhook_secret(info.context.actor, webhook_id=input.decoded())
        return WebhookSecretPayload(webhook=await _shown(info, made.webhook_id), secret=made.secret)

    @strawberry.mutation(
        description="Call an endpoint again about what happens from now on (启用).", extensions=[staff_only]
    )
    @refusals_as_data(WebhookPayload)
    async def enable_webhook(self, info: Info, input: Which) -> WebhookPayload:
        id = await service.enable_webhook(info.context.actor, webhook_id=input.decoded())
        return WebhookPayload(webhook=await _shown(info, id))

    @strawberry.mutation(
        description="Call an endpoint no more; what waits for it is not sent (停用).", extensions=[staff_only]
    )
    @refusals_as_data(WebhookPayload)
    async def disable_webhook(self, info: Info, input: Which) -> WebhookPayload:
        id = await service.disable_webhook(info.context.actor, webhook_id=input.decoded())
        return WebhookPayload(webhook=await _shown(info, id))

    @strawberry.mutation(
        description="Remove an endpoint; what waits for it is not sent (移除).", extensions=[staff_only]
    )
    @refusals_as_data(RemoveWebhookPayload)
    async def remove_webhook(self, info: Info, input: Which) -> RemoveWebhookPayload:
        await service.remove_webhook(info.context.actor, webhook_id=input.decoded())
        return RemoveWebhookPayload(webhook=input.webhook)

    @strawberry.mutation(
        description="Send an endpoint a notice `webhook.test`, at once and the way all others go (测试).",
        extensions=[staff_only],
    )
    @refusals_as_data(TestWebhookPayload)
    async def test_webhook(self, info: Info, input: Which) -> TestWebhookPayload:
        id = await service.test_webhook(info.context.actor, webhook_id=input.decoded())
        return TestWebhookPayload(delivery=strawberry.ID(encode("Delivery", id)))
