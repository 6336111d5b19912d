"""Whether a part of a bill may be paid in a compound (部分支付).

Bills and their rules live in domains above this one, which the composition root asks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

from domains.kernel.slots import Slot

allows_part: Slot[Callable[[UUID], Awaitable[bool]]] = Slot("part payments")
