"""The line to the broker (链路): one connection of a process, made again for as long as it takes."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from types import TracebackType
from typing import Self
from uuid import UUID

import structlog

from domains.devices.link import address
from domains.devices.link.connection import Connection, Refused, Session
from domains.devices.link.consumer import Consumer
from domains.devices.link.message import topic
from domains.kernel.database import open_transaction
from domains.platforms.calling import NotSent, OutcomeUnknown

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.25, 30.0
_LASTING_S = 10.0
"""A connection that lived so long was a good one, and its loss says nothing of the next."""

log = structlog.get_logger(__name__)


class Link:
    """For as long as the block runs it is connected or about to be; `online` says which. Starting waits for
    nothing: without a broker `publish` raises NotSent.

    `url` as in `address`; `client_id` is this process's own at the broker, and of two with the same id the
    later one pushes the other out. `counts`: connected, lost, published, not_sent, unknown.
    """

    def __init__(self, url: str, client_id: str, consumer: Consumer | None = None) -> None:
        self._address = address.parse(url)
        self._consumer = consumer if consumer is not None else Consumer({})
        self._session = Session(client_id, self._consumer.kept_s)
        self._connection: Connection | None = None
        self._task: asyncio.Task[None] | None = None
        self.online = asyncio.Event()
        self.counts: Counter[str] = Counter()

    async def __aenter__(self) -> Self:
        self._consumer.start()
        self._task = asyncio.create_task(self._keep())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The line outlives the handlers, so that the broker hears of what they finish.
        await self._consumer.stop()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def publish(self, device_id: UUID, suffix: str, payload: bytes, *, expires_in_s: float) -> None:
        """To one device, at QoS 1, never retained; the broker drops it after that many seconds. Returns when
        the broker has it for somebody who listens. Raises NotSent when the device certainly does not get it
        (no line, nobody listens, the broker refuses), OutcomeUnknown when no answer came in time."""
        assert open_transaction() is None, "nothing outside is called inside a transaction"
        try:
            if self._connection is None:
                raise NotSent("mqtt", "offline")
            await self._connection.publish(topic(device_id, suffix), payload, expires_in_s=expires_in_s)
        except (NotSent, OutcomeUnknown) as failure:
            self.counts["not_sent" if isinstance(failure, NotSent) else "unknown"] += 1
            raise
        self.counts["published"] += 1

    async def _keep(self) -> None:
        loop, attempt = asyncio.get_running_loop(), 0
        while True:
            began = loop.time()
            reason = await self._once()
            self.counts["lost"] += 1
            attempt = 0 if loop.time() - began > _LASTING_S else attempt + 1
            pause = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** min(attempt, 10)) * random.uniform(0.5, 1)  # noqa: S311 (spreads, hides nothing)
            log.warning("mqtt.lost", reason=reason, again_in_s=round(pause, 2))
            await asyncio.sleep(pause)

    async def _once(self) -> str:
        """One connection from its making to its end; why it ended."""
        connection: Connection | None = None
        try:
            connection = Connection(
                self._address,
                self._session,
                received=self._consumer.received,
                accepted=self._consumer.accepted,
            )
            await connection.open()
            await connection.subscribe(self._consumer.topics)
            self._connection = connection
            self.counts["connected"] += 1
            self.online.set()
            log.info("mqtt.connected")
            return await asyncio.shield(connection.lost)
        except Refused as error:
            return str(error)
        except Exception as error:  # whatever it was: the next attempt may find it gone
            return type(error).__qualname__
        finally:
            self._connection = None
            self.online.clear()
            if connection is not None:
                connection.close()
