"""A running instance: connected to its servers, with its keys, and the slots of the domains filled."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import redis.asyncio as aioredis

from api.addresses import Addresses
from api.keys import Keys, load_keys
from api.pages.cookies import form_key
from api.pages.showcase import showcase
from api.platforms import build_platforms
from api.settings import Settings
from api.wiring import APPS, PERMISSIONS
from domains.identity import limits, permissions
from domains.identity.belongings import has_belongings
from domains.identity.platforms import platforms
from domains.identity.platforms.calling import pool
from domains.identity.tokens import TokenSigner, signer
from domains.kernel import audit, database, files, live, sealing
from domains.kernel.rates import Limiter
from domains.kernel.slots import Slot
from domains.kernel.storage import LocalStorage, Signer, Storage
from domains.residents.belongings import has_any

__all__ = ["Addresses", "cache", "open_storage", "running"]

cache: Slot[aioredis.Redis] = Slot("cache")


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
        # What is wrong with the address shows now, and not at the first request.
        await client.ping()
        cache.fill(client)
        store = open_storage(settings)
        stack.push_async_callback(store.aclose)
        files.storage.fill(store)
        files.links.fill(Signer(keys.file_link))
        sealing.keyring.fill(keys.keyring)
        audit.kept.fill(timedelta(days=settings.audit_kept_days))
        signer.fill(TokenSigner(keys.token_pem))
        http = await stack.enter_async_context(pool())
        platforms.fill(build_platforms(settings, keys, http, client, addresses.platform_url))
        limits.limiter.fill(Limiter(client))
        news = live.Hub(client)
        stack.push_async_callback(news.aclose)
        live.hub.fill(news)
        permissions.catalogue.fill(PERMISSIONS)
        has_belongings.fill(has_any)
        form_key.fill(hmac.digest(keys.file_link, b"form tokens", "sha256"))
        showcase.fill(None)
        yield keys
