"""Pure decisions about places."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping

CODE_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""Without what people misread: 0 O, 1 I L."""

REGION_KINDS = ("province", "city", "district", "street", "committee")
USES = ("residential", "shop", "office", "parking", "storage", "other")
STATES = ("self_occupied", "rented", "vacant", "unsold")


def new_code() -> str:
    """A compound's code to scan or type, 8 characters."""
    return "".join(secrets.choice(CODE_ALPHABET) for _ in range(8))


def sort_key(text: str) -> str:
    """A text that sorts as people count: digits padded, so that 10 follows 9."""
    return re.sub(r"\d+", lambda number: number.group().zfill(6), text)


def house_number(building: str, unit: str, room: str) -> str:
    """How a house is spoken of: 3号楼1单元101."""
    return f"{building}{unit}{room}"


def changes(before: object, after: Mapping[str, object]) -> dict[str, list[object] | None]:
    """What changed, from what to what, for the audit; of a title deed (产权证号) only that it changed."""
    return {
        name: None if name == "title_document" else [getattr(before, name), value]
        for name, value in after.items()
    }
