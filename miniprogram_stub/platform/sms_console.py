"""What a merchant sets up in the SMS and voice consoles (短信与语音控制台): signatures, templates, limits."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from miniprogram_stub.platform.files import WatchedFile, write_private

_LIMITS: Final = {
    "code": {"60": 1, "3600": 5, "86400": 10},
    "notice": {"86400": 50},
    "voice": {"60": 1, "3600": 5, "86400": 20},
}
_FIRST: Final = {
    "signs": ["邻里"],
    "templates": {
        "SMS_480000001": {"kind": "code", "text": "您的验证码为${code}，5分钟内有效，请勿告知他人。"},
    },
    # messages of one signature to one phone (calls to one phone), per so many seconds
    "limits": _LIMITS,
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


class SmsConsole:
    """sms_console.json of this home, made at the first start, beside the notices of sms_templates.json.

    Both may be edited at any time. A code beginning with TTS_ is a template of the voice service.
    """

    def __init__(self, home: Path) -> None:
        path = home / "sms_console.json"
        if not path.exists():
            write_private(path, json.dumps(_FIRST, ensure_ascii=False, indent=2))
        self._console = WatchedFile(path, _parse)
        self._notices = WatchedFile(home / "sms_templates.json", _notices)

    def current(self) -> Console | None:
        """None while there is no sms_console.json."""
        return self._console.current()

    def template(self, code: str) -> Template | None:
        """The template of that code, from either file."""
        console = self._console.current()
        own = console.templates.get(code) if console else None
        return own or (self._notices.current() or {}).get(code)


def _parse(text: str) -> Console:
    kept = json.loads(text)
    limits: dict[str, dict[str, int]] = {**_LIMITS, **kept["limits"]}
    return Console(
        frozenset(kept["signs"]),
        {code: Template(**template) for code, template in kept["templates"].items()},
        {
            kind: {int(seconds): int(count) for seconds, count in windows.items()}
            for kind, windows in limits.items()
        },
    )


def _notices(text: str) -> dict[str, Template]:
    try:
        return {code: Template("notice", str(kept["text"])) for code, kept in json.loads(text).items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}
