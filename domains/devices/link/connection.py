"""One connection to the broker (单次连接), from CONNECT to its loss; the next one is another object.

paho speaks MQTT 5 and this module drives it from the event loop. Nothing it has not had an answer for is
carried over to another connection: a command for a door would otherwise go out late.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from domains.devices.link.address import Address
from domains.kernel.faults import place
from domains.platforms.calling import NotSent, OutcomeUnknown

RECEIVE_MAXIMUM = 4000
"""Messages handed to us and not yet acknowledged, at most: with their size it bounds our memory."""
LARGEST_PACKET = 64 * 1024
ANSWER_LIMIT_S = 3.0
KEEPALIVE_S = 10
_BROKER = "mqtt"
_NOBODY_LISTENS = 0x10
_UNLIMITED = 65_535
_PACKETS_A_TURN = 50

if TYPE_CHECKING:
    from paho.mqtt.client import SocketLike

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Session:
    """What the broker knows us by; with `kept_s` it keeps our subscriptions and messages for that many
    seconds while we are away."""

    client_id: str
    kept_s: int = 0


class Refused(ConnectionError):
    """The broker does not want us, or this subscription; its text is the broker's reason."""


class Receipt:
    """How the broker learns that a message is taken."""

    __slots__ = ("_client", "_mid", "_qos")

    def __init__(self, client: Client, mid: int, qos: int) -> None:
        self._client, self._mid, self._qos = client, mid, qos

    def take(self) -> None:
        """What the message caused is committed: the broker may forget it. After the connection's end this
        does nothing, and the broker sends the message again.

        The protocol wants these in the order of arrival [MQTT-4.6.0-2] and brokers match them by number; in
        order, one device's flood would hold everybody's place in the window until it is handled.
        """
        if self._client.is_connected():
            self._client.ack(self._mid, self._qos)


