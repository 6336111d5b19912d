"""Addresses that people typed: what must not be reached with them is not, by whatever name it goes."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpcore
import pytest

from api.keys import MADE
from domains.kernel import database
from domains.platforms.calling import NotSent, OutcomeUnknown
from notifications.channels.outside import Outside, PrivateAddress, is_callable, is_public
from notifications.channels.port import Aftermath, Refused
from notifications.channels.senders import senders
from notifications.channels.webhook import WebhookSender, new_secret
from notifications.channels.webpush import Vapid, WebPushSender
from notifications.kinds import Channel
from notifications.push_subscriptions import vapid_public_key
from tests.factories.parcels import parcel

PRIVATE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.100.100.200", "0.0.0.0",
    "224.0.0.1", "255.255.255.255", "198.18.0.1", "::", "::1", "fe80::1%eth0", "fc00::1", "fec0::1", "ff02::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "2002:7f00:1::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "64:ff9b::7f00:1", "64:ff9b:1::1", "2001:db8::1",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_in_any_disguise(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "47.95.1.1", "2400:3200::1", "2606:4700:4700::1111"])
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.cn/a?b=c", "https://hooks.example.cn:8443/", "https://1.1.1.1/x", "https://例子.中国/",
    ],
)  # fmt: skip
def test_addresses_that_look_callable(url: str) -> None:
    assert is_callable(url, reaches_private=False)
    assert is_callable(url, reaches_private=True)


@pytest.mark.parametrize(
    "url",
    [
        "", "hooks.example.cn", "http://hooks.example.cn/", "ftp://hooks.example.cn/", "https://", "https:///x",
        "https://user:pw@hooks.example.cn/", "https://user@hooks.example.cn/", "https://hooks.example.cn/#x",
        "https://localhost/", "http://localhost/", "https://intranet/", "https://127.0.0.1/", "https://10.0.0.1/",
        "https://2130706433/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://hooks.example.cn:x/",
        "https://hooks.example.cn/\n", "https://hooks.example.cn:99999/", "javascript:alert(1)", "https://a b.cn/",
    ],
)  # fmt: skip
def test_addresses_that_nobody_may_register(url: str) -> None:
    assert not is_callable(url, reaches_private=False)


@pytest.mark.parametrize(
    "url", ["http://localhost:8080/x", "http://127.0.0.1/", "http://[::1]:3/", "https://intranet/"]
)
def test_an_embedded_installation_reaches_this_machine(url: str) -> None:
    assert is_callable(url, reaches_private=True)
    assert not is_callable("http://192.168.1.1/", reaches_private=True)


@asynccontextmanager
async def listening(answer: bytes, *, then: float = 0.0) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A server on this machine that answers with these bytes, and what it was sent."""
    heard: list[bytes] = []
    serving: list[asyncio.Task[None] | None] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(asyncio.current_task())
        try:
            heard.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(answer)
            await asyncio.sleep(then)
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], heard
        await asyncio.sleep(0)
        for task in serving:
            if task is not None:
                task.cancel()
        await asyncio.gather(*filter(None, serving), return_exceptions=True)


@pytest.fixture
async def guarded() -> AsyncIterator[Outside]:
    calls = Outside(reaches_private=False)
    yield calls
    await calls.aclose()


@pytest.fixture
async def open_() -> AsyncIterator[Outside]:
    calls = Outside(reaches_private=True)
    yield calls
    await calls.aclose()


OK = b"HTTP/1.1 204 No Content\r\n\r\n"
Resolve = Callable[..., list[tuple[int, int, int, str, tuple[str, int]]]]


def resolving(*answers: list[str]) -> Resolve:
    """A resolver that answers so, one list after the other, the last of them for ever."""
    left = list(answers)

    def resolve(
        host: str, port: int, *_: object, **__: object
    ) -> list[tuple[int, int, int, str, tuple[str, int]]]:
        found = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    return resolve


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "2130706433", "0x7f000001", "127.1", "0"],
)  # fmt: skip
async def test_no_writing_of_this_machine_is_called(guarded: Outside, host: str) -> None:
    async with listening(OK) as (port, heard):
        # What the resolver does not take for an address at all is not called either.
        with pytest.raises((PrivateAddress, NotSent)):
            await guarded.post(f"http://{host}:{port}/", {}, b"{}")
    assert heard == []


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["1.1.1.1", "127.0.0.1"], ["10.0.0.5"]])
async def test_a_name_that_means_a_private_address_is_not_called(
    guarded: Outside, monkeypatch: pytest.MonkeyPatch, addresses: list[str]
) -> None:
    async with listening(OK) as (port, heard):
        monkeypatch.setattr(socket, "getaddrinfo", resolving(addresses))
        with pytest.raises(PrivateAddress):
            await guarded.post(f"http://hooks.example.cn:{port}/", {}, b"{}")
    assert heard == []


