"""What a gate is told (验码结果): whether to open, why not, and whom the guard has before him."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domains.access.gate.reasons import Kind, Reason

_OWN: dict[str, tuple[str, str]] = {
    "UNKNOWN_PASS": (
        "没有找到这张通行证,请联系住户重新邀请",
        "The pass is not known; ask the resident for another",
    ),
    "NOT_APPROVED": (
        "访客申请还没有通过,请等待住户或值班人员确认",
        "The visit is not approved yet; please wait",
    ),
    "REJECTED": ("访客申请未通过,请联系住户", "The visit was declined; contact the resident"),
    "CAR_REFUSED": (
        "小区访客车位已满,车辆请停在外面,人员可以步行进入",
        "No parking for visitors is left; please walk in",
    ),
    "CODE_WRONG": (
        "数字码不正确,请核对通行码页面上今天的数字",
        "Wrong digits; check today's digits on the pass page",
    ),
    "CODE_LOCKED": (
        "输错次数过多,请 5 分钟后再试,或出示二维码",
        "Too many wrong digits; wait 5 minutes or show the QR code",
    ),
    "CODE_USED": ("这个住户码已在此门用过,请刷新后再出示", "This code was used here; refresh it"),
    "CODE_UNKNOWN": ("没有找到这个住户码,请刷新后再出示", "This code is not known; refresh it"),
    "NOT_RESIDENT": (
        "您已不是本小区的在住成员,请联系物业",
        "You are not registered here any more; contact the property office",
    ),
    "METHOD_OFF": (
        "此门不支持这种通行方式,请换一种方式",
        "This door does not open this way; use another method",
    ),
    "DOOR_CLOSED": ("此门暂时关闭,请走其他门", "This door is closed; use another one"),
}


@dataclass(frozen=True, slots=True)
class Guest:
    """Whom the guard has before him: no more than is needed to let a visitor in."""

    name: str
    companions: int
    plate: str
    house_number: str


@dataclass(frozen=True, slots=True)
class Spent:
    """What a gate that opens keeps in its own journal, so that it does not open to it once more without a network:
    six digits say nothing of the pass that they stand for."""

    id: UUID
    kind: Kind
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a scan; `reason` is OK or the stable code of a refusal."""

    reason: str
    guest: Guest | None = None
    spent: Spent | None = None

    @property
    def admits(self) -> bool:
        """Whether the gate is to open."""
        return self.reason == Reason.OK

    @property
    def messages(self) -> tuple[str, str]:
        """What the gate shows, in Chinese and in English."""
        if self.reason in _OWN:
            return _OWN[self.reason]
        reason = Reason(self.reason)
        return reason.chinese, reason.english
