"""The organisation tree, companies and compounds (组织架构)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from domains.estate import rules
from domains.estate.models import Company, Compound, Region
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, Invalid
from domains.kernel.ids import uuid7


@command("compound.found", caller="system")
async def found_compound(
    actor: Actor,
    *,
    region_names: Sequence[str],
    company: str,
    name: str,
    code: str | None = None,
    address: str = "",
    service_phone: str = "",
    latitude: Decimal | None = None,
    longitude: Decimal | None = None,
) -> UUID:
    """Create a compound under its committee; nodes of the tree and the company that exist are taken.

    `region_names` go from the province down to the neighbourhood committee.
    """
    region = await _region(region_names)
    owner, _ = await Company.get_or_create(name=company)
    if await Compound.exists(region=region, name=name):
        raise Conflict("COMPOUND_EXISTS", f"{name}已经存在", "name")
    compound = await Compound.create(
        region=region, company=owner, name=name, code=code or rules.new_code(), address=address,
        service_phone=service_phone, latitude=latitude, longitude=longitude,
    )  # fmt: skip
    concerns("Compound", compound.id, compound.id)
    return compound.id


async def _region(names: Sequence[str]) -> Region:
    if len(names) != len(rules.REGION_KINDS):
        raise Invalid("REGION_INCOMPLETE", "请依次填写省、市、区县、街道、社区", "regionNames")
    node: Region | None = None
    for kind, name in zip(rules.REGION_KINDS, names, strict=True):
        found = await Region.get_or_none(parent_id=node.id if node else None, name=name)
        node = found or await _grow(node, kind, name)
    assert node is not None
    return node


async def _grow(parent: Region | None, kind: str, name: str) -> Region:
    id = uuid7()
    path = f"{parent.path if parent else '/'}{id}/"
    return await Region.create(id=id, parent=parent, kind=kind, name=name, path=path)
