"""The platforms residents sign in with, as this installation reaches them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from domains.identity.platforms.alipay import AlipaySignIn
from domains.identity.platforms.sms import SmsSignIn
from domains.identity.platforms.wechat import WeChatSignIn
from domains.kernel.errors import Unavailable
from domains.kernel.slots import Slot

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Platforms:
    """A way to sign in per platform; None where none is set up."""

    wechat: WeChatSignIn | None = None
    alipay: AlipaySignIn | None = None
    sms: SmsSignIn | None = None
    pages: Mapping[str, str] = field(default_factory=dict)
    """Name of a platform → the page on which a browser signs in with its account, where there is one."""


platforms: Slot[Platforms] = Slot("platforms")


def set_up(client: T | None) -> T:
    """The client. Raises Unavailable PLATFORM_NOT_SET_UP where there is none."""
    if client is None:
        raise Unavailable("PLATFORM_NOT_SET_UP", "这种登录方式尚未开通,请换一种方式登录")
    return client
