"""The channels that this installation has (已开通的渠道)."""

from __future__ import annotations

from collections.abc import Mapping

from domains.kernel.slots import Slot
from notifications.channels.port import Sender
from notifications.kinds import Channel

senders: Slot[Mapping[Channel, Sender]] = Slot("senders")
