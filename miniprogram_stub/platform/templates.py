"""Message templates as the operator chose them in a platform's console (消息模板)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from miniprogram_stub.platform.files import WatchedFile


@dataclass(frozen=True, slots=True)
class MessageTemplate:
    """A title, and the keywords (关键词) that a message must fill in, in their order."""

    title: str
    keywords: tuple[str, ...]

    def rendered(self, values: dict[str, str]) -> str:
        """The values as a phone shows them, a line each."""
        return "\n".join(values[keyword] for keyword in self.keywords)


def watched_templates(path: Path) -> WatchedFile[dict[str, MessageTemplate]]:
    """Templates by their id, `{"<id>": {"title": …, "keywords": […]}}`; an unreadable file holds none."""
    return WatchedFile(path, _templates)


def _templates(text: str) -> dict[str, MessageTemplate]:
    try:
        return {
            template_id: MessageTemplate(str(kept["title"]), tuple(map(str, kept["keywords"])))
            for template_id, kept in json.loads(text).items()
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def plain_text(value: object) -> str | None:
    """A keyword's value as text; None for what is neither text nor a number, or cannot be shown."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = str(value)
    if any(ord(character) < 32 or "\ud800" <= character <= "\udfff" for character in text):
        return None
    return text
