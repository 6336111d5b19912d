"""Where the broker is (消息服务器地址): `mqtt://user:password@host:port`, or `mqtts://` for TLS."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

_PORTS = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True, slots=True)
class Address:
    """A broker's address and the account we have there."""

    host: str
    port: int
    tls: bool
    user: str | None = None
    password: str | None = field(default=None, repr=False)


def parse(url: str) -> Address:
    """Raises ValueError, which does not quote the address: it holds a password."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError):
        raise ValueError("消息服务器地址应为 mqtt://用户:密码@主机:端口 或 mqtts://…") from None
    if not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("消息服务器地址应为 mqtt://用户:密码@主机:端口 或 mqtts://…")
    user, password = ((unquote(part) if part else None) for part in (parts.username, parts.password))
    return Address(parts.hostname, port, parts.scheme == "mqtts", user, password)
