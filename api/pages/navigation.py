"""The staff pages and who has something to do on them (导航)."""

from __future__ import annotations

from dataclasses import dataclass

from domains.estate import permissions as estate
from domains.identity import permissions as identity
from domains.kernel.actor import Actor
from domains.residents import permissions as residents


@dataclass(frozen=True, slots=True)
class Item:
    """A staff page as the navigation shows it; any one of the permissions is enough."""

    path: str
    icon: str
    title: str
    permissions: tuple[str, ...]


ITEMS = (
    Item("/staff/registrations", "clipboard-check", "登记审核", (residents.REVIEW,)),
    Item("/staff/search", "search", "房屋住户", (estate.READ, residents.READ)),
    Item("/staff/import", "file-import", "台账导入", (estate.IMPORT,)),
    Item("/staff/audit", "shield-lock", "操作审计", (identity.AUDIT_READ,)),
)


def items_for(actor: Actor) -> list[Item]:
    """What is of use to the caller; the pages themselves are guarded by the operations they run."""
    return [item for item in ITEMS if any(actor.compounds(name) for name in item.permissions)]
