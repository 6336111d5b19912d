"""A subscription on an open socket, as the mini-program keeps one: graphql-transport-ws."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.journeys.client import Client

PATIENCE_S = 15.0


class Listening:
    """What comes for one subscription. JSON is Any: a journey asserts on what it reads."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    def next(self) -> Any:
        """The data of the next event."""
        return self._data(self._connection.recv(PATIENCE_S))

    def is_silent(self, seconds: float) -> bool:
        """Whether nothing more comes for so long."""
        try:
            self._connection.recv(seconds)
        except TimeoutError:
            return True
        return False

    def _data(self, text: str | bytes) -> Any:
        message = json.loads(text)
        assert message["type"] == "next" and "errors" not in message["payload"], message
        return message["payload"]["data"]


@contextmanager
def listening(client: Client, query: str, **variables: object) -> Iterator[Listening]:
    """The subscription, begun: from now on nothing is missed."""
    address = client.url.replace("http", "ws", 1) + "/graphql"
    with connect(address, subprotocols=[Subprotocol("graphql-transport-ws")]) as connection:
        payload = {"authorization": f"Bearer {client.token}"}
        connection.send(json.dumps({"type": "connection_init", "payload": payload}))
        assert json.loads(connection.recv(PATIENCE_S))["type"] == "connection_ack"
        asked = {"query": query, "variables": variables}
        connection.send(json.dumps({"id": "1", "type": "subscribe", "payload": asked}))
        yield Listening(connection)
