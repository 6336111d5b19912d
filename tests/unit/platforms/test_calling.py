"""What is known of a call that failed, over real connections; addresses with secrets are not shown."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

import httpx
import pytest

from domains.kernel import database
from domains.platforms.calling import NotSent, OutcomeUnknown, PlatformFailure, fields_of, pool, send


class Platform:
    """A server that takes a request, notes it, and goes on as the test says."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []
        self.goes_on: bytes | None = b""
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """None stands for silence, and b"" for a connection that is cut."""
        self.seen.append(await reader.readuntil(b"\r\n\r\n"))
        if self.goes_on is None:
            await reader.read()
        else:
            writer.write(self.goes_on)
        writer.close()


@pytest.fixture
async def platform() -> AsyncIterator[Platform]:
    """A platform on a port of its own."""
    made = Platform()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with server:
        yield made


async def ask(url: str, http: httpx.AsyncClient | None = None) -> httpx.Response:
    async with http or pool() as client:
        return await send(client, "test", client.build_request("GET", f"{url}?secret=s3cret"))


async def test_an_answer_is_given_back_whatever_its_status(platform: Platform) -> None:
    platform.goes_on = b"HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\n{}"
    answer = await ask(platform.url)
    assert (answer.status_code, answer.content) == (503, b"{}")


async def test_where_nobody_listens_nothing_was_sent() -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    with pytest.raises(NotSent):
        await ask(f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize(
    "cut", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", b"220 mail ready\r\n"]
)
async def test_after_a_cut_the_outcome_is_unknown_and_nothing_is_sent_again(
    platform: Platform, cut: bytes
) -> None:
    platform.goes_on = cut
    with pytest.raises(OutcomeUnknown):
        await ask(platform.url)
    assert len(platform.seen) == 1


async def test_silence_is_an_unknown_outcome(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("domains.platforms.calling.PATIENCE_S", 0.1)
    platform.goes_on = None
    with pytest.raises(OutcomeUnknown):
        await ask(platform.url)
    assert len(platform.seen) == 1


async def test_a_request_that_waited_for_its_turn_in_vain_was_not_sent(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("domains.platforms.calling.PATIENCE_S", 0.2)
    platform.goes_on = None
    async with httpx.AsyncClient(limits=httpx.Limits(max_connections=1), trust_env=False) as http:
        requests = [http.build_request("POST", platform.url) for _ in range(2)]
        first, second = await asyncio.gather(
            *(send(http, "test", request) for request in requests), return_exceptions=True
        )
    assert isinstance(first, OutcomeUnknown)
    assert isinstance(second, NotSent)
    assert len(platform.seen) == 1


async def test_the_clients_own_deadlines_tell_the_same(platform: Platform) -> None:
    platform.goes_on = None
    one, patience = httpx.Limits(max_connections=1), httpx.Timeout(5, read=0.3, pool=0.05)
    async with httpx.AsyncClient(limits=one, timeout=patience, trust_env=False) as http:
        requests = [http.build_request("POST", platform.url) for _ in range(2)]
        first, second = await asyncio.gather(
            *(send(http, "test", request) for request in requests), return_exceptions=True
        )
    assert (str(first), type(first)) == ("test: ReadTimeout", OutcomeUnknown)
    assert (str(second), type(second)) == ("test: PoolTimeout", NotSent)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [(429, b"Too Many Requests", NotSent), (500, b"oops", OutcomeUnknown), (200, b"[]", OutcomeUnknown)],
)
def test_what_is_no_answer_says_whether_it_may_be_sent_again(
    status: int, body: bytes, kind: type[PlatformFailure]
) -> None:
    with pytest.raises(kind) as failure:
        fields_of("test", httpx.Response(status, content=body))
    assert failure.value.reason == f"http {status}"


@pytest.mark.usefixtures("instance")
async def test_nothing_is_called_inside_a_transaction(platform: Platform) -> None:
    async with database.transaction():
        with pytest.raises(AssertionError, match="inside a transaction"):
            await ask(platform.url)
    assert platform.seen == []


async def test_a_failure_does_not_show_the_address(platform: Platform) -> None:
    with pytest.raises(PlatformFailure) as failure:
        await ask(platform.url)
    assert "s3cret" not in f"{failure.value} {failure.value.reason} {failure.value!r}"
    assert failure.value.__suppress_context__


async def test_addresses_with_secrets_in_them_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    async with pool() as http:
        caplog.set_level(logging.INFO)
        assert not logging.getLogger("httpx").isEnabledFor(logging.INFO)
        assert http.timeout.connect == 2.0
