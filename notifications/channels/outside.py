"""Calling addresses that people typed (外部地址): push services of browsers, other companies' webhooks.

Whoever may type an address must not reach with it what only this machine reaches. What counts is the
address that is connected to, not what a name meant a moment before.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv6Address, IPv6Network, ip_address

import httpcore
import httpx

from domains.kernel.database import open_transaction
from domains.kernel.slots import Slot
from domains.platforms.calling import PATIENCE_S, Departure, NotSent, OutcomeUnknown

_GLOBAL_UNICAST = IPv6Network("2000::/3")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_TIMEOUTS_S = {"connect": 2.0, "pool": 2.0, "read": 4.0, "write": 4.0}
_MOST_ADDRESSES = 3
# More than the couriers of a process have in flight: who hangs keeps nobody else waiting.
_MOST_CONNECTIONS = 200
_MOST_LOOKUPS = 16
_MOST_READ, _READING_S = 2048, 1.0


class PrivateAddress(Exception):
    """The name means a machine of a private network: it is not called."""


@dataclass(frozen=True, slots=True)
class Answered:
    """Status, headers in lower case, and the beginning of the body."""

    status: int
    headers: Mapping[str, str]
    said: str


def is_public(address: str) -> bool:
    """Whether an IP address belongs to nobody's private network, in any of its disguises: an IPv4 address
    inside of an IPv6 one (mapped, 6to4, Teredo, NAT64) is judged as private."""
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address) and (ip not in _GLOBAL_UNICAST or ip.sixtofour or ip.teredo):
        return False
    return ip.is_global and not ip.is_multicast


def is_callable(url: str, *, reaches_private: bool) -> bool:
    """Whether an address looks like one that may be called: https to a full name, or http to this machine
    where that is reached; no credentials in it. What the name means shows when it is called."""
    try:
        parts = httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        return False
    if parts.userinfo or parts.fragment or not parts.host or " " in url or not url.isprintable():
        return False
    if parts.port is not None and not 0 < parts.port < 65_536:
        return False
    if reaches_private:
        return parts.scheme == "https" or (parts.scheme == "http" and parts.host in _LOOPBACK)
    return parts.scheme == "https" and "." in parts.host and _is_no_private_literal(parts.host)


def _is_no_private_literal(host: str) -> bool:
    try:
        return is_public(host)
    except ValueError:
        return True


class _Guarded(httpcore.AsyncNetworkBackend):
    """Connects to the very addresses that it has judged."""

    def __init__(self, *, reaches_private: bool) -> None:
        self._inner = httpcore.AnyIOBackend()
        self._reaches_private = reaches_private
        # A name that people typed may take the resolver for ever: it does not occupy the threads in which
        # the names of the platforms are looked up.
        self._lookups = ThreadPoolExecutor(_MOST_LOOKUPS, "outside")

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # the backend's own signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        failure: Exception = httpcore.ConnectError("the name has no address")
        for address in await self._addresses(host, port):
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def _addresses(self, host: str, port: int) -> list[str]:
        try:
            found = await asyncio.get_running_loop().run_in_executor(
                self._lookups, partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
            )
        except (OSError, UnicodeError) as error:  # the latter for what is no name at all
            raise httpcore.ConnectError(type(error).__name__) from None
        addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
        if not self._reaches_private and not all(map(is_public, addresses)):
            raise PrivateAddress(host)
        return addresses[:_MOST_ADDRESSES]

    def close(self) -> None:
        """Look nothing up any more."""
        self._lookups.shutdown(wait=False, cancel_futures=True)


class Outside:
    """The way to addresses that people typed: a pool of its own, beside that of the platforms.

    `reaches_private`: whether it may call this machine and its network, as an embedded installation does.
    """

    def __init__(self, *, reaches_private: bool) -> None:
        self.reaches_private = reaches_private
        self._network = _Guarded(reaches_private=reaches_private)
        self._pool = httpcore.AsyncConnectionPool(
            max_connections=_MOST_CONNECTIONS, max_keepalive_connections=10, keepalive_expiry=5.0,
            network_backend=self._network,
        )  # fmt: skip

    async def post(self, url: str, headers: Mapping[str, str], content: bytes) -> Answered:
        """The answer, whatever its status; redirects are not followed.

        Raises PrivateAddress, NotSent, or OutcomeUnknown without an answer in time.
        """
        assert open_transaction() is None, "nothing outside is called inside a transaction"
        departure = Departure()
        # A client's own words may quote the address, and the address may be the secret.
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await self._posted(url, headers, content, departure)
        except (httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.PoolTimeout) as error:
            raise NotSent("outside", type(error).__name__) from None
        except TimeoutError:
            raise (OutcomeUnknown if departure.begun else NotSent)("outside", "TimeoutError") from None
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as error:
            raise OutcomeUnknown("outside", type(error).__name__) from None

    async def _posted(
        self, url: str, headers: Mapping[str, str], content: bytes, departure: Departure
    ) -> Answered:
        parts = httpx.URL(url)
        address = httpcore.URL(
            scheme=parts.raw_scheme, host=parts.raw_host, port=parts.port, target=parts.raw_path
        )
        extensions = {"timeout": _TIMEOUTS_S, "trace": departure}
        async with self._pool.stream(
            "POST", address, headers=[*headers.items()], content=content, extensions=extensions
        ) as response:
            said = await _beginning(response)
        fields = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
        return Answered(response.status, fields, said)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._pool.aclose()
        self._network.close()


async def _beginning(response: httpcore.Response) -> str:
    """No more of an answer than a log can use, nor for long: whoever answers may go on for ever, and what
    counts has been said by the status."""
    found = bytearray()
    with suppress(TimeoutError, httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
        async with asyncio.timeout(_READING_S):
            async for chunk in response.aiter_stream():
                found += chunk
                if len(found) >= _MOST_READ:
                    break
    return found[:_MOST_READ].decode("utf-8", "replace")


outside: Slot[Outside] = Slot("the way outside")
