"""Alipay template messages (支付宝小程序模板消息, alipay.open.app.mini.templatemessage.send)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

import orjson

from domains.platforms.alipay import Alipay
from domains.platforms.calling import PlatformFailure
from notifications.channels.answers import unanswered
from notifications.channels.port import Aftermath, Outcome, Parcel, Refused, Sent, TryAgain, Unknown
from notifications.channels.wechat import page_of
from notifications.channels.wechat_values import cut, one_line
from notifications.kinds import Channel

_METHOD = "alipay.open.app.mini.templatemessage.send"
# An app from before open ids sees user ids.
_USER_ID = re.compile(r"2088\d{12}", re.ASCII)
_HOME_PAGE = "pages/index/index"
_PAGE_MAX, _VALUE_MAX = 128, 50


class AlipaySender:
    """The mini-program's template messages on one-time subscription: one consent is one message."""

    channel: ClassVar[Channel] = Channel.ALIPAY
    is_repeatable: ClassVar[bool] = False
    needs_consent: ClassVar[bool] = True

    def __init__(self, alipay: Alipay) -> None:
        self._alipay = alipay

    async def send(self, parcel: Parcel) -> Outcome:
        """As in Sender."""
        if parcel.address.app_id != self._alipay.app_id:
            return Refused("OTHER_APP", aftermath=Aftermath.DEAD_ADDRESS)
        try:
            return _outcome(await self._alipay.execute(_METHOD, biz_content=_message(parcel)))
        except PlatformFailure as failure:
            return unanswered(failure)

    async def was_sent(self, parcel: Parcel, since: datetime) -> bool | None:
        """Alipay cannot be asked."""
        return None


def _message(parcel: Parcel) -> dict[str, object]:
    to, page = parcel.address.to, page_of(parcel.written.link)
    values = {
        name: {"value": cut(one_line(value), _VALUE_MAX) or "-"} for name, value in parcel.keywords.items()
    }
    return {
        "to_user_id" if _USER_ID.fullmatch(to) else "to_open_id": to,
        "user_template_id": parcel.template_id,
        # The platform does without a page as little as without a template.
        "page": page if 0 < len(page) <= _PAGE_MAX else _HOME_PAGE,
        "data": orjson.dumps(values).decode(),
    }


def _outcome(node: Mapping[str, Any]) -> Outcome:  # Any: the node's JSON
    """https://opendocs.alipay.com/mini/02cth2 and the common codes: after 20000 the platform itself does
    not say whether it was carried out. 40005 is a limit on how often it is called."""
    code, sub_code = str(node.get("code", "")), str(node.get("sub_code", ""))
    detail = str(node.get("sub_msg") or node.get("msg") or "")
    if code == "10000":
        return Sent()
    if code == "20000" or not code or sub_code.startswith(("isp.", "aop.unknow")):
        return Unknown(sub_code or code or "MALFORMED_ANSWER", detail)
    if code == "40005":
        return TryAgain(sub_code or code, detail)
    aftermath = Aftermath.NO_CONSENT if "SUBSCRIBE" in sub_code else Aftermath.OUR_FAULT
    return Refused((sub_code or code), detail, aftermath)
