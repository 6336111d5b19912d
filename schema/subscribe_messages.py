"""Consents to mini-program messages, in the API (订阅消息): what to ask for, and what was answered."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, cast
from uuid import UUID

import strawberry

from notifications import consents
from notifications.kinds import Channel
from schema.context import Info
from schema.errors import Payload, refusals_as_data
from schema.permissions import signed_in


@strawberry.enum(description="A platform whose messages need consents (小程序平台).")
class SubscribePlatform(Enum):
    WECHAT = strawberry.enum_value("wechat", description="微信")
    ALIPAY = strawberry.enum_value("alipay", description="支付宝")


@strawberry.enum(description="What the platform's dialogue answered about a template (订阅结果).")
class SubscribeOutcome(Enum):
    ACCEPT = strawberry.enum_value("accept", description="同意")
    REJECT = strawberry.enum_value("reject", description="拒绝")
    BAN = strawberry.enum_value("ban", description="模板已被平台封禁")
    FILTER = strawberry.enum_value("filter", description="因标题重复被平台过滤")


@strawberry.type(description="A template to ask the person for (订阅消息模板).")
class SubscribeTemplate:
    template: str = strawberry.field(
        description="The platform's id of it: pass it to the platform's dialogue."
    )
    kind: str = strawberry.field(description="Name of the kind of notices that it carries.")
    label: str = strawberry.field(description="The kind in words.")
    purpose: str = strawberry.field(description="What it is for; may be empty.")
    left: int = strawberry.field(description="Consents that are left, each good for one message.")


def _platform(chosen: SubscribePlatform) -> consents.Platform:
    return Channel.WECHAT if chosen is SubscribePlatform.WECHAT else Channel.ALIPAY


PlatformArgument = Annotated[SubscribePlatform, strawberry.argument(description="Where the client runs.")]

KindsArgument = Annotated[
    list[str] | None,
    strawberry.argument(
        description="Names of the kinds of notices that this moment is about; all where none is given."
    ),
]


@strawberry.type
class SubscribeViewer:
    """What to ask the caller for."""

    @strawberry.field(
        description="The templates to ask for at this moment, at most 3: of what the caller wants to have "
        "there, those with the fewest consents left first. Empty for whom the platform does not know.",
        extensions=[signed_in],
    )
    async def subscribe_templates(
        self, info: Info, platform: PlatformArgument, kinds: KindsArgument = None
    ) -> list[SubscribeTemplate]:
        rows = await consents.subscribe_templates(info.context.actor, _platform(platform), kinds)
        return cast("list[SubscribeTemplate]", rows)


@strawberry.input(description="What was answered about one template.")
class SubscribeResult:
    template: str = strawberry.field(description="The platform's id of the template.")
    outcome: SubscribeOutcome = strawberry.field(description="The answer.")


@strawberry.input(description="What the platform's dialogue answered.")
class GrantSubscribeMessagesInput:
    platform: SubscribePlatform = strawberry.field(description="Where it was asked.")
    results: list[SubscribeResult] = strawberry.field(description="The answers, at most 3.")
    idempotency_key: UUID = strawberry.field(
        description="Made by the client for each dialogue: the same one again counts once."
    )


@strawberry.type(description="Result of granting consents.")
class GrantSubscribeMessagesPayload(Payload):
    granted: int | None = strawberry.field(
        default=None, description="Consents that were added; null when refused."
    )


@strawberry.type
class SubscribeMutation:
    """Mutations on consents."""

    @strawberry.mutation(
        description="Note what `wx.requestSubscribeMessage` or `my.requestSubscribeMessage` answered: each ACCEPT "
        "is a consent to one message. At most 50 are kept for a template.",
        extensions=[signed_in],
    )
    @refusals_as_data(GrantSubscribeMessagesPayload)
    async def grant_subscribe_messages(
        self,
        info: Info,
        input: Annotated[GrantSubscribeMessagesInput, strawberry.argument(description="The answers.")],
    ) -> GrantSubscribeMessagesPayload:
        results = [
            consents.Answer(each.template, consents.Outcome(str(each.outcome.value)))
            for each in input.results
        ]
        granted = await consents.grant_subscribe_messages(
            info.context.actor,
            platform=_platform(input.platform),
            results=results,
            idempotency_key=input.idempotency_key,
        )
        return GrantSubscribeMessagesPayload(granted=granted)