async def test_a_name_that_means_another_thing_the_next_time_gains_nothing(
    guarded: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: public when it is judged, private when it is connected to."""
    connected: list[str] = []
    monkeypatch.setattr(socket, "getaddrinfo", resolving(["1.1.1.1"], ["127.0.0.1"]))
    monkeypatch.setattr("httpcore.AnyIOBackend.connect_tcp", _refusing(connected))
    async with listening(OK) as (port, heard):
        with pytest.raises(NotSent):
            await guarded.post(f"http://hooks.example.cn:{port}/", {}, b"{}")
    assert (connected, heard) == (["1.1.1.1"], [])


def _refusing(connected: list[str]) -> Callable[..., object]:
    async def connect(_: object, host: str, *__: object, **___: object) -> None:
        connected.append(host)
        raise httpcore.ConnectError("not today")

    return connect


async def test_a_name_without_an_address_was_not_called(guarded: Outside) -> None:
    with pytest.raises(NotSent):
        await guarded.post("https://nobody.invalid/", {}, b"{}")


async def test_the_next_address_is_tried(open_: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(OK) as (port, heard):
        monkeypatch.setattr(socket, "getaddrinfo", resolving(["127.0.0.2", "127.0.0.1"]))
        answer = await open_.post(f"http://hooks.example.cn:{port}/a?b=c", {"X-One": "1"}, b"{}")
    assert answer.status == 204
    assert heard[0].startswith(b"POST /a?b=c HTTP/1.1\r\n")
    assert f"host: hooks.example.cn:{port}".encode() in heard[0].lower()


async def test_a_redirect_is_an_answer_and_not_followed(open_: Outside) -> None:
    async with listening(OK) as (other, unheard):
        moved = f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{other}/\r\nContent-Length: 0\r\n\r\n"
        async with listening(moved.encode()) as (port, _):
            answer = await open_.post(f"http://127.0.0.1:{port}/", {}, b"{}")
    assert (answer.status, unheard) == (302, [])


async def test_an_endless_answer_is_read_to_its_beginning_only(open_: Outside) -> None:
    endless = b"HTTP/1.1 400 Bad\r\nContent-Length: 99999999\r\n\r\n" + b"x" * 200_000
    async with listening(endless) as (port, _):
        answer = await open_.post(f"http://127.0.0.1:{port}/", {}, b"{}")
    assert (answer.status, answer.said) == (400, "x" * 2048)


async def test_a_body_that_never_comes_does_not_undo_the_status(open_: Outside) -> None:
    async with listening(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab", then=3.0) as (port, _):
        answer = await open_.post(f"http://127.0.0.1:{port}/", {}, b"{}")
    assert (answer.status, answer.said) == (200, "ab")


async def test_an_answer_that_is_none_leaves_it_open(open_: Outside) -> None:
    async with listening(b"SSH-2.0-OpenSSH\r\n\r\n") as (port, _):
        with pytest.raises(OutcomeUnknown):
            await open_.post(f"http://127.0.0.1:{port}/", {}, b"{}")


async def test_without_an_answer_in_time_it_is_left_open(open_: Outside) -> None:
    async with listening(b"", then=8.0) as (port, _):
        with pytest.raises(OutcomeUnknown):
            await open_.post(f"http://127.0.0.1:{port}/", {}, b"{}")


async def test_nobody_there_was_not_called(open_: Outside) -> None:
    with pytest.raises(NotSent):
        await open_.post("http://127.0.0.1:9/", {}, b"{}")


async def test_nothing_is_called_inside_a_transaction(instance: object, open_: Outside) -> None:
    async with database.transaction():
        with pytest.raises(AssertionError):
            await open_.post("http://127.0.0.1:9/", {}, b"{}")


async def test_what_the_channels_make_of_a_private_address(guarded: Outside) -> None:
    hook = await WebhookSender(guarded).send(parcel("https://127.0.0.1/", keys=new_secret()))
    assert hook == Refused("PRIVATE_ADDRESS")


async def test_a_push_endpoint_at_a_private_address_is_forgotten(reaching: object, guarded: Outside) -> None:
    keys = json.dumps({"p256dh": vapid_public_key(), "auth": "A" * 22})
    sender = WebPushSender(guarded, Vapid(MADE["vapid_key_pem"][1](), "mailto:a@b.cn"))
    outcome = await sender.send(parcel("https://169.254.169.254/latest", keys=keys))
    assert outcome == Refused("PRIVATE_ADDRESS", aftermath=Aftermath.DEAD_ADDRESS)
    assert Channel.WEB_PUSH in senders()
