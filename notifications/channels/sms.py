"""SMS (短信, Dysmsapi SendSms). OutId is the delivery's id, by which the platform can be asked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

from domains.kernel import clock
from domains.platforms.aliyun import Aliyun
from domains.platforms.calling import PlatformFailure
from notifications.channels.aliyun import outcome, variables
from notifications.channels.answers import unanswered
from notifications.channels.port import Outcome, Parcel
from notifications.kinds import Channel

_PAGE_SIZE = 50
# A message is in the records some seconds after it was taken.
_SETTLES_S = 4.0
# How much earlier than we know of it a message may have left: a worker that asked may have died as well.
_LATE = timedelta(minutes=10)


class SmsSender:
    """Messages under one signature (签名); `settles_s` is how long the platform's records may lag."""

    channel: ClassVar[Channel] = Channel.SMS
    is_repeatable: ClassVar[bool] = False
    needs_consent: ClassVar[bool] = False

    def __init__(self, sms: Aliyun, *, sign_name: str, settles_s: float = _SETTLES_S) -> None:
        self._sms, self._sign_name, self._settles_s = sms, sign_name, settles_s

    async def send(self, parcel: Parcel) -> Outcome:
        """As in Sender."""
        params = {
            "PhoneNumbers": parcel.address.to, "SignName": self._sign_name, "TemplateCode": parcel.template_id,
            "TemplateParam": variables(parcel.keywords), "OutId": str(parcel.delivery_id),
        }  # fmt: skip
        try:
            return outcome(await self._sms.call("SendSms", params), "BizId")
        except PlatformFailure as failure:
            return unanswered(failure)

    async def was_sent(self, parcel: Parcel, since: datetime) -> bool | None:
        """Whether the records of the days since then, in Beijing, have the delivery (QuerySendDetails)."""
        await asyncio.sleep(self._settles_s - (clock.now() - since).total_seconds())
        try:
            for day in _days(since - _LATE):
                if await self._recorded(parcel, day):
                    return True
        except (PlatformFailure, LookupError, TypeError):
            return None
        return False

    async def _recorded(self, parcel: Parcel, day: date) -> bool:
        page, total = 0, 1
        while page * _PAGE_SIZE < total:
            page += 1
            answer = await self._sms.call("QuerySendDetails", _query(parcel, day, page))
            total = int(answer["TotalCount"])
            found: list[dict[str, Any]] = answer["SmsSendDetailDTOs"]["SmsSendDetailDTO"]  # Any: JSON
            if any(each.get("OutId") == str(parcel.delivery_id) for each in found):
                return True
        return False


def _query(parcel: Parcel, day: date, page: int) -> dict[str, str]:
    return {
        "PhoneNumber": parcel.address.to, "SendDate": f"{day:%Y%m%d}",
        "PageSize": str(_PAGE_SIZE), "CurrentPage": str(page),
    }  # fmt: skip


def _days(since: datetime) -> Iterator[date]:
    day = clock.business_date(since)
    while day <= clock.today():
        yield day
        day += timedelta(days=1)
