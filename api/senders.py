"""The channels that this installation has (渠道): one sender for each platform that is set up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from api.settings import Settings
from domains.platforms import Transports
from notifications.channels.alipay import AlipaySender
from notifications.channels.outside import Outside
from notifications.channels.port import Sender
from notifications.channels.sms import SmsSender
from notifications.channels.voice import VoiceSender
from notifications.channels.webhook import WebhookSender
from notifications.channels.webpush import Vapid, WebPushSender
from notifications.channels.wechat import WeChatSender
from notifications.kinds import Channel

_NOBODY = "mailto:webpush@linli.invalid"


def build_vapid(settings: Settings, pem: str) -> Vapid:
    """Who sends Web Push; an installation without a public address has no operator to be reached."""
    public = settings.public_url if settings.public_url.startswith("https:") else ""
    return Vapid(pem, settings.vapid_subject or public or _NOBODY)


def build_senders(
    settings: Settings, ways: Transports, outside: Outside, vapid: Vapid
) -> Mapping[Channel, Sender]:
    """Channel → who sends by it."""
    found = [*_platforms(settings, ways), WebPushSender(outside, vapid), WebhookSender(outside)]
    return {sender.channel: sender for sender in found}


def _platforms(settings: Settings, ways: Transports) -> Iterator[Sender]:
    if ways.wechat:
        yield WeChatSender(ways.wechat, settings.wechat_keywords)
    if ways.alipay:
        yield AlipaySender(ways.alipay)
    if ways.sms:
        yield SmsSender(ways.sms, sign_name=settings.sms_sign_name)
    if ways.voice:
        yield VoiceSender(ways.voice)
