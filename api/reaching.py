"""Whether given servers answer, and in the operator's words why not; passwords are never part of the words."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import asyncpg
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError, ResponseError

PATIENCE_S = 5.0


class Unreachable(Exception):
    """服务无法连接。"""


def place(url: str) -> str:
    """Host and port of an address, without what is secret in it."""
    parts = urlsplit(url)
    standard = 5432 if parts.scheme.startswith("postgres") else 6379
    return f"{parts.hostname}:{parts.port or standard}"


@asynccontextmanager
async def database_at(url: str, variable: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection of one's own. Raises Unreachable, which names the variable."""
    connection = await _connect(url, variable)
    try:
        yield connection
    finally:
        await connection.close()


async def _connect(url: str, variable: str) -> asyncpg.Connection:
    try:
        return await asyncpg.connect(url, timeout=PATIENCE_S)
    except asyncpg.InvalidPasswordError:
        why = "用户名或密码不对"
    except asyncpg.InvalidAuthorizationSpecificationError:
        why = "数据库不接受这个用户,请检查用户名、密码和 pg_hba.conf"
    except asyncpg.InvalidCatalogNameError:
        why = f"没有名为 {urlsplit(url).path.lstrip('/')} 的数据库,请先建库"
    except asyncpg.TooManyConnectionsError:
        why = "数据库连接数已满,请调小 LINLI_POOL_SIZE 或调大 max_connections"
    except asyncpg.CannotConnectNowError:
        why = "数据库正在启动或停止,请稍后重试"
    except asyncpg.PostgresError as error:
        why = f"数据库拒绝连接({error.sqlstate})"
    except (OSError, TimeoutError, ssl.SSLError):
        why = f"{place(url)} 没有响应,请检查地址、端口和防火墙,并确认 PostgreSQL 已启动"
    except (ValueError, asyncpg.InterfaceError):
        why = "地址无法识别,应形如 postgresql://用户:密码@主机:5432/库名"
    raise Unreachable(f"{variable}: {why}")


async def reach_cache(url: str, variable: str) -> dict[str, object]:
    """What the cache says of itself. Raises Unreachable, which names the variable."""
    client = Redis.from_url(
        url, socket_connect_timeout=PATIENCE_S, socket_timeout=PATIENCE_S, retry=Retry(NoBackoff(), 0)
    )
    try:
        found: dict[str, object] = await client.info()
        return found
    except AuthenticationError:
        why = "没有写密码,或密码不对"
    except ResponseError:
        why = "服务拒绝了请求,请检查用户的权限"
    except (RedisError, OSError):
        why = f"{place(url)} 没有响应,请检查地址、端口和防火墙,并确认 Redis 或 Valkey 已启动"
    finally:
        await client.aclose()
    raise Unreachable(f"{variable}: {why}")
