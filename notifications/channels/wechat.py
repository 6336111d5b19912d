"""WeChat subscribe messages (微信订阅消息, subscribeMessage.send): one consent is one message.

What is refused was not shown, and its consent is kept by the platform. The platform knows no id of ours:
a message that went unanswered cannot be asked for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from domains.platforms.calling import PlatformFailure
from domains.platforms.wechat import DEAD_TOKEN, Answer, WeChat, errcode_of
from notifications.channels.answers import unanswered, until_tomorrow_s
from notifications.channels.port import Aftermath, Outcome, Parcel, Refused, Sent, TryAgain, Unknown
from notifications.channels.wechat_values import fitted
from notifications.kinds import Channel, fill

Names = Mapping[str, Mapping[str, str]]
"""Kind → keyword as the kind has it → keyword as the chosen template has it."""

_PATH = "/cgi-bin/message/subscribe/send"
_PAGE = re.compile(r"[\w-]+(?:/[\w-]+)*(?:\?\S{0,900})?")
_LANGUAGES = {"zh": "zh_CN", "en": "en_US"}
_DAILY_QUOTA, _MINUTE_QUOTA, _NO_CONSENT, _NO_SUCH_PERSON = 45009, 45011, 43101, 40003
_PASSING = DEAD_TOKEN | {-1, _MINUTE_QUOTA}


class WeChatSender:
    """The mini-program's subscribe messages."""

    channel: ClassVar[Channel] = Channel.WECHAT
    is_repeatable: ClassVar[bool] = False
    needs_consent: ClassVar[bool] = True

    def __init__(self, wechat: WeChat, names: Names | None = None) -> None:
        self._wechat, self._names = wechat, names or {}

    async def send(self, parcel: Parcel) -> Outcome:
        """As in Sender. HTTP 5xx is tried again: should the message have been shown after all, its consent
        is gone, and the repetition is refused unless the person has given another."""
        if parcel.address.app_id != self._wechat.app_id:
            return Refused("OTHER_APP", aftermath=Aftermath.DEAD_ADDRESS)
        try:
            names = self._names.get(parcel.kind.name, {})
            return _outcome(await self._wechat.call(_PATH, _message(parcel, names)))
        except PlatformFailure as failure:
            if failure.status is not None and failure.status >= 500:
                return TryAgain(f"HTTP_{failure.status}")
            return unanswered(failure)

    async def was_sent(self, parcel: Parcel, since: datetime) -> bool | None:
        """WeChat cannot be asked."""
        return None


def page_of(link: str) -> str:
    """The page of the mini-program that a link means; empty for one that is none of its pages."""
    page = link.lstrip("/")
    return page if _PAGE.fullmatch(page) else ""


def _message(parcel: Parcel, names: Mapping[str, str]) -> dict[str, object]:
    written = parcel.kind.written(parcel.data, "zh")
    chinese = {name: fill(template, written) for name, template in parcel.kind.wechat.items()}
    data = {
        names.get(name, name): {"value": fitted(name, value, chinese.get(name, ""))}
        for name, value in parcel.keywords.items()
    }
    message: dict[str, object] = {
        "touser": parcel.address.to, "template_id": parcel.template_id, "data": data,
        "miniprogram_state": "formal", "lang": _LANGUAGES[parcel.language],
    }  # fmt: skip
    page = page_of(parcel.written.link)
    return {**message, "page": page} if page else message


def _outcome(answer: Answer) -> Outcome:
    """https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/mp-message-management/subscribe-message/sendMessage.html"""
    if "errcode" not in answer:
        return Unknown("MALFORMED_ANSWER")
    code, detail = errcode_of(answer), str(answer.get("errmsg", ""))
    if code == 0:
        return Sent(str(answer.get("msgid", "")))
    if code in _PASSING:
        return TryAgain(str(code), detail, 60.0 if code == _MINUTE_QUOTA else None)
    if code == _DAILY_QUOTA:
        return TryAgain(str(code), detail, until_tomorrow_s())
    if code == _NO_CONSENT:
        return Refused(str(code), detail, Aftermath.NO_CONSENT)
    return Refused(
        str(code), detail, Aftermath.DEAD_ADDRESS if code == _NO_SUCH_PERSON else Aftermath.OUR_FAULT
    )
