"""A process that posts a run, to be killed."""

from __future__ import annotations

from uuid import UUID

from api.wiring import APPS
from domains.billing.service import posting
from domains.kernel import database
from domains.kernel.actor import SYSTEM


async def billing(url: str, run_id: str) -> None:
    """Post a run to its end."""
    async with database.connected(url, APPS, pool_size=2):
        await posting.post(SYSTEM, UUID(run_id))
