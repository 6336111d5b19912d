"""Days of a house that never overlap (按日期分段): what is set later takes the days of what was set before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from uuid import UUID

from domains.billing.fee_terms import FIRST_DAY, LAST_DAY
from domains.kernel import database
from domains.kernel.errors import Invalid

# Of a span around the new one what comes after it is kept as a row of its own.
_KEEP_AFTER = """
INSERT INTO {table} (id, compound_id, house_id, fee_item_id, from_on, until_on, {columns})
SELECT make_uuid7(), compound_id, house_id, fee_item_id, $4, until_on, {columns} FROM {table}
WHERE {same} AND from_on < $3 AND coalesce(until_on, 'infinity') > $4
"""
_CUT_BEFORE = """
UPDATE {table} SET until_on = $3 WHERE {same} AND from_on < $3 AND coalesce(until_on, 'infinity') > $3
"""
_DROP_WITHIN = """
DELETE FROM {table} WHERE {same} AND from_on >= $3
    AND coalesce(until_on, 'infinity') <= coalesce($4::date, 'infinity')
"""
_CUT_AFTER = "UPDATE {table} SET from_on = $4 WHERE {same} AND from_on >= $3 AND from_on < $4"
_SAME = "house_id = $1 AND (fee_item_id = $2 OR $2::uuid IS NULL AND fee_item_id IS NULL)"
_END = (
    "UPDATE {table} SET until_on = $2 WHERE id = $1 AND from_on < $2 AND coalesce(until_on, 'infinity') > $2"
)
_TAKE_BACK = "DELETE FROM {table} WHERE id = $1 AND from_on = $2"


@dataclass(frozen=True)
class Spans:
    """A table of spans by house and fee item, with the columns that say what holds in them."""

    table: str
    columns: str

    @cached_property
    def _statements(self) -> tuple[str, ...]:
        texts = (_KEEP_AFTER, _CUT_BEFORE, _DROP_WITHIN, _CUT_AFTER, _END, _TAKE_BACK)
        return tuple(text.format(table=self.table, columns=self.columns, same=_SAME) for text in texts)

    async def make_room(
        self, house_id: UUID, fee_item_id: UUID | None, from_on: date, until_on: date | None
    ) -> None:
        """Free these days of a house and fee item, or of what is for all of them; None is for ever."""
        keep_after, cut_before, drop_within, cut_after, *_ = self._statements
        if until_on is not None:
            await database.execute(keep_after, house_id, fee_item_id, from_on, until_on)
        await database.execute(cut_before, house_id, fee_item_id, from_on)
        await database.execute(drop_within, house_id, fee_item_id, from_on, until_on)
        if until_on is not None:
            await database.execute(cut_after, house_id, fee_item_id, from_on, until_on)

    async def end(self, id: UUID, until_on: date) -> None:
        """Shorten a span; one that ends on its own first day is taken back. Raises SPAN_INVALID."""
        *_, end, take_back = self._statements
        if not await database.execute(end, id, until_on) and not await database.execute(
            take_back, id, until_on
        ):
            raise Invalid("SPAN_INVALID", "只能提前结束,且不能早于开始日期,请修改", "until_on")


AGREEMENTS = Spans("fee_agreement", "percent, coefficient, note, recorded_by, recorded_at")
LIABILITIES = Spans("liability", "payer, person_id, note, recorded_by, recorded_at")


def check_span(from_on: date, until_on: date | None) -> None:
    """Raises SPAN_INVALID for days that are none, or beyond what is kept."""
    if not FIRST_DAY <= from_on <= LAST_DAY:
        raise Invalid("SPAN_INVALID", "日期须在 2000 年到 2100 年之间", "from_on")
    if until_on is not None and not from_on < until_on <= LAST_DAY:
        raise Invalid("SPAN_INVALID", "结束日期须晚于开始日期,且不晚于 2100 年", "until_on")
