"""What lies outside: the platforms of sign-in and payment, and the documents that clients were built with."""

from __future__ import annotations

import asyncio

import httpx

from api.addresses import Addresses
from api.cli.doctor.findings import Finding, doubtful, fine, wrong
from api.graphql.documents import TrustedDocuments
from api.settings import WECHAT_PAY, Settings, env_name

PATIENCE_S = 4.0
_SIGN_IN = "住户不能用这种方式登录;需要时请配置平台参数"
_PAY = "住户不能用微信支付;需要时请配置微信支付的各项参数"


async def examine(settings: Settings, addresses: Addresses) -> list[Finding]:
    """Any answer over HTTP will do: whether a platform accepts our keys shows at the first sign-in."""
    platforms = {
        "微信": ("wechat_url", bool(settings.wechat_app_id and settings.wechat_secret), _SIGN_IN),
        "微信支付": ("wechat_pay_url", all(getattr(settings, name) for name in WECHAT_PAY), _PAY),
        "支付宝": ("alipay_url", bool(settings.alipay_app_id and settings.alipay_public_key_pem), _SIGN_IN),
        "短信": ("sms_url", bool(settings.sms_access_key_id and settings.sms_access_key_secret), _SIGN_IN),
    }
    async with httpx.AsyncClient(timeout=PATIENCE_S, trust_env=False) as http:
        checks = [
            _platform(http, title, str(getattr(settings, field)), env_name(field))
            if is_real
            else _stand_in(http, title, addresses.platform_url, missing)
            for title, (field, is_real, missing) in platforms.items()
        ]
        return [*await asyncio.gather(*checks), *_documents(settings)]


async def _platform(http: httpx.AsyncClient, title: str, url: str, variable: str) -> Finding:
    if await _answers(http, url):
        return fine(f"{title}平台", url)
    return wrong(f"{title}平台", f"{url} 没有响应", f"请检查 {variable}、本机的 DNS 和出口防火墙")


async def _stand_in(http: httpx.AsyncClient, title: str, url: str, missing: str) -> Finding:
    if not url:
        return doubtful(f"{title}平台", "未配置", missing)
    if await _answers(http, url):
        return fine(f"{title}平台", f"本地模拟平台 {url}")
    return wrong(f"{title}平台", f"本地模拟平台 {url} 没有响应", "请查看 .linli/log/platform.log")


async def _answers(http: httpx.AsyncClient, url: str) -> bool:
    try:
        await http.get(url)
    except httpx.HTTPError:
        return False
    return True


def _documents(settings: Settings) -> list[Finding]:
    path = settings.trusted_documents
    if path is None:
        return []
    try:
        count = len(TrustedDocuments.read(path).texts)
    except (OSError, ValueError, AttributeError):
        return [wrong("登记的查询", f"{path} 不是有效的登记文件", "请用客户端构建时生成的文件替换")]
    return [fine("登记的查询", f"{count} 条")]
