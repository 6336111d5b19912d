"""Browsers that take Web Push, in the API (浏览器推送)."""

from __future__ import annotations

from typing import Annotated

import strawberry

from notifications import push_subscriptions as service
from schema.context import Info
from schema.errors import Payload, refusals_as_data
from schema.permissions import signed_in


@strawberry.type
class PushQuery:
    """Root field of Web Push."""

    @strawberry.field(
        description="The key by which browsers know this server (VAPID, RFC 8292): base64url of an uncompressed "
        "P-256 point, for `applicationServerKey`. For anybody."
    )
    def web_push_public_key(self) -> str:
        return service.vapid_public_key()


@strawberry.input(description="A browser's push subscription, as PushSubscription.toJSON() gives it.")
class RegisterPushSubscriptionInput:
    endpoint: str = strawberry.field(description="Address at the browser's push service, https.")
    p256dh: str = strawberry.field(description="Public key: base64url of 65 bytes.")
    auth: str = strawberry.field(description="Secret: base64url of 16 bytes.")


@strawberry.type(description="Result of registering a browser.")
class RegisterPushSubscriptionPayload(Payload):
    is_registered: bool = strawberry.field(
        default=False, description="True once notices go to this browser, until the session ends."
    )


@strawberry.input(description="A browser that is to get nothing more.")
class DropPushSubscriptionInput:
    endpoint: str = strawberry.field(description="Address at the browser's push service.")


@strawberry.type(description="Result of dropping a browser.")
class DropPushSubscriptionPayload(Payload):
    is_dropped: bool = strawberry.field(
        default=False, description="Whether it was one of the caller's, and is no more."
    )


@strawberry.type
class PushMutation:
    """Mutations on browsers that take Web Push."""

    @strawberry.mutation(
        description="Send the caller's notices to this browser too. The same browser again is the same one, "
        "and the caller's from now on; of more than 10 the one that registered longest ago is let go.",
        extensions=[signed_in],
    )
    @refusals_as_data(RegisterPushSubscriptionPayload)
    async def register_push_subscription(
        self,
        info: Info,
        input: Annotated[RegisterPushSubscriptionInput, strawberry.argument(description="The browser.")],
    ) -> RegisterPushSubscriptionPayload:
        await service.register_push_subscription(
            info.context.actor, endpoint=input.endpoint, p256dh=input.p256dh, auth=input.auth
        )
        return RegisterPushSubscriptionPayload(is_registered=True)

    @strawberry.mutation(
        description="Send nothing more to one of the caller's browsers.", extensions=[signed_in]
    )
    @refusals_as_data(DropPushSubscriptionPayload)
    async def drop_push_subscription(
        self,
        info: Info,
        input: Annotated[DropPushSubscriptionInput, strawberry.argument(description="Which.")],
    ) -> DropPushSubscriptionPayload:
        dropped = await service.drop_push_subscription(info.context.actor, endpoint=input.endpoint)
        return DropPushSubscriptionPayload(is_dropped=dropped)
