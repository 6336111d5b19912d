"""What is signed is what stands on the wire, whichever parser of the server reads it."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import orjson
import pytest
import redis

from api.devices import signed
from tests.api.devices.gatehouse import Gatehouse, listening
from tests.api.devices.signing import DeviceSigner
from tests.api.subscriptions.processes import PrivateValkey


@dataclass
class Line:
    """A device that writes its requests itself."""

    port: int
    house: Gatehouse
    signer: DeviceSigner

    def send(self, raw: bytes) -> http.client.HTTPResponse:
        with socket.create_connection(("127.0.0.1", self.port), 15) as connection:
            connection.sendall(raw)
            response = http.client.HTTPResponse(connection)
            response.begin()
            self.told = response.read()
        return response

    def request(self, target: str, body: bytes = b"", *, signed_as: str | None = None) -> int:
        headers = self.signer.headers("POST", signed_as or target, body)
        return self.send(self.lines(target, headers, f"Content-Length: {len(body)}") + body).status

    @staticmethod
    def lines(target: str, headers: dict[str, str], *more: str) -> bytes:
        named = [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([f"POST {target} HTTP/1.1", "Host: linli", *named, *more, "", ""]).encode()

    @property
    def code(self) -> str:
        return str(orjson.loads(self.told)["code"])


@pytest.fixture(scope="module")
def valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = PrivateValkey(tmp_path_factory.mktemp("valkey"))
    server.start()
    with redis.Redis.from_url(server.url) as client:
        for _ in range(500):
            try:
                client.ping()
                break
            except redis.ConnectionError:
                time.sleep(0.02)
    yield server.url
    server.kill()


@pytest.fixture(scope="module", params=["h11", "httptools"])
def line(valkey_url: str, request: pytest.FixtureRequest) -> Iterator[Line]:
    house, signer = Gatehouse(valkey_url), DeviceSigner()
    house.register(signer)
    with listening(house.application(), request.param) as port:
        yield Line(port, house, signer)


@pytest.mark.parametrize(
    "target",
    [
        "/device/v1/a%2Fb",
        "/device/v1/a%2fb",
        "/device/v1/a%252Fb",
        "/device/v1/%E8%AE%BE%E5%A4%87",
        "/device/v1//a/../b;c=d",
        "/device/v1/a?",
        "/device/v1/a?b=1&a=2&b=3",
        "/device/v1/a?q=%26+%2B&?",
    ],
)
def test_the_path_is_signed_as_it_was_sent(line: Line, target: str) -> None:
    assert line.request(target, b"{}") == 200


@pytest.mark.parametrize(
    ("sent", "signed_as"),
    [
        ("/device/v1/a%2Fb", "/device/v1/a/b"),
        ("/device/v1/a/b", "/device/v1/a%2Fb"),
        ("/device/v1/a%2Fb", "/device/v1/a%2fb"),
        ("/device/v1/%61", "/device/v1/a"),
        ("/device/v1/a?b=1&a=2", "/device/v1/a?a=2&b=1"),
        ("/device/v1/a?q=%2B", "/device/v1/a?q=+"),
    ],
)
def test_what_means_the_same_is_not_the_same(line: Line, sent: str, signed_as: str) -> None:
    before = len(line.house.calls)
    assert (line.request(sent, signed_as=signed_as), line.code) == (401, "SIGNATURE_WRONG")
    assert len(line.house.calls) == before


def test_a_handler_sees_the_decoded_path(line: Line) -> None:
    assert line.request("/device/v1/a%2Fb") == 200
    assert line.house.calls[-1].path == {"rest": "a/b"}


def test_names_of_headers_have_no_case(line: Line) -> None:
    for change in (str.upper, str.lower, str.swapcase):
        headers = {change(k): v for k, v in line.signer.headers("POST", "/device/v1/a").items()}
        assert line.send(line.lines("/device/v1/a", headers, "Content-Length: 0")).status == 200


def test_a_device_with_a_wrong_clock_learns_the_time_with_the_refusal(line: Line) -> None:
    headers = line.signer.headers("POST", "/device/v1/a", created=1_000_000_000)
    answer = line.send(line.lines("/device/v1/a", headers, "Content-Length: 0"))
    assert (answer.status, line.code) == (401, "SIGNATURE_STALE")
    [date] = answer.headers.get_all("Date") or []
    now = int(parsedate_to_datetime(date).timestamp())
    assert abs(now - time.time()) < 5
    headers = line.signer.headers("POST", "/device/v1/a", created=now)
    assert line.send(line.lines("/device/v1/a", headers, "Content-Length: 0")).status == 200


def test_too_much_is_refused_before_it_is_sent(line: Line) -> None:
    headers = line.signer.headers("POST", "/device/v1/a")
    answer = line.send(line.lines("/device/v1/a", headers, "Content-Length: 10000000000"))
    assert (answer.status, line.code, answer.headers["connection"]) == (413, "PAYLOAD_TOO_LARGE", "close")


def test_too_much_in_chunks_is_refused_where_it_gets_too_much(line: Line) -> None:
    headers = line.signer.headers("POST", "/device/v1/a")
    chunk = b"10000\r\n" + bytes(0x10000) + b"\r\n"
    raw = line.lines("/device/v1/a", headers, "Transfer-Encoding: chunked") + chunk + b"1\r\nx\r\n"
    answer = line.send(raw)
    assert (answer.status, line.code) == (413, "PAYLOAD_TOO_LARGE")


def test_a_body_that_never_ends_is_not_waited_for(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signed, "BODY_LIMIT_S", 0.2)
    headers = line.signer.headers("POST", "/device/v1/a", b"{}")
    answer = line.send(line.lines("/device/v1/a", headers, "Content-Length: 2") + b"{")
    assert (answer.status, line.code) == (408, "BODY_TOO_SLOW")


def test_a_device_that_hangs_up_in_the_middle_harms_nobody(line: Line) -> None:
    before = len(line.house.calls)
    headers = line.signer.headers("POST", "/device/v1/a", b"{}")
    with socket.create_connection(("127.0.0.1", line.port), 5) as connection:
        connection.sendall(line.lines("/device/v1/a", headers, "Content-Length: 2") + b"{")
    assert line.request("/device/v1/a", b"{}") == 200
    assert len(line.house.calls) == before + 1


def test_truncated_bodies_and_binary_rubbish_reach_no_handler(line: Line) -> None:
    before = len(line.house.calls)
    headers = line.signer.headers("POST", "/device/v1/a", b"{}")
    assert line.send(line.lines("/device/v1/a", headers, "Content-Length: 1") + b"{").status == 401
    for value in ("\x80\xff" * 40, "sig1=:" + "é" * 86 + "==:"):
        raw = line.lines("/device/v1/a", headers | {"Signature": "@"}, "Content-Length: 2")
        answer = line.send(raw.replace(b"@\r\n", value.encode("latin-1") + b"\r\n") + b"{}")
        assert (answer.status, line.code) == (401, "SIGNATURE_MALFORMED")
    assert len(line.house.calls) == before
