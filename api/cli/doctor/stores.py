"""The database and the cache as servers: reachable, new enough, with roles that are confined."""

from __future__ import annotations

from datetime import UTC, datetime

import asyncpg

from api.addresses import Addresses
from api.cli.doctor.findings import Finding, doubtful, fine, wrong
from api.migrating import role_problems
from api.reaching import Unreachable, database_at, place, reach_cache
from api.settings import Settings

LEAST_POSTGRES = 15
"""Unique keys with NULLS NOT DISTINCT."""
LEAST_REDIS = (6, 2)
SKEW_WARNING_S, SKEW_PROBLEM_S = 2.0, 30.0


async def of_database(settings: Settings, addresses: Addresses) -> list[Finding]:
    """Reached as the application and as the owner."""
    found: list[Finding] = []
    for url, variable in ((addresses.app_url, "DATABASE_URL"), (addresses.owner_url, "DATABASE_OWNER_URL")):
        if variable == "DATABASE_OWNER_URL" and url == addresses.app_url:
            break
        try:
            async with database_at(url, variable) as connection:
                if variable == "DATABASE_URL":
                    found += await _as_application(settings, connection, place(url))
        except Unreachable as error:
            found.append(wrong("数据库", str(error), "修正后重新运行 linli doctor"))
    return found


async def _as_application(settings: Settings, connection: asyncpg.Connection, where: str) -> list[Finding]:
    return [
        _version(connection.get_server_version().major, where),
        await clock_skew(connection),
        *await _role(settings, connection),
    ]


def _version(major: int, where: str) -> Finding:
    if major < LEAST_POSTGRES:
        return wrong(
            "数据库", f"{where} 是 PostgreSQL {major}", f"请升级到 PostgreSQL {LEAST_POSTGRES} 或更新的版本"
        )
    return fine("数据库", f"{where} PostgreSQL {major}")


async def clock_skew(connection: asyncpg.Connection) -> Finding:
    """Due times are compared on both sides."""
    before = datetime.now(UTC)
    at: datetime = await connection.fetchval("SELECT clock_timestamp()")
    after = datetime.now(UTC)
    skew = (at - (before + (after - before) / 2)).total_seconds()
    text = f"数据库与本机相差 {skew:+.1f} 秒"
    if abs(skew) > SKEW_PROBLEM_S:
        return wrong("时钟", text, "请在两台机器上启用 NTP 校时(timedatectl set-ntp true)")
    if abs(skew) > SKEW_WARNING_S:
        return doubtful("时钟", text, "请检查两台机器的 NTP 校时")
    return fine("时钟", text)


async def _role(settings: Settings, connection: asyncpg.Connection) -> list[Finding]:
    problems = await role_problems(connection)
    if not problems:
        return [fine("数据库角色", "应用角色只能读写数据,不能改动表结构和审计日志")]
    report = wrong if settings.profile == "production" else doubtful
    return [report("数据库角色", text, "角色的建立方法见 docs/operators.md") for text in problems]


async def of_cache(settings: Settings, addresses: Addresses) -> list[Finding]:
    """Reachable, new enough, and not forgetting what limits count by."""
    try:
        info = await reach_cache(addresses.redis_url, "REDIS_URL")
    except Unreachable as error:
        return [wrong("缓存", str(error), "修正后重新运行 linli doctor")]
    name = "Valkey" if info.get("server_name") == "valkey" else "Redis"
    version = str(info.get("valkey_version") or info.get("redis_version"))
    where = place(addresses.redis_url)
    if tuple(int(part) for part in version.split(".")[:2]) < LEAST_REDIS:
        return [wrong("缓存", f"{where} 是 {name} {version}", "请升级到 Redis 6.2 或 Valkey 7.2 以上")]
    return [fine("缓存", f"{where} {name} {version}"), *_eviction(info)]


def _eviction(info: dict[str, object]) -> list[Finding]:
    policy, bounded = str(info.get("maxmemory_policy", "noeviction")), bool(info.get("maxmemory"))
    if bounded and policy.startswith("allkeys"):
        advice = "请改为 maxmemory-policy volatile-ttl"
        return [doubtful("缓存淘汰策略", f"{policy} 会在内存不足时丢掉限流计数", advice)]
    return [fine("缓存淘汰策略", policy if bounded else f"{policy},未限制内存")]
