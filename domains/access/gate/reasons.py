"""What a gate answers (验码结果), and the one exception that carries a refusal."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What was shown at the gate: a visitor's pass (访客通行证) or a resident's own code (住户码)."""

    VISITOR = "visitor"
    RESIDENT = "resident"


class Reason(StrEnum):
    """Why a gate opened or did not; the values are stable and go to the server."""

    OK = "OK"
    NOT_A_PASS = "NOT_A_PASS"  # noqa: S105 (no password)
    TOO_LONG = "TOO_LONG"
    MALFORMED = "MALFORMED"
    UNKNOWN_KEY = "UNKNOWN_KEY"
    WRONG_ALGORITHM = "WRONG_ALGORITHM"
    BAD_SIGNATURE = "BAD_SIGNATURE"
    OTHER_COMMUNITY = "OTHER_COMMUNITY"
    OTHER_GATE = "OTHER_GATE"
    NOT_YET = "NOT_YET"
    EXPIRED = "EXPIRED"
    SCREEN_REQUIRED = "SCREEN_REQUIRED"
    SCREEN_WRONG = "SCREEN_WRONG"
    SCREEN_STALE = "SCREEN_STALE"
    REVOKED = "REVOKED"
    LIST_STALE = "LIST_STALE"
    BOUND_ELSEWHERE = "BOUND_ELSEWHERE"
    USED_UP = "USED_UP"
    NOT_RECORDED = "NOT_RECORDED"
    LIST_OLD = "LIST_OLD"
    LIST_GAP = "LIST_GAP"

    @property
    def chinese(self) -> str:
        """What the gate shows, in Chinese."""
        return _TEXTS[self][0]

    @property
    def english(self) -> str:
        """What the gate shows, in English."""
        return _TEXTS[self][1]

    @property
    def asks_guard(self) -> bool:
        """Whether the gate cannot know by itself, and a guard (值班人员) should look before refusing."""
        return self in _FOR_THE_GUARD


class Refused(Exception):
    """The gate refuses; `kind` and `id` (16 bytes) are known once the signature counted."""

    def __init__(self, reason: Reason, kind: Kind | None = None, id: bytes | None = None) -> None:
        super().__init__(reason.value)
        self.reason, self.kind, self.id = reason, kind, id


_FOR_THE_GUARD = frozenset({Reason.LIST_STALE, Reason.BOUND_ELSEWHERE, Reason.NOT_RECORDED})

_TEXTS: dict[Reason, tuple[str, str]] = {
    Reason.OK: ("请通行", "Please come in"),
    Reason.NOT_A_PASS: (
        "这不是通行码，请出示访客码或住户码",
        "This is not a pass; show a visitor's or resident's code",
    ),
    Reason.TOO_LONG: ("二维码内容过长，请出示访客码或住户码", "The code is too long to be a pass"),
    Reason.MALFORMED: ("通行码格式有误，请重新打开通行码页面", "The pass is damaged; open its page again"),
    Reason.UNKNOWN_KEY: (
        "无法识别通行码的签发方，请联系值班人员",
        "The pass was signed by a key unknown here; ask the guard",
    ),
    Reason.WRONG_ALGORITHM: (
        "通行码的签名方式不被接受，请联系值班人员",
        "The pass is signed in a way not accepted here",
    ),
    Reason.BAD_SIGNATURE: (
        "通行码签名无效，请重新打开通行码页面",
        "The signature is not valid; open the pass again",
    ),
    Reason.OTHER_COMMUNITY: (
        "这是其他小区的通行码，请核对地址",
        "The pass is for another community; check the address",
    ),
    Reason.OTHER_GATE: (
        "此通行码不能从这个门进入，请走通行码上写明的门",
        "Not valid at this gate; use a gate named on the pass",
    ),
    Reason.NOT_YET: (
        "还没到通行时间，请在约定时间再来",
        "The pass is not valid yet; come at the agreed time",
    ),
    Reason.EXPIRED: (
        "通行码已过期，请联系住户重新邀请",
        "The pass has expired; ask the resident for another",
    ),
    Reason.SCREEN_REQUIRED: (
        "请打开通行码页面出示动态码，截图无效",
        "Open the pass page; a screenshot does not count here",
    ),
    Reason.SCREEN_WRONG: (
        "动态码校验失败，请重新打开通行码页面",
        "The moving code does not match; open the page again",
    ),
    Reason.SCREEN_STALE: (
        "动态码已失效，请刷新页面并检查手机时间",
        "The moving code is old; refresh, check the phone's time",
    ),
    Reason.REVOKED: ("通行码已被撤销，请联系住户", "The pass was revoked; contact the resident"),
    Reason.LIST_STALE: (
        "道闸长时间未联网，请值班人员核验后放行",
        "This gate was offline too long; the guard must check",
    ),
    Reason.BOUND_ELSEWHERE: (
        "道闸离线，此码不能在此计次，请走绑定的门或找值班人员",
        "Offline: uses are counted elsewhere; ask the guard",
    ),
    Reason.USED_UP: (
        "通行次数已用完，请联系住户重新邀请",
        "No uses are left; ask the resident for another pass",
    ),
    Reason.NOT_RECORDED: (
        "道闸无法保存记录，请值班人员核验后放行",
        "The gate cannot keep its record; the guard must check",
    ),
    Reason.LIST_OLD: ("撤销名单比本机的旧，已忽略", "The revocation list is older than the one held"),
    Reason.LIST_GAP: (
        "撤销名单不连续，请按本机序号重新获取",
        "The revocation list does not follow the one held",
    ),
}
