"""The cost budget, kept in the same limiter as every other rate."""

from __future__ import annotations

from domains.kernel.rates import Limiter, RateLimit
from schema.context import Context
from schema.limits.budget import BudgetStatus


class LimiterBudget:
    """A bucket of cost points for each `Context.budget_key`; its burst is the most one can hold."""

    def __init__(self, limiter: Limiter, limit: RateLimit) -> None:
        self.limiter = limiter
        self.limit = limit

    async def take(self, context: Context, cost: int) -> BudgetStatus:
        """Charges the cost. An operation dearer than the bucket empties it instead of never running."""
        points = min(cost, self.limit.burst)
        verdict = await self.limiter.take(self.limit, context.budget_key, points)
        return BudgetStatus(
            allowed=verdict.allowed,
            maximum=self.limit.burst,
            available=verdict.remaining,
            restore_rate=self.limit.per_period / self.limit.period_s,
            retry_after_s=verdict.retry_after_s,
        )
