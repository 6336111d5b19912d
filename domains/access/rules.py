"""Decisions about passes, doors and commands, without any state of their own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from domains.kernel.transitions import Machine

Direction = Literal["in", "out", "unknown"]
Outcome = Literal["opened", "refused", "unknown"]
Method = Literal[
    "app", "qr", "code", "card", "face", "call", "plate", "guard", "button", "fire", "remote", "other"
]

METHODS: dict[Method, str] = {
    "app": "手机开门", "qr": "二维码", "code": "数字码", "card": "刷卡", "face": "人脸", "call": "可视对讲",
    "plate": "车牌识别", "guard": "保安放行", "button": "出门按钮", "fire": "消防联动", "remote": "远程开门",
    "other": "其他",
}  # fmt: skip
"""How a door may be opened (通行方式)."""

PURPOSES = {
    "visit": "探访亲友", "delivery": "快递外卖", "service": "上门服务", "repair": "维修施工", "moving": "搬家",
    "viewing": "看房", "care": "护理保健", "other": "其他",
}  # fmt: skip
"""What a visitor comes for (来访事由)."""

PASS = Machine(
    "visitor_pass",
    {
        "requested": frozenset({"active", "rejected", "revoked", "expired"}),
        "active": frozenset({"used_up", "expired", "revoked"}),
        "used_up": frozenset({"revoked"}),
        "expired": frozenset(),
        "revoked": frozenset(),
        "rejected": frozenset(),
    },
    required={
        "active": frozenset({"decided_at"}),
        "rejected": frozenset({"decided_at", "ended_at"}),
        "used_up": frozenset({"ended_at"}),
        "expired": frozenset({"ended_at"}),
        "revoked": frozenset({"ended_at"}),
    },
)
"""A pass that is used up may still be revoked: its holder is inside, and may have more uses at gates
that have not told of theirs."""

COMMAND = Machine(
    "door_command",
    {
        "requested": frozenset({"sent", "refused", "expired"}),
        "sent": frozenset({"opened", "refused", "expired", "unknown"}),
        "unknown": frozenset({"opened", "refused", "expired"}),
        "opened": frozenset(),
        "refused": frozenset(),
        "expired": frozenset(),
    },
    required={
        "sent": frozenset({"sent_at"}),
        "opened": frozenset({"settled_at"}),
        "refused": frozenset({"settled_at"}),
        "expired": frozenset({"settled_at"}),
        "unknown": frozenset({"settled_at"}),
    },
)
"""Unknown is left by what the controller says later, and by nothing else."""

COMMAND_LIFE = timedelta(seconds=8)
"""A command that is older opens nothing; the protocol's limit is 10 seconds."""
DOUBLE_TAP = timedelta(seconds=3)
"""A second order of the same person to the same door within it is the first one."""
CODE_LIFE = timedelta(minutes=5)
"""A resident's own code."""
REQUEST_LIFE = timedelta(hours=2)
"""A visitor at the gate waits no longer for an answer."""
TOLERANCE = timedelta(seconds=60)
"""Clocks of gates and ours may differ by it."""


@dataclass(frozen=True, slots=True)
class Window:
    """When a pass counts (有效期)."""

    starts_at: datetime
    ends_at: datetime

    def holds(self, at: datetime) -> bool:
        """Whether an instant is within, the clocks' tolerance included."""
        return self.starts_at - TOLERANCE <= at <= self.ends_at + TOLERANCE
