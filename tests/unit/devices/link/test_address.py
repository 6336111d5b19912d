"""Addresses of brokers."""

from __future__ import annotations

import pytest

from domains.devices.link.address import Address, parse


def test_an_address_names_scheme_account_and_port() -> None:
    assert parse("mqtt://linli:p%40ss@broker.test:1999/") == Address(
        "broker.test", 1999, False, "linli", "p@ss"
    )
    assert parse("mqtts://broker.test") == Address("broker.test", 8883, True)
    assert parse("mqtt://[::1]") == Address("::1", 1883, False)
    assert "p@ss" not in repr(parse("mqtt://linli:p%40ss@broker.test"))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "broker.test",
        "http://u:s3cret@b",
        "mqtt://",
        "mqtt://u:s3cret@b:port",
        "mqtt://b/x",
        "mqtt://b?x",
        "mqtt://[b",
    ],
)
def test_another_is_refused_without_being_quoted(url: str) -> None:
    with pytest.raises(ValueError, match="mqtt://用户:密码@主机:端口") as refused:
        parse(url)
    assert "s3cret" not in str(refused.value)
