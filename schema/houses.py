"""Houses for the types that point at one; it stands below them all, so that it may be imported anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from domains.estate import queries
from schema.context import Loader


class HouseLoader(Loader[UUID, queries.House]):
    """Houses the caller may see, by id."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, queries.House]:
        """One statement for all that were asked for."""
        return await queries.houses_by_id(self.context.actor, keys)
