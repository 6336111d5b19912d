"""A client that costs little itself: one connection kept open, JSON in and out."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Mapping
from typing import Any

import orjson

from tests.bench.paired import Side

IDLE_S = 2.0
"""The server closes a connection that is idle for five seconds."""

Json = Any  # a bench asserts on what it reads


class Caller:
    """Somebody who calls a server on a port of this machine."""

    def __init__(self, port: int, token: str = "") -> None:
        self.port, self.token = port, token
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self._used_at = 0.0

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> http.client.HTTPResponse:
        """The response, its body not read yet."""
        held = {"authorization": f"Bearer {self.token}"} if self.token else {}
        if body is not None:
            held["content-type"] = "application/json"
        if time.monotonic() - self._used_at > IDLE_S:
            self._connection.close()  # it opens again by itself
        self._connection.request(method, path, body, {**held, **(headers or {})})
        response = self._connection.getresponse()
        self._used_at = time.monotonic()
        return response

    def get(self, path: str) -> Json:
        """The JSON of a GET."""
        return _checked(self.request("GET", path))

    def post(self, path: str, body: object = None, **headers: str) -> Json:
        """The JSON of a POST; anything but 200 fails."""
        return _checked(self.request("POST", path, orjson.dumps(body), headers))

    def ask(self, document: str, headers: Mapping[str, str] | None = None, **variables: object) -> Json:
        """The data of an operation without errors."""
        body = orjson.dumps({"query": document, "variables": variables})
        answer = _checked(self.request("POST", "/graphql", body, headers))
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    def statements(self, document: str, **variables: object) -> int:
        """Statements of one request, from token to answer, counted by the server. It is the second one:
        once a minute a request also writes that the session is used."""
        self.ask(document, None, **variables)
        body = orjson.dumps({"query": document, "variables": variables})
        response = self.request("POST", "/graphql", body, {"x-bench-count": "1"})
        assert "errors" not in _checked(response)
        return int(response.headers["x-statements"])

    def side(self, path: str, body: object) -> Side:
        """The same request again and again; CPU is the server's."""
        text = orjson.dumps(body)

        async def work() -> None:
            response = self.request("POST", path, text)
            answer = response.read()
            assert response.status == 200 and b'"errors"' not in answer[:20], answer[:300]

        return Side(work, self.server_cpu)

    async def server_cpu(self) -> float:
        """CPU seconds of the bench server, to the microsecond."""
        return float(self.get("/bench/cpu"))


def _checked(response: http.client.HTTPResponse) -> Json:
    text = response.read()
    assert response.status == 200, (response.status, text[:2000])
    return orjson.loads(text)


def per_second(
    port: int, token: str, path: str, body: object, *, seconds: float = 0.7, callers: int = 6
) -> float:
    """Requests a second with so many callers at once."""
    text, ends, counts = orjson.dumps(body), time.monotonic() + seconds, [0] * callers

    def call(number: int) -> None:
        caller = Caller(port, token)
        while time.monotonic() < ends:
            response = caller.request("POST", path, text)
            response.read()
            assert response.status == 200
            counts[number] += 1

    threads = [threading.Thread(target=call, args=(number,)) for number in range(callers)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - started)
