"""Whether anything belongs to an account beyond its sign-in: houses, registrations, invitations.

Those live in domains above this one, which the composition root asks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

from domains.kernel.slots import Slot

has_belongings: Slot[Callable[[UUID], Awaitable[bool]]] = Slot("belongings")
