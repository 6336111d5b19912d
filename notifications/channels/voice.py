"""Voice calls (语音通知, Dyvmsapi SingleCallByTts): a text read aloud, for what cannot wait to be read."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from domains.platforms.aliyun import Aliyun
from domains.platforms.calling import PlatformFailure
from notifications.channels.aliyun import outcome, variables
from notifications.channels.answers import unanswered
from notifications.channels.port import Outcome, Parcel
from notifications.kinds import Channel

_OUT_ID_MAX = 15
_TOGETHER_BELOW, _EACH_MAX = 250, 35


class VoiceSender:
    """Calls that read their text twice."""

    channel: ClassVar[Channel] = Channel.VOICE
    is_repeatable: ClassVar[bool] = False
    needs_consent: ClassVar[bool] = False

    def __init__(self, voice: Aliyun) -> None:
        self._voice = voice

    async def send(self, parcel: Parcel) -> Outcome:
        """As in Sender; OutId is the end of the delivery's id, of which the platform takes 15 characters."""
        most = min(_EACH_MAX, (_TOGETHER_BELOW - 1) // max(1, len(parcel.keywords)))
        params = {
            "CalledNumber": parcel.address.to, "TtsCode": parcel.template_id, "PlayTimes": "2",
            "TtsParam": variables(parcel.keywords, most), "OutId": parcel.delivery_id.hex[-_OUT_ID_MAX:],
        }  # fmt: skip
        try:
            return outcome(await self._voice.call("SingleCallByTts", params), "CallId")
        except PlatformFailure as failure:
            return unanswered(failure)

    async def was_sent(self, parcel: Parcel, since: datetime) -> bool | None:
        """Calls are not found by an id of ours."""
        return None
