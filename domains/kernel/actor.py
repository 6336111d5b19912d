"""Who is calling, in which capacity, with which scope (访问控制主体).

An actor is built anew for every request from rows, never from a token's claims: an occupancy
or a role that ended counts from the next request on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NoReturn
from uuid import UUID

from domains.kernel.errors import Forbidden, Unauthenticated

Kind = Literal["anonymous", "resident", "staff", "system"]
Capacity = Literal["owner", "family", "tenant"]


@dataclass(frozen=True, slots=True)
class Grant:
    """A permission in one compound; `building_ids` narrows it, None means the whole compound."""

    permission: str
    compound_id: UUID
    building_ids: frozenset[UUID] | None = None


@dataclass(frozen=True, slots=True)
class HouseTie:
    """A current occupancy of the calling person (当前居住关系)."""

    house_id: UUID
    compound_id: UUID
    capacity: Capacity


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a call comes from; goes into the audit."""

    request_id: str = ""
    ip: str = ""
    language: str = "zh"
    user_agent: str = ""


@dataclass(frozen=True, slots=True)
class Reach:
    """What rows a caller may see, as a statement filters them: those of these whole compounds,
    of these buildings, or of these houses."""

    compounds: tuple[UUID, ...] = ()
    buildings: tuple[UUID, ...] = ()
    houses: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Actor:
    """The caller of a command or query."""

    kind: Kind = "anonymous"
    account_id: UUID | None = None
    session_id: UUID | None = None
    name: str = ""
    houses: tuple[HouseTie, ...] = ()
    grants: tuple[Grant, ...] = ()
    operator: bool = False
    """Runs the installation itself (系统运维): no role of a company or compound makes one."""
    confined: bool = False
    """Signed in with a password that somebody else set: may change it, and nothing more."""
    origin: Origin = field(default_factory=Origin)

    @property
    def id(self) -> UUID:
        """The account; a caller who never signed in has none and is refused."""
        if self.account_id is None:
            raise Unauthenticated("UNAUTHENTICATED", "请先登录")
        return self.account_id

    def compounds(self, permission: str) -> frozenset[UUID]:
        """Compounds in which the caller holds the permission, over all or some buildings."""
        return frozenset(g.compound_id for g in self.grants if g.permission == permission)

    def buildings(self, permission: str, compound_id: UUID) -> frozenset[UUID] | None:
        """Buildings the permission reaches there; None means all of them."""
        reached: set[UUID] = set()
        for grant in self.grants:
            if grant.permission == permission and grant.compound_id == compound_id:
                if grant.building_ids is None:
                    return None
                reached |= grant.building_ids
        return frozenset(reached)

    def may(self, permission: str, compound_id: UUID, building_id: UUID | None = None) -> bool:
        """Whether the permission holds there; without a building it must hold in some building."""
        if self.kind == "system":
            return True
        if compound_id not in self.compounds(permission):
            return False
        reached = self.buildings(permission, compound_id)
        return reached is None or building_id is None or building_id in reached

    def reach(self, permission: str) -> Reach:
        """Rows the caller may see under the permission, and those of the caller's own houses."""
        held = [grant for grant in self.grants if grant.permission == permission]
        narrow = [grant.building_ids for grant in held if grant.building_ids is not None]
        return Reach(
            tuple(grant.compound_id for grant in held if grant.building_ids is None),
            tuple(frozenset().union(*narrow)),
            tuple(tie.house_id for tie in self.houses),
        )

    def require(self, permission: str, compound_id: UUID, building_id: UUID | None = None) -> None:
        """Refuse a caller without the permission."""
        if not self.may(permission, compound_id, building_id):
            self.refuse(compound_id)

    def may_whole(self, permission: str, compound_id: UUID) -> bool:
        """Whether the permission holds in all of the compound's buildings."""
        held = self.may(permission, compound_id)
        return held and (self.kind == "system" or self.buildings(permission, compound_id) is None)

    def require_whole(self, permission: str, compound_id: UUID) -> None:
        """Refuse a caller who does not hold the permission in all of the compound's buildings."""
        if not self.may_whole(permission, compound_id):
            self.refuse(compound_id)

    def require_operator(self) -> None:
        """Refuse whoever does not run the installation, whatever their roles."""
        if self.kind != "system" and not self.operator:
            self.refuse()

    def refuse(self, compound_id: UUID | None = None) -> NoReturn:
        """Refuse: ask a stranger to sign in, tell a known caller that the authority is missing."""
        if self.kind == "anonymous":
            raise Unauthenticated("UNAUTHENTICATED", "请先登录")
        if self.confined:
            raise Forbidden("PASSWORD_CHANGE_REQUIRED", "请先修改初始密码,再使用其他功能")
        message = "您没有这项权限,如有需要请联系管理员"
        raise Forbidden("FORBIDDEN", message, compound_id=compound_id)


ANONYMOUS = Actor()
SYSTEM = Actor(kind="system", name="系统")
