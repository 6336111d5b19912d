"""How much a caller may ask for over time (查询额度)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from schema.context import Context


@dataclass(frozen=True, slots=True)
class BudgetStatus:
    """A caller's bucket after a charge, in cost points; `restore_rate` is points per second."""

    allowed: bool
    maximum: int
    available: int
    restore_rate: float
    retry_after_s: float = 0.0

    def headers(self) -> dict[str, str]:
        """`RateLimit` and `RateLimit-Policy` (IETF httpapi draft), and `Retry-After` on a refusal."""
        window = math.ceil(self.maximum / self.restore_rate)
        reset = math.ceil((self.maximum - self.available) / self.restore_rate)
        headers = {
            "RateLimit-Policy": f'"cost";q={self.maximum};w={window}',
            "RateLimit": f'"cost";r={self.available};t={reset}',
        }
        if not self.allowed:
            headers["Retry-After"] = str(max(1, math.ceil(self.retry_after_s)))
        return headers

    def report(self) -> dict[str, float]:
        """The `throttleStatus` of `extensions.cost`."""
        return {
            "maximumAvailable": self.maximum,
            "currentlyAvailable": self.available,
            "restoreRate": self.restore_rate,
        }


class Budget(Protocol):
    """Charges the cost of an operation to its caller, before it runs."""

    async def take(self, context: Context, cost: int) -> BudgetStatus: ...
