"""Other systems in the browser: registered with a secret that is shown once, tried, turned off, forgotten."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette

from domains.kernel import database
from notifications import permissions
from tests.api.pages.test_registrations import staff_of
from tests.api.pages.visitors import HTMX, Visitor, seen, visiting
from tests.factories import residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")
PAGE = "/staff/webhooks"
GIVEN = {"name": "门岗<系统>", "url": "https://hooks.example.com/linli", "kinds": "registration.approved"}


@pytest.fixture
async def scene() -> Scene:
    """A compound of its own."""
    return await residents.scene()


@pytest.fixture
async def manager(app: Starlette, scene: Scene) -> AsyncIterator[Visitor]:
    """Staff of the compound who may manage endpoints, signed in."""
    async with visiting(app) as opened:
        await opened.sign_in(await staff_of(scene, permissions.WEBHOOKS))
        await opened.get(PAGE)
        yield opened


def secret_in(page: str) -> str | None:
    found = re.search(r"whsec_[A-Za-z0-9+/=]+", page)
    return found[0] if found else None


def id_in(page: str) -> dict[str, str]:
    found = re.search(r'name="webhook" value="([^"]+)"', page)
    assert found is not None
    return {"webhook": found[1]}


async def count(scene: Scene) -> int:
    statement = "SELECT count(*) FROM webhook_endpoint WHERE compound_id = $1"
    return int(await database.fetchval(statement, scene.compound_id))


@pytest.mark.parametrize("headers", [HTMX, {}])
async def test_the_secret_is_shown_once(manager: Visitor, scene: Scene, headers: dict[str, str]) -> None:
    made = await manager.post(PAGE, GIVEN, **headers)
    assert made.status_code == 200 and made.headers["cache-control"] == "no-store"
    secret = secret_in(made.text)
    assert secret is not None and "门岗<系统>" in seen(made) and "登记审核通过" in seen(made)
    assert secret not in str(dict(manager.http.cookies))
    shown = await manager.get(PAGE)
    assert secret_in(shown.text) is None and "hooks.example.com" in shown.text
    replaced = await manager.post(f"{PAGE}/rotate", id_in(shown.text), **headers)
    assert secret_in(replaced.text) not in (None, secret)
    assert await count(scene) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "ftp://x.example.com"}, {"url": "https://u:p@example.com/"}, {"url": ""}, {"kinds": ""},
        {"kinds": "no.such"}, {"name": ""}, {"name": "x" * 61}, {"url": "x" * 3000},
    ],
)  # fmt: skip
async def test_bad_input_is_refused_in_words_and_kept_in_the_form(
    manager: Visitor, scene: Scene, wrong: dict[str, str]
) -> None:
    refused = await manager.post(PAGE, {**GIVEN, **wrong}, **HTMX)
    assert "alert-danger" in refused.text and secret_in(refused.text) is None
    assert await count(scene) == 0


async def test_it_is_turned_off_and_on_tried_and_forgotten(manager: Visitor, scene: Scene) -> None:
    which = id_in((await manager.post(PAGE, GIVEN, **HTMX)).text)
    tried = await manager.post(f"{PAGE}/test", which, **HTMX)
    assert "测试消息已发出" in seen(tried)
    waits = "SELECT count(*) FROM delivery WHERE compound_id = $1 AND kind = 'webhook.test'"
    assert await database.fetchval(waits, scene.compound_id) == 1
    off = await manager.post(f"{PAGE}/disable", which, **HTMX)
    assert "已停用" in seen(off) and "发送测试" not in seen(off)
    on = await manager.post(f"{PAGE}/enable", which)
    assert (on.status_code, on.headers["location"]) == (303, PAGE)
    assert "对接已启用" in seen(await manager.get(PAGE))
    gone = await manager.post(f"{PAGE}/remove", which, **HTMX)
    assert "还没有对接其他系统" in seen(gone) and await count(scene) == 0
    again = await manager.post(f"{PAGE}/remove", which, **HTMX)
    assert again.headers["hx-retarget"] == "#notices"


async def test_staff_without_the_permission_or_of_elsewhere_change_nothing(
    app: Starlette, manager: Visitor, scene: Scene
) -> None:
    which = id_in((await manager.post(PAGE, GIVEN, **HTMX)).text)
    elsewhere = await residents.scene()
    for login in (
        await staff_of(scene, permissions.DELIVERIES_READ), await staff_of(elsewhere, permissions.WEBHOOKS),
    ):  # fmt: skip
        async with visiting(app) as other:
            await other.sign_in(login)
            assert "hooks.example.com" not in (await other.get(PAGE)).text
            for do in ("rotate", "test", "enable", "disable", "remove"):
                refused = await other.post(f"{PAGE}/{do}", which, **HTMX)
                assert "alert-danger" in refused.text and secret_in(refused.text) is None, do
    assert await count(scene) == 1
    assert "已启用" in seen(await manager.get(PAGE))
