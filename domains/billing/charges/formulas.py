"""Formula prices (公式计价) as part of the statement: one branch for each price that has one."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from domains.billing.formula import FormulaInvalid, Node, as_sql, parse
from domains.kernel import database

FORMULAS = """
SELECT p.id, p.formula FROM fee_price p JOIN fee_item i ON i.id = p.fee_item_id
WHERE i.compound_id = $1 AND p.formula IS NOT NULL ORDER BY p.id
"""

_VARIABLES = {
    "area": "c.built_area_m2",
    "inner_area": "c.inner_area_m2",
    "floor": "c.floor",
    "people": "(SELECT count(*) FROM occupancy o WHERE o.house_id = c.house_id AND o.ended_at IS NULL)",
    "households": "(SELECT count(*) FROM house x WHERE x.building_id = c.building_id)",
}

Formulas = Mapping[UUID, Node]


async def formulas_of(compound_id: UUID) -> Formulas:
    """The compound's formulas by price; one that cannot be read is left out, and fails by itself."""
    found: dict[UUID, Node] = {}
    for row in await database.fetch(FORMULAS, compound_id):
        try:
            found[row["id"]] = parse(row["formula"])
        except FormulaInvalid:
            continue
    return found


def price_of(formulas: Formulas, coefficient: str) -> str:
    """The price of a row `c` with `price_id` and `price_fen`: what stands there, or what its formula gives."""
    columns = _VARIABLES | {"coefficient": coefficient}
    branches = " ".join(f"WHEN '{id}' THEN {as_sql(tree, columns)}" for id, tree in formulas.items())
    chosen = f"CASE c.price_id {branches} END" if branches else "NULL::numeric"
    return f"coalesce(c.price_fen, {chosen})"
