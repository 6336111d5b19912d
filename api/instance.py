"""A running instance: its servers (private or given), its keys, and the slots of the domains filled."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import redis.asyncio as aioredis

from api.keys import Keys, load_keys
from api.platforms import build_platforms
from api.servers.child import Child
from api.servers.supervisor import Supervisor
from api.settings import REPOSITORY, Settings
from api.wiring import APPS, PERMISSIONS
from domains.identity import limits, permissions
from domains.identity.belongings import has_belongings
from domains.identity.platforms import platforms
from domains.identity.platforms.calling import pool
from domains.identity.tokens import TokenSigner, signer
from domains.kernel import database, files, sealing
from domains.kernel.rates import Limiter
from domains.kernel.slots import Slot
from domains.kernel.storage import LocalStorage, Signer, Storage
from domains.residents.belongings import has_any

cache: Slot[aioredis.Redis] = Slot("cache")


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the servers are; they hold passwords and are never logged."""

    owner_url: str
    app_url: str
    redis_url: str
    platform_url: str = ""


@asynccontextmanager
async def servers(settings: Settings, *, platform: bool = False) -> AsyncIterator[Addresses]:
    """What the settings name, or private servers below `.linli/` that end with the last that uses them."""
    supervisor = Supervisor(settings.home)
    stand_ins = _platform(settings) if platform and settings.platform_stand_ins else ()
    started = await supervisor.start(
        with_postgres=settings.database_url is None,
        with_valkey=settings.redis_url is None,
        children=stand_ins,
    )
    try:
        app = settings.database_url.get_secret_value() if settings.database_url else started.app_url
        owner = settings.database_owner_url.get_secret_value() if settings.database_owner_url else ""
        cache_url = settings.redis_url.get_secret_value() if settings.redis_url else started.redis_url
        yield Addresses(
            owner_url=owner or (app if settings.database_url else started.owner_url),
            app_url=app,
            redis_url=cache_url,
            platform_url=started.children.get("platform", ""),
        )
    finally:
        await supervisor.stop()


def _platform(settings: Settings) -> tuple[Child, ...]:
    home = settings.home / "platform"

    def arguments(port: int) -> tuple[str, ...]:
        return ("-m", "miniprogram_stub.platform", "--port", str(port), "--home", str(home))

    return (Child("platform", arguments, cwd=REPOSITORY),)


def open_storage(settings: Settings) -> Storage:
    """S3-compatible where an endpoint is set, else a folder; the S3 library is loaded only then."""
    if not settings.s3_endpoint:
        return LocalStorage(settings.home / "files")
    from domains.kernel.storage.s3 import S3Storage

    return S3Storage(
        endpoint=settings.s3_endpoint,
        region=settings.s3_region,
        bucket=settings.s3_bucket,
        access_key=settings.s3_access_key,
        secret_key=settings.s3_secret_key.get_secret_value() if settings.s3_secret_key else "",
    )


@asynccontextmanager
async def running(settings: Settings, addresses: Addresses) -> AsyncIterator[Keys]:
    """Connect and fill the slots for this task and every task it starts."""
    keys = load_keys(settings)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(
            database.connected(addresses.app_url, APPS, pool_size=settings.pool_size)
        )
        client = aioredis.Redis.from_url(addresses.redis_url)
        stack.push_async_callback(client.aclose)
        cache.fill(client)
        store = open_storage(settings)
        stack.push_async_callback(store.aclose)
        files.storage.fill(store)
        files.links.fill(Signer(keys.file_link))
        sealing.keyring.fill(keys.keyring)
        signer.fill(TokenSigner(keys.token_pem))
        http = await stack.enter_async_context(pool())
        platforms.fill(build_platforms(settings, keys, http, client, addresses.platform_url))
        limits.limiter.fill(Limiter(client))
        permissions.catalogue.fill(PERMISSIONS)
        has_belongings.fill(has_any)
        yield keys
