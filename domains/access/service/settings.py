"""A compound's rules of passage (通行规则), set by its staff."""

from __future__ import annotations

from typing import Any, TypedDict
from uuid import UUID

from domains.access import permissions
from domains.access.community import rules_of
from domains.access.models import AccessRules
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Invalid


class RuleChanges(TypedDict, total=False):
    """What is to be changed; what is left out stays. None is no limit, of visitors' cars and daily openings."""

    longest_window_h: int
    most_uses: int
    daily_passes_per_house: int
    visitor_cars: int | None
    approver: str
    daily_openings: int | None
    counts_offline: bool
    records_kept_days: int
    vehicle_records_kept_days: int


_BOUNDS = {
    "longest_window_h": (1, 8760),
    "most_uses": (1, 999),
    "daily_passes_per_house": (1, 1000),
    "visitor_cars": (0, 100_000),
    "daily_openings": (1, 100_000),
    "records_kept_days": (30, 3660),
    # GB/T: what is known of vehicles is kept for half a year at least.
    "vehicle_records_kept_days": (180, 3660),
}
_MAY_BE_UNLIMITED = frozenset({"visitor_cars", "daily_openings"})


@command("access_rules.set", caller="staff", permission=permissions.RULES_WRITE)
async def set_access_rules(actor: Actor, *, compound_id: UUID, changes: RuleChanges) -> UUID:
    """Change a compound's rules; passes that are out keep what they were given. Raises ACCESS_RULE_RANGE."""
    concerns("AccessRules", compound_id, compound_id, **changes)
    actor.require(permissions.RULES_WRITE, compound_id)
    if actor.kind == "staff" and actor.buildings(permissions.RULES_WRITE, compound_id) is not None:
        actor.refuse(compound_id)
    _check(dict(changes))
    await rules_of(compound_id)
    if changes:
        await AccessRules.filter(compound_id=compound_id).update(**changes)
    return compound_id


def _check(changes: dict[str, Any]) -> None:  # Any: values as typed above
    for name, (least, most) in _BOUNDS.items():
        value = changes.get(name, least)
        if value is None and name in _MAY_BE_UNLIMITED:
            continue
        if value is None or not least <= value <= most:
            raise Invalid("ACCESS_RULE_RANGE", f"数值须在 {least} 到 {most} 之间,请修改", name)
    if changes.get("approver", "either") not in ("resident", "guard", "either"):
        raise Invalid("ACCESS_RULE_RANGE", "请选择由谁审批来访申请", "approver")
    if changes.get("counts_offline", False) is None:
        raise Invalid("ACCESS_RULE_RANGE", "请选择断网的闸机是否自行核销次数", "counts_offline")
