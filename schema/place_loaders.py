"""Places for the types that point at them; one statement however many point."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from domains.estate import organisation, queries
from schema.context import Loader


class BuildingLoader(Loader[UUID, queries.Building]):
    """Buildings the caller may see, by id."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, queries.Building]:
        """One statement for all that were asked for."""
        return await queries.buildings_by_id(self.context.actor, keys)


class UnitLoader(Loader[UUID, queries.Unit]):
    """Units the caller may see, by id."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, queries.Unit]:
        """One statement for all that were asked for."""
        return await queries.units_by_id(self.context.actor, keys)


class BuildingsLoader(Loader[UUID, list[queries.Building]]):
    """The buildings of a compound."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, list[queries.Building]]:
        """One statement for all compounds."""
        return await queries.buildings_of(self.context.actor, keys)


class UnitsLoader(Loader[UUID, list[queries.Unit]]):
    """The units of a building."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, list[queries.Unit]]:
        """One statement for all buildings."""
        return await queries.units_of(self.context.actor, keys)


class HouseCountLoader(Loader[UUID, int]):
    """How many houses a building has."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, int]:
        """One statement for all buildings."""
        return await queries.house_counts(self.context.actor, keys)


class RegionLoader(Loader[UUID, organisation.Region]):
    """Nodes of the organisation tree, by id."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, organisation.Region]:
        """One statement for all that were asked for."""
        return await organisation.regions_by_id(self.context.actor, keys)


class RegionsBelowLoader(Loader[UUID, list[organisation.Region]]):
    """The nodes directly below a node."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, list[organisation.Region]]:
        """One statement for a whole level of the tree."""
        return await organisation.regions_below(self.context.actor, keys)


class RegionCompoundsLoader(Loader[UUID, list[queries.Compound]]):
    """The compounds directly below a node."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, list[queries.Compound]]:
        """One statement for a whole level of the tree."""
        return await organisation.compounds_of(self.context.actor, keys)


class CompoundCountsLoader(Loader[UUID, organisation.Counts]):
    """What there is in a compound."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, organisation.Counts]:
        """One statement for all compounds."""
        return await organisation.counts_of_compounds(self.context.actor, keys)


class RegionCountsLoader(Loader[UUID, organisation.Counts]):
    """What there is below a node."""

    async def fetch(self, keys: list[UUID]) -> Mapping[UUID, organisation.Counts]:
        """Two statements for all nodes."""
        return await organisation.counts_of_regions(self.context.actor, keys)
