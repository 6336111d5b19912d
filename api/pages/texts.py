"""What pages say, in Chinese and in English (页面文字). The Chinese text is its own key."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from schema.context import Language

TABLE = Path(__file__).with_name("texts.toml")
LABELS = "labels"


@cache
def english() -> Mapping[str, str]:
    """Chinese text → English text, over all pages."""
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return {zh: en for name, rows in table.items() if name != LABELS for zh, en in rows.items()}


@cache
def labels() -> Mapping[str, tuple[str, str]]:
    """Enum value of the API → (Chinese, English)."""
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return {value: (zh, en) for value, (zh, en) in table[LABELS].items()}


@cache
def actions() -> tuple[str, ...]:
    """What the audit knows by name, `noun.verb`, to choose from."""
    return tuple(value for value in labels() if "." in value)


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts in one language."""

    language: Language

    def __call__(self, text: str, **values: object) -> str:
        """The text with its values, named in braces; in Chinese where no English is written."""
        found = text if self.language == "zh" else english().get(text, text)
        return found.format(**values) if values else found

    def label(self, value: str | None) -> str:
        """What people call an enum value; one that is not known is shown as it is."""
        if value is None:
            return ""
        zh, en = labels().get(value, (value, value))
        return zh if self.language == "zh" else en
