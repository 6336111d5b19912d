"""Where the servers of an instance are: given by the settings, or private ones started below `.linli/`.

Apart from the rest of the program, so that servers start while the rest is still being imported.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from api.servers.child import Child
from api.servers.supervisor import Supervisor
from api.settings import REPOSITORY, Settings


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the servers are; they hold passwords and are never logged."""

    owner_url: str = field(repr=False)
    app_url: str = field(repr=False)
    redis_url: str = field(repr=False)
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
