"""The order of an examination: what needs nothing first, then settings, servers and what they hold."""

from __future__ import annotations

import asyncpg
from pydantic import ValidationError

from api.addresses import Addresses, servers
from api.cli.doctor import installation, journals, keyrings, outside, stores
from api.cli.doctor.findings import Finding, wrong
from api.servers.errors import ServersError
from api.settings import Settings, refused_settings
from api.wiring import APPS
from domains.kernel import database


async def examine() -> list[Finding]:
    """Everything that can be said; what needs a part that is broken is left out."""
    found = list(installation.of_program())
    try:
        settings = Settings()
    except ValidationError as error:
        return found + [
            wrong("配置", line, "请修改环境变量后重试,各项说明见 docs/operators.md")
            for line in refused_settings(error)
        ]
    found += installation.of_place(settings)
    found += keyrings.examine(settings)
    try:
        async with servers(settings, platform=settings.profile == "embedded") as addresses:
            found += await _of_servers(settings, addresses)
    except ServersError as error:
        found.append(wrong("私有服务", str(error), "处理后重新运行 linli doctor"))
    return found


async def _of_servers(settings: Settings, addresses: Addresses) -> list[Finding]:
    found = await stores.of_database(settings, addresses)
    reached = not any(each.check == "数据库" and each.state == "problem" for each in found)
    found += await stores.of_cache(settings, addresses)
    found += await outside.examine(settings, addresses)
    if reached:
        found += await _of_rows(settings, addresses)
    return found


async def _of_rows(settings: Settings, addresses: Addresses) -> list[Finding]:
    try:
        async with database.connected(addresses.app_url, APPS, pool_size=2):
            return await journals.examine(settings)
    except (asyncpg.PostgresError, OSError) as error:
        text = f"读取数据时出错({type(error).__name__})"
        return [wrong("数据库结构", text, "数据库与程序的版本不一致或权限不全,请运行 linli migrate")]
