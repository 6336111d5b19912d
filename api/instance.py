"""A running instance: connected to its servers, with its keys, and the slots of the domains filled."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import redis.asyncio as aioredis

from api.addresses import Addresses
from api.devices_listening import broker, broker_of, door_controllers
from api.keys import Keys, load_keys
from api.message_templates import build_templates
from api.pages.cookies import form_key
from api.pages.showcase import showcase
from api.platforms import build_gateways, build_platforms, build_transports, with_stand_ins
from api.senders import build_senders, build_vapid
from api.settings import Settings
from api.wiring import APPS, JOBS, KINDS, PERMISSIONS
from domains.access.controllers.port import controllers
from domains.access.service.waiting import Outcomes, outcomes
from domains.billing import book_links
from domains.billing.documents.issuing import site
from domains.billing.queries.settings import allows_part_payment
from domains.devices.service.refusals import Refusals, refusals
from domains.identity import limits, permissions
from domains.identity.belongings import has_belongings
from domains.identity.platforms import platforms
from domains.identity.tokens import TokenSigner, signer
from domains.kernel import audit, database, files, jobs, live, sealing
from domains.kernel.rates import Limiter
from domains.kernel.slots import Slot
from domains.kernel.storage import LocalStorage, Signer, Storage
from domains.platforms import transports
from domains.platforms.calling import pool
from domains.residents.belongings import has_any
from notifications.channels.outside import Outside, outside
from notifications.channels.senders import senders
from notifications.feeds import Feeds, feeds
from notifications.kinds import Registry, registry
from notifications.notifying import templates
from notifications.push_subscriptions import vapid_public_key
from payments.gateways import gateways
from payments.part_payment import allows_part

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
        refusals.fill(await stack.enter_async_context(Refusals()))
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
        reached = with_stand_ins(settings, keys, addresses.platform_url)
        ways = build_transports(reached, keys, http, client)
        transports.fill(ways)
        platforms.fill(build_platforms(reached, ways, addresses.platform_url))
        gateways.fill(build_gateways(reached, keys, ways))
        limits.limiter.fill(Limiter(client))
        news = live.Hub(client)
        stack.push_async_callback(news.aclose)
        live.hub.fill(news)
        feeds.fill(Feeds(news))
        permissions.catalogue.fill(PERMISSIONS)
        jobs.catalogue.fill(JOBS)
        has_belongings.fill(has_any)
        allows_part.fill(allows_part_payment)
        form_key.fill(hmac.digest(keys.file_link, b"form tokens", "sha256"))
        showcase.fill(None)
        site.fill(settings.url)
        book_links.signing_key.fill(hmac.digest(keys.file_link, b"published accounts", "sha256"))
        registry.fill(Registry(KINDS))
        templates.fill(build_templates(reached, ways))
        calls = Outside(reaches_private=settings.profile == "embedded")
        stack.push_async_callback(calls.aclose)
        outside.fill(calls)
        vapid = build_vapid(settings, keys.vapid_pem)
        vapid_public_key.fill(vapid.public_key)
        senders.fill(build_senders(reached, ways, calls, vapid))
        ended = Outcomes()
        outcomes.fill(ended)
        broker.fill(at := broker_of(settings, addresses))
        doors = door_controllers(at, simulated=settings.profile == "embedded")
        controllers.fill(await stack.enter_async_context(doors))
        stack.push_async_callback(ended.aclose)
        yield keys
