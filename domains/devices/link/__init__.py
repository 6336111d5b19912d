"""The link to devices by MQTT 5 (设备消息链路): commands out, what devices report in.

Nothing that a device says is lost once the broker took it, as long as the broker keeps the session:
the broker is told that a message is taken after the handler's transaction committed, and not before.
A handler therefore sees a message once or more, and is idempotent by its own means.
"""

from domains.devices.link.consumer import Consumer
from domains.devices.link.lane import Handler
from domains.devices.link.line import Link
from domains.devices.link.message import LARGEST_PAYLOAD, Message
from domains.platforms.calling import NotSent, OutcomeUnknown

__all__ = ["LARGEST_PAYLOAD", "Consumer", "Handler", "Link", "Message", "NotSent", "OutcomeUnknown"]
