"""Authority at the field: who may ask at all. What they may see is decided in the query below."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from strawberry.extensions import FieldExtension

from domains.kernel.actor import Actor, Kind
from schema.context import Info

# What a resolver returns and takes is the field's business, not the extension's: hence `object` throughout.
SyncNext = Callable[..., object]
AsyncNext = Callable[..., Awaitable[object]]


class Callers(FieldExtension):
    """Lets only these kinds of caller through: a stranger is asked to sign in, others are refused.

    `while_confined` opens the field to a session whose password must be changed first."""

    def __init__(self, *kinds: Kind, while_confined: bool = False) -> None:
        self.kinds = frozenset(kinds)
        self.while_confined = while_confined

    def check(self, actor: Actor) -> None:
        """Refuse a caller of another kind."""
        if actor.kind not in self.kinds and actor.kind != "system":
            actor.refuse()
        if actor.confined and not self.while_confined:
            actor.refuse()

    def resolve(self, next_: SyncNext, source: object, info: Info, **kwargs: object) -> object:
        self.check(info.context.actor)
        return next_(source, info, **kwargs)

    async def resolve_async(self, next_: AsyncNext, source: object, info: Info, **kwargs: object) -> object:
        self.check(info.context.actor)
        return await next_(source, info, **kwargs)


signed_in = Callers("resident", "staff")
signed_in_at_all = Callers("resident", "staff", while_confined=True)
residents_only = Callers("resident")
staff_only = Callers("staff")
