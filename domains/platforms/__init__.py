"""The platforms this installation calls (微信、支付宝、阿里云): the way to each, and nothing of what is said."""

from __future__ import annotations

from dataclasses import dataclass

from domains.kernel.slots import Slot
from domains.platforms.alipay import Alipay
from domains.platforms.aliyun import Aliyun
from domains.platforms.wechat import WeChat
from domains.platforms.wechatpay import WeChatPay


@dataclass(frozen=True, slots=True)
class Transports:
    """The way to each platform; None where it is not set up. SMS and voice are one account's."""

    wechat: WeChat | None = None
    alipay: Alipay | None = None
    sms: Aliyun | None = None
    voice: Aliyun | None = None
    wechat_pay: WeChatPay | None = None


transports: Slot[Transports] = Slot("transports")
