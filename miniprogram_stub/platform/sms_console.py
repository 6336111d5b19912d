"""What a merchant sets up in the SMS console (短信控制台): signatures, templates, limits."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from miniprogram_stub.platform.files import WatchedFile, write_private

_FIRST: Final = {
    "signs": ["邻里"],
    "templates": {
        "SMS_480000001": {"kind": "code", "text": "您的验证码为${code}，5分钟内有效，请勿告知他人。"},
    },
    # messages of one signature to one phone, per so many seconds
    "limits": {"code": {"60": 1, "3600": 5, "86400": 10}, "notice": {"86400": 50}},
}


@dataclass(frozen=True, slots=True)
class Template:
    """短信模板: `${name}` in the text stands for a variable; the kind decides the limits."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Console:
    """The console's state; limits are seconds → messages, per kind."""

    signs: frozenset[str]
    templates: dict[str, Template]
    limits: dict[str, dict[int, int]]


def sms_console(home: Path) -> WatchedFile[Console]:
    """The console of this home, kept in sms_console.json, which may be edited at any time."""
    path = home / "sms_console.json"
    if not path.exists():
        write_private(path, json.dumps(_FIRST, ensure_ascii=False, indent=2))
    return WatchedFile(path, _parse)


def _parse(text: str) -> Console:
    kept = json.loads(text)
    return Console(
        frozenset(kept["signs"]),
        {code: Template(**template) for code, template in kept["templates"].items()},
        {
            kind: {int(seconds): int(count) for seconds, count in windows.items()}
            for kind, windows in kept["limits"].items()
        },
    )
