"""The one statement of what is to be charged: a preview adds up what a posting writes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from domains.billing.charges.amounts import MOST_FEN, plain
from domains.billing.charges.formulas import Formulas
from domains.billing.charges.metered import METERED
from domains.billing.charges.periods import CANDIDATES, ITEMS, NEXT_HOUSES, ONE_HOUSE
from domains.billing.charges.segments import general
from domains.billing.charges.sums import SUMS

BEFORE_ALL = ("", UUID(int=0))
"""Sort key and id that come before every house's."""

# Compiling a statement of this size takes longer than running it.
FOR_LARGE_STATEMENTS = "SET LOCAL jit = off"

_COLUMNS = """house_id, item_id, sort, period_from, period_until, part, payer, person_id, covers_from, covers_until, problem,
        amount, basis"""

# One row is one line with what it takes of meters, or one that cannot be made: then `problem` says why, once for its period.
_CHARGE = f"""
charge AS MATERIALIZED (
    SELECT house_id, item_id, sort, period_from, period_until, part, payer, person_id, covers_from, covers_until, basis,
        takes, coalesce(problem, CASE WHEN amount > {MOST_FEN} THEN 'AMOUNT_TOO_LARGE' END) AS problem,
        CASE WHEN problem IS NULL AND amount <= {MOST_FEN} THEN amount::bigint END AS amount_fen
    FROM (SELECT {_COLUMNS}, NULL::jsonb AS takes FROM plain_charge
        UNION ALL SELECT {_COLUMNS}, NULL FROM general_charge WHERE problem IS NULL OR part = 0
        UNION ALL SELECT {_COLUMNS}, takes FROM metered_charge
        UNION ALL SELECT {_COLUMNS}, NULL FROM pooled_charge
        UNION ALL SELECT {_COLUMNS}, NULL FROM one_off_charged) AS every)"""


@dataclass(frozen=True, slots=True)
class Charging:
    """What is to be charged: a compound's fee items (none: all) over months, of all houses or of one."""

    compound_id: UUID
    from_month: date
    month: date
    fee_item_ids: tuple[UUID, ...] = ()
    house_id: UUID | None = None
    discount_percent: Decimal = Decimal(0)

    def arguments(self, after: tuple[str, UUID], houses: int) -> tuple[object, ...]:
        """Values of the statement's parameters for so many houses after one."""
        place = after if self.house_id is None else ("", self.house_id)
        return (
            self.compound_id, self.from_month, self.month, list(self.fee_item_ids), *place, houses,
            self.discount_percent,
        )  # fmt: skip


def charges(formulas: Formulas, *, of_one_house: bool) -> str:
    """The named parts up to `charge`, without the WITH before them; `house_of_run` and `item` are there as well."""
    houses = ONE_HOUSE if of_one_house else NEXT_HOUSES
    return ",".join((houses, ITEMS, CANDIDATES, plain(formulas), general(formulas), METERED, SUMS, _CHARGE))
