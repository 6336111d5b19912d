"""The file store of this installation, as the domains reach it (文件存储)."""

from __future__ import annotations

from domains.kernel.slots import Slot
from domains.kernel.storage import Signer, Storage

storage: Slot[Storage] = Slot("file store")
links: Slot[Signer] = Slot("file links")