class Connection:
    """`lost` is done when the connection is over, with the reason in the broker's or the library's words.

    `accepted` is called before anything is received, and told whether the broker still knew the session: then
    what was not acknowledged comes again.
    """

    def __init__(
        self,
        address: Address,
        session: Session,
        *,
        received: Callable[[MQTTMessage, Receipt], None],
        accepted: Callable[[bool], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._address, self._session = address, session
        self._received, self._tell_accepted = received, accepted
        self.lost: asyncio.Future[str] = self._loop.create_future()
        # None stands for the loss of the connection before the answer.
        self._accepted: asyncio.Future[Properties | Refused | None] = self._loop.create_future()
        self._subscribed: asyncio.Future[list[ReasonCode] | None] = self._loop.create_future()
        self._unanswered: dict[int, asyncio.Future[ReasonCode | None]] = {}
        self._window = asyncio.Semaphore(0)
        self._arrived = 0
        self._minding: asyncio.Task[None] | None = None
        self._client = self._new_client()

    def _new_client(self) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._session.client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        # Its own queue would hold a command back and count the expiry from when it leaves: ours refuses.
        client.max_inflight_messages_set(0)
        client.connect_timeout = ANSWER_LIMIT_S
        if self._address.user is not None:
            client.username_pw_set(self._address.user, self._address.password)
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        client.on_subscribe, client.on_publish = self._on_subscribe, self._on_publish
        client.on_message = self._on_message
        return client

    async def open(self) -> None:
        """Raises OSError when there is no broker, and Refused when it does not want us."""
        connecting = asyncio.ensure_future(asyncio.to_thread(self._connect))
        try:
            await asyncio.shield(connecting)
        except asyncio.CancelledError:
            connecting.add_done_callback(self._abandon)
            raise
        self._attend()
        async with asyncio.timeout(ANSWER_LIMIT_S):
            answer = await self._accepted
        if not isinstance(answer, Properties):
            raise answer or ConnectionError("lost before it was accepted")
        self._window = asyncio.Semaphore(getattr(answer, "ReceiveMaximum", _UNLIMITED))

    def _abandon(self, connecting: asyncio.Future[None]) -> None:
        if not connecting.cancelled():
            connecting.exception()  # fetched, for nobody waits for it any more
        self.close()

    def _connect(self) -> None:
        if self._address.tls:
            self._client.tls_set_context(ssl.create_default_context())
        properties = _properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = self._session.kept_s
        properties.ReceiveMaximum = RECEIVE_MAXIMUM
        properties.MaximumPacketSize = LARGEST_PACKET
        self._client.connect(
            self._address.host, self._address.port, KEEPALIVE_S,
            clean_start=not self._session.kept_s, properties=properties,
        )  # fmt: skip

    def _attend(self) -> None:
        """From here on the event loop reads and writes the socket."""
        sock, client = self._client.socket(), self._client
        if not isinstance(sock, socket.socket):
            raise ConnectionError("lost while it was made")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.on_socket_register_write = self._on_want_write
        client.on_socket_unregister_write = self._on_written
        client.on_socket_close = self._on_close
        self._loop.add_reader(sock, self._guarded, self._read)
        if client.want_write():
            self._on_want_write(client, None, sock)
        self._minding = self._loop.create_task(self._mind())

    def _read(self) -> None:
        """A turn of the loop costs more than a packet: read on while messages come, but let others have
        their turn, too. What TLS has decrypted already makes no socket readable."""
        for _ in range(_PACKETS_A_TURN):
            before = self._arrived
            self._client.loop_read()
            if self._arrived == before and not _pending(self._client.socket()):
                return
        if _pending(self._client.socket()):
            self._loop.call_soon(self._guarded, self._read)

    def _guarded(self, step: Callable[[], object]) -> None:
        try:
            step()
        except Exception as error:  # the library fails in its own ways on bytes that are no packet
            log.warning("mqtt.broken", **place(error))
            self.close()

    async def _mind(self) -> None:
        # Keep-alive has no event to wait for: the library wants to be asked.
        while self._client.loop_misc() == MQTTErrorCode.MQTT_ERR_SUCCESS:  # noqa: ASYNC110
            await asyncio.sleep(1)

    async def subscribe(self, topics: Sequence[str]) -> None:
        """At QoS 1; what the broker retains comes once a session. Raises OSError, Refused among them."""
        if not topics:
            return
        options = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB)
        self._client.subscribe([(each, options) for each in topics])
        async with asyncio.timeout(ANSWER_LIMIT_S):
            codes = await self._subscribed
        if codes is None:
            raise ConnectionError("lost before it was subscribed")
        if any(code.is_failure for code in codes):
            raise Refused(", ".join(str(code) for code in codes))

    async def publish(self, topic: str, payload: bytes, *, expires_in_s: float) -> None:
        """At QoS 1, never retained; the broker forgets it after that time. Raises NotSent when certainly
        nobody gets it, OutcomeUnknown when no answer came."""
        ends = self._loop.time() + expires_in_s
        try:
            async with asyncio.timeout_at(ends):
                await self._window.acquire()
        except TimeoutError:
            raise NotSent(_BROKER, "no turn in time") from None
        answer = self._send(topic, payload, ends - self._loop.time())
        try:
            async with asyncio.timeout(ANSWER_LIMIT_S):
                reason = await answer
        except TimeoutError:
            raise OutcomeUnknown(_BROKER, "TimeoutError") from None
        if reason is None:
            raise OutcomeUnknown(_BROKER, "lost before it was acknowledged")
        if reason.is_failure or reason.value == _NOBODY_LISTENS:
            raise NotSent(_BROKER, str(reason))

    def _send(self, topic: str, payload: bytes, expires_in_s: float) -> asyncio.Future[ReasonCode | None]:
        if self.lost.done() or expires_in_s <= 0:
            self._window.release()
            raise NotSent(_BROKER, "offline" if self.lost.done() else "expired")
        properties = _properties(PacketTypes.PUBLISH)
        # Whole seconds; a command that has less left says itself when it ends.
        properties.MessageExpiryInterval = max(1, int(expires_in_s))
        sent = self._client.publish(topic, payload, qos=1, properties=properties)
        if sent.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._window.release()
            raise NotSent(_BROKER, sent.rc.name)
        answer = self._unanswered[sent.mid] = self._loop.create_future()
        return answer

    def close(self) -> None:
        """Take leave as far as that can be done at once, and be gone."""
        with suppress(Exception):  # leaving is a courtesy
            self._client.disconnect()
            self._client.loop_write()
        if (sock := self._client.socket()) is not None:
            self._loop.remove_reader(sock)
            self._loop.remove_writer(sock)
            sock.close()
        self._end("closed")

    def _end(self, reason: str) -> None:
        if self.lost.done():
            return
        self.lost.set_result(reason)
        # Whoever waits for a turn finds the line gone, and lets the next find it.
        self._window.release()
        if self._minding is not None:
            self._minding.cancel()
        # Any: each waits for something else.
        waiters: list[asyncio.Future[Any]] = [self._accepted, self._subscribed, *self._unanswered.values()]
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    # Callbacks, with the parameters the library gives them.

    def _on_want_write(self, _: Client, __: object, sock: SocketLike) -> None:
        self._loop.add_writer(sock, self._guarded, self._client.loop_write)

    def _on_written(self, _: Client, __: object, sock: SocketLike) -> None:
        self._loop.remove_writer(sock)

    def _on_close(self, _: Client, __: object, sock: SocketLike) -> None:
        self._loop.remove_reader(sock)

    def _on_connect(
        self, _: Client, __: object, flags: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if not reason.is_failure:
            self._tell_accepted(flags.session_present)
        if not self._accepted.done():
            accepted = properties or _properties(PacketTypes.CONNACK)
            self._accepted.set_result(Refused(str(reason)) if reason.is_failure else accepted)

    def _on_disconnect(
        self, _: Client, __: object, ___: DisconnectFlags, reason: ReasonCode, ____: Properties | None
    ) -> None:
        self._end(str(reason))

    def _on_subscribe(
        self, _: Client, __: object, ___: int, codes: list[ReasonCode], ____: Properties | None
    ) -> None:
        if not self._subscribed.done():
            self._subscribed.set_result(codes)

    def _on_publish(self, _: Client, __: object, mid: int, reason: ReasonCode, ___: Properties) -> None:
        self._window.release()
        answer = self._unanswered.pop(mid, None)
        if answer is not None and not answer.done():
            answer.set_result(reason)

    def _on_message(self, _: Client, __: object, message: MQTTMessage) -> None:
        self._arrived += 1
        self._received(message, Receipt(self._client, message.mid, message.qos))


def _pending(sock: object) -> bool:
    return isinstance(sock, ssl.SSLSocket) and sock.fileno() >= 0 and sock.pending() > 0


def _properties(packet: int) -> Properties:
    return Properties(packet)  # type: ignore[no-untyped-call]  # the library types no constructor of it
