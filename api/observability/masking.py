"""A second net under the logs: what looks like a phone or an identity number is masked wherever it stands.

The first net is that nobody logs personal data at all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from uuid import UUID

# Identity numbers (居民身份证, of 18 or 15 places), and mobile phones with or without the country and gaps.
_PERSONAL = re.compile(
    r"(?<!\d)(?:\d{17}[\dXx]|\d{15}|(?:86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4})(?!\d)", re.ASCII
)
# Ids and digests are long runs of hexadecimal digits, some of which look like a phone by chance.
_MACHINE_MADE = re.compile(r"[0-9a-f]{32,128}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MASK = "***"


def masked(value: object) -> object:
    """The value with every phone-like and identity-number-like run of digits replaced, at any depth."""
    if isinstance(value, str):
        return _masked_text(value)
    if value is None or isinstance(value, (bool, float, UUID)):
        return value
    if isinstance(value, int):
        return MASK if value > 10**10 and _PERSONAL.search(str(value)) else value
    if isinstance(value, Mapping):
        return {masked(key): masked(each) for key, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [masked(each) for each in value]
    return _masked_text(str(value))


def _masked_text(text: str) -> str:
    if len(text) < 11 or _MACHINE_MADE.fullmatch(text):
        return text
    return _PERSONAL.sub(MASK, text)
