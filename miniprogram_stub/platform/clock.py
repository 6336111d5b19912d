"""The time that Chinese platforms speak in (北京时间)."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

BEIJING: Final = ZoneInfo("Asia/Shanghai")


def beijing_time(instant: float) -> str:
    """Unix seconds as `2026-11-21 15:01:00`."""
    return f"{datetime.fromtimestamp(instant, BEIJING):%Y-%m-%d %H:%M:%S}"
