"""How a person wants to be told, in the API (消息设置): kinds and channels, quiet hours."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, cast

import strawberry

from notifications import preferences as service
from notifications.kinds import Channel
from schema.context import Info
from schema.errors import Payload, refusals_as_data
from schema.inbox import Urgency
from schema.permissions import signed_in


@strawberry.enum(description="A way by which notices reach a person outside of the app (消息渠道).")
class PersonalChannel(Enum):
    WECHAT = strawberry.enum_value("wechat", description="微信订阅消息")
    ALIPAY = strawberry.enum_value("alipay", description="支付宝订阅消息")
    WEB_PUSH = strawberry.enum_value("webpush", description="浏览器推送")
    SMS = strawberry.enum_value("sms", description="短信")
    VOICE = strawberry.enum_value("voice", description="语音电话")


@strawberry.type(description="When nothing intrudes (免打扰), each day in Asia/Shanghai; urgent notices do.")
class QuietHours:
    is_on: bool = strawberry.field(description="Whether they hold.")
    starts: str = strawberry.field(name="from", description='First minute, such as "22:00".')
    ends: str = strawberry.field(
        name="until", description='Minute from which they are over, such as "07:00".'
    )


@strawberry.type(description="Whether a kind of notices comes by a channel.")
class ChannelPreference:
    channel: PersonalChannel = strawberry.field(description="The channel.")
    label: str = strawberry.field(description="The channel in words.")
    is_on: bool = strawberry.field(description="Whether the kind comes by it.")
    is_default: bool = strawberry.field(description="Whether it does for who chooses nothing.")
    is_reachable: bool = strawberry.field(
        description="Whether this installation can send the kind by it, and has an address, number or browser."
    )


@strawberry.type(description="A kind of notices and the ways it comes (消息偏好).")
class KindPreference:
    kind: str = strawberry.field(description="Name of the kind, `domain.fact`.")
    label: str = strawberry.field(description="The kind in words.")
    purpose: str = strawberry.field(description="What it is for; may be empty.")
    urgency: Urgency = strawberry.field(description="How urgent it usually is.")
    is_optional: bool = strawberry.field(description="Whether channels can be turned on and off.")
    channels: list[ChannelPreference] = strawberry.field(
        description="The channels it can come by, at most 5; the inbox always has it."
    )


@strawberry.type(description="How the caller wants to be told.")
class NotificationPreferences:
    quiet_hours: QuietHours = strawberry.field(description="When nothing intrudes.")
    kinds: list[KindPreference] = strawberry.field(
        description="The kinds that can reach this sort of account, at most some dozens: a table of the program."
    )


@strawberry.type
class NotificationSettingsViewer:
    """How the caller wants to be told."""

    @strawberry.field(description="The caller's choices about notices.", extensions=[signed_in])
    async def notification_preferences(self, info: Info) -> NotificationPreferences:
        return cast("NotificationPreferences", await service.preferences(info.context.actor))


@strawberry.input(description="Whether a kind of notices is to come by a channel.")
class SetNotificationPreferenceInput:
    kind: str = strawberry.field(description="Name of the kind.")
    channel: PersonalChannel = strawberry.field(description="The channel.")
    is_on: bool = strawberry.field(description="Whether it is to come by it.")


@strawberry.type(description="Result of a choice about notices.")
class SetNotificationPreferencePayload(Payload):
    preference: KindPreference | None = strawberry.field(
        default=None, description="The kind as it is now; null when refused."
    )


@strawberry.input(description="Quiet hours; a time that is left out stays as it is.")
class SetQuietHoursInput:
    is_on: bool = strawberry.field(description="Whether they hold.")
    starts: str | None = strawberry.field(
        name="from", default=None, description='First minute in Asia/Shanghai, such as "22:00".'
    )
    ends: str | None = strawberry.field(
        name="until", default=None, description='Minute from which they are over, such as "07:00".'
    )


@strawberry.type(description="Result of setting quiet hours.")
class SetQuietHoursPayload(Payload):
    quiet_hours: QuietHours | None = strawberry.field(
        default=None, description="The quiet hours as they are now; null when refused."
    )


@strawberry.type
class NotificationSettingsMutation:
    """Mutations on how one is told."""

    @strawberry.mutation(
        description="Have a kind of notices come by a channel, or not. What is not sent yet counts as well.",
        extensions=[signed_in],
    )
    @refusals_as_data(SetNotificationPreferencePayload)
    async def set_notification_preference(
        self,
        info: Info,
        input: Annotated[SetNotificationPreferenceInput, strawberry.argument(description="The choice.")],
    ) -> SetNotificationPreferencePayload:
        channel = Channel(str(input.channel.value))
        chosen = await service.set_preference(
            info.context.actor, kind=input.kind, channel=channel, is_on=input.is_on
        )
        return SetNotificationPreferencePayload(preference=cast("KindPreference", chosen))

    @strawberry.mutation(
        description="Set the hours in which nothing but what is important or urgent intrudes.",
        extensions=[signed_in],
    )
    @refusals_as_data(SetQuietHoursPayload)
    async def set_quiet_hours(
        self,
        info: Info,
        input: Annotated[SetQuietHoursInput, strawberry.argument(description="When.")],
    ) -> SetQuietHoursPayload:
        hours = await service.set_quiet_hours(
            info.context.actor, is_on=input.is_on, starts=input.starts, ends=input.ends
        )
        return SetQuietHoursPayload(quiet_hours=cast("QuietHours", hours))
