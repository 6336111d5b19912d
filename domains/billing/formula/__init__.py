"""The language of formula prices (公式计价): numbers, + − × ÷, parentheses, five functions, six variables of a house.

A formula gives fen per the item's price_months, with six decimals as a price has. It is read into a tree once;
statements are written from the tree alone, and the same tree is evaluated here for one house.
"""

from __future__ import annotations

from domains.billing.formula.evaluation import evaluate
from domains.billing.formula.parsing import FormulaInvalid, parse
from domains.billing.formula.sql import as_sql
from domains.billing.formula.tree import VARIABLES, Node, variables_of

__all__ = ["VARIABLES", "FormulaInvalid", "Node", "as_sql", "evaluate", "parse", "variables_of"]
