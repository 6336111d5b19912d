"""Reads of the organisation tree (组织架构): a node is seen where the caller works or lives below it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

import asyncpg

from domains.estate import permissions, sql
from domains.estate.queries import Compound, known_compounds
from domains.kernel import database
from domains.kernel.actor import Actor


@dataclass(frozen=True, slots=True)
class Region:
    """A node of the tree as it is read."""

    id: UUID
    parent_id: UUID | None
    kind: str
    name: str
    ancestry: tuple[UUID, ...]
    """From the province down to this node."""
    compound_count: int
    """Compounds below it in which the caller works or lives."""


class Counts(NamedTuple):
    """Buildings and houses that the caller may see."""

    buildings: int = 0
    houses: int = 0


async def provinces(actor: Actor) -> list[Region]:
    """Where the tree begins, by name."""
    return await _regions(actor, None, None, True)


async def regions_by_id(actor: Actor, ids: Sequence[UUID]) -> Mapping[UUID, Region]:
    """Those of the nodes that the caller may see."""
    return {region.id: region for region in await _regions(actor, ids, None, False)}


async def regions_below(actor: Actor, parent_ids: Sequence[UUID]) -> Mapping[UUID, list[Region]]:
    """By node those directly below it, by name."""
    found: dict[UUID, list[Region]] = {id: [] for id in parent_ids}
    for region in await _regions(actor, None, parent_ids, False):
        if region.parent_id is not None:
            found[region.parent_id].append(region)
    return found


async def compounds_of(actor: Actor, region_ids: Sequence[UUID]) -> Mapping[UUID, list[Compound]]:
    """By node the compounds directly below it, by name."""
    found: dict[UUID, list[Compound]] = {id: [] for id in region_ids}
    for row in await database.fetch(sql.COMPOUNDS_OF_REGIONS, known_compounds(actor), region_ids):
        found[row["region_id"]].append(Compound(**row))
    return found


async def counts_of_compounds(actor: Actor, ids: Sequence[UUID]) -> Mapping[UUID, Counts]:
    """What there is in each compound."""
    reach = actor.reach(permissions.READ)
    rows = await database.fetch(sql.COUNTS_OF_COMPOUNDS, reach.compounds, reach.buildings, reach.houses, ids)
    return {row["id"]: Counts(row["buildings"], row["houses"]) for row in rows}


async def counts_of_regions(actor: Actor, ids: Sequence[UUID]) -> Mapping[UUID, Counts]:
    """What there is below each node."""
    known = known_compounds(actor)
    counts = await counts_of_compounds(actor, known)
    below: defaultdict[UUID, list[Counts]] = defaultdict(list)
    for row in await database.fetch(sql.PATHS_OF_COMPOUNDS, known):
        for region_id in _ancestry(row["path"]):
            below[region_id].append(counts[row["id"]])
    return {id: Counts(*map(sum, zip(*below[id], strict=True))) for id in ids}


async def _regions(
    actor: Actor, ids: Sequence[UUID] | None, parent_ids: Sequence[UUID] | None, roots: bool
) -> list[Region]:
    rows = await database.fetch(sql.REGIONS, known_compounds(actor), ids, parent_ids, roots)
    return [_region(row) for row in rows]


def _region(row: asyncpg.Record) -> Region:
    return Region(
        row["id"], row["parent_id"], row["kind"], row["name"], _ancestry(row["path"]), row["compound_count"]
    )


def _ancestry(path: str) -> tuple[UUID, ...]:
    return tuple(UUID(part) for part in path.split("/") if part)
