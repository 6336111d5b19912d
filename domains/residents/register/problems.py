"""What is wrong with a register (导入错误): a row to correct, or a file that cannot be read at all."""

from __future__ import annotations

from dataclasses import dataclass, field

from domains.kernel.errors import Invalid

KEPT_ERRORS = 500
_SHOWN = 60


class RegisterUnreadable(Invalid):
    """The file as a whole cannot be read; the code says why, the message what to do."""


@dataclass(frozen=True, slots=True)
class RowError:
    """One thing to correct: the sheet, the Excel row (from 1; 0 is the sheet itself), the column's title."""

    sheet: str
    row: int
    column: str
    code: str
    message: str
    value: str = ""


@dataclass(slots=True)
class Problems:
    """The errors of one reading: all are counted, the first KEPT_ERRORS are kept."""

    kept: list[RowError] = field(default_factory=list)
    count: int = 0

    def add(
        self, sheet: str, row: int, column: str, code: str, message: str, *, value: object = None
    ) -> None:
        """Note one error. `value` is what the cell held, shortened for showing."""
        self.count += 1
        if len(self.kept) < KEPT_ERRORS:
            self.kept.append(RowError(sheet, row, column, code, message, shown(value)))

    def ordered(self) -> tuple[RowError, ...]:
        """The kept errors sheet by sheet, from the first row to the last."""
        sheets = list(dict.fromkeys(error.sheet for error in self.kept))
        return tuple(sorted(self.kept, key=lambda error: (sheets.index(error.sheet), error.row)))


def shown(value: object) -> str:
    """A cell's value as it can be shown: one line, no control characters, at most 60 characters."""
    text = "" if value is None else str(value)
    clean = "".join(character if character.isprintable() else " " for character in text[: _SHOWN * 2])
    return clean if len(clean) <= _SHOWN else clean[: _SHOWN - 1] + "…"
