"""The file store of this installation, as the domains reach it (文件存储)."""

from __future__ import annotations

from domains.kernel.actor import Actor
from domains.kernel.slots import Slot
from domains.kernel.storage import Signer, Storage

storage: Slot[Storage] = Slot("file store")
links: Slot[Signer] = Slot("file links")


def audience_of(actor: Actor) -> str:
    """For whom an address is signed: the account, and nobody who was sent it."""
    return str(actor.id)
