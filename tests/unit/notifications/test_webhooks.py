"""Endpoints of other systems: what may be registered, what they are told, and that they are told no more."""

from __future__ import annotations

import asyncio
import json
from uuid import UUID, uuid4

import pytest

from domains.kernel import database, sealing
from domains.kernel.actor import SYSTEM
from domains.kernel.errors import Conflict, DomainError, Invalid, NotFound
from notifications import webhooks
from notifications.channels.outside import Outside, outside
from notifications.deliveries.courier import Courier
from notifications.kinds import Registry, registry
from notifications.notifying import notify
from notifications.sealed import WEBHOOK_SECRET
from schema.relay import encode
from tests.factories import notifications as made
from tests.unit.stand_ins.stand import Json, Stand

pytestmark = pytest.mark.usefixtures("reaching")

KIND = made.PLAIN.name


@pytest.fixture(autouse=True)
def kinds(reaching: object) -> None:
    registry.fill(Registry([*made.KINDS, *webhooks.KINDS]))


async def register(compound_id: UUID, **changed: object) -> webhooks.Secret:
    columns = {"name": "工单系统", "url": "https://hooks.example.cn/linli", "kinds": [KIND], **changed}
    return await webhooks.register_webhook(SYSTEM, compound_id=compound_id, **columns)  # type: ignore[arg-type]  # theirs


async def connected(stand: Stand, compound_id: UUID) -> tuple[str, webhooks.Secret]:
    """An endpoint whose receiver knows its secret, and the receiver's name."""
    name = uuid4().hex
    url = f"{str(stand.http.base_url).rstrip('/')}/hooks/{name}"
    registered = await register(compound_id, url=url)
    stand.open("hooks", name=name, secret=registered.secret)
    return name, registered


def received(stand: Stand, name: str) -> list[Json]:
    calls: list[Json] = stand.http.get(f"/open/hooks/{name}").json()["deliveries"]
    return [json.loads(call["body"]) for call in calls]


async def happens(compound_id: UUID | None, subject: tuple[str, UUID] | None = None) -> None:
    async with database.transaction():
        await notify(
            [uuid4(), uuid4()], made.PLAIN, {"house": "3-1-101"}, dedupe_key=str(uuid4()),
            compound_id=compound_id, subject=subject,
        )  # fmt: skip


async def deliver() -> None:
    for urgent in (True, False):
        await Courier(urgent=urgent).deliver()


async def states(webhook_id: UUID) -> list[tuple[str, str | None]]:
    found = await database.fetch(
        "SELECT state, reason FROM delivery WHERE target_id = $1 ORDER BY created_at, id", webhook_id
    )
    return [(row["state"], row["reason"]) for row in found]


async def test_a_system_is_told_once_per_notice_of_its_compound(stand: Stand) -> None:
    compound, house = uuid4(), uuid4()
    name, registered = await connected(stand, compound)
    await happens(compound, ("House", house))
    await happens(uuid4())
    await deliver()
    [call] = received(stand, name)
    assert (call["type"], call["data"]) == (KIND, {"house": "3-1-101"})
    assert (call["compound"], call["subject"]) == (encode("Compound", compound), encode("House", house))
    assert await states(registered.webhook_id) == [("sent", None)]


async def test_the_secret_is_kept_sealed_and_told_once() -> None:
    registered = await register(uuid4())
    kept = await database.fetchval(
        "SELECT secret_sealed FROM webhook_endpoint WHERE id = $1", registered.webhook_id
    )
    assert registered.secret.encode() not in kept
    assert sealing.unseal(kept, WEBHOOK_SECRET) == registered.secret
    details = await database.fetchval(
        "SELECT details::text FROM audit_entry WHERE subject_id = $1", registered.webhook_id
    )
    assert "hooks.example.cn" in details
    assert registered.secret not in details


async def test_with_a_new_secret_the_old_one_signs_nothing(stand: Stand) -> None:
    compound = uuid4()
    name, registered = await connected(stand, compound)
    rotated = await webhooks.rotate_webhook_secret(SYSTEM, webhook_id=registered.webhook_id)
    await happens(compound)
    await deliver()
    assert received(stand, name) == []
    assert await states(registered.webhook_id) == [("dead", "HTTP_401")]
    stand.open("hooks", name=name, secret=rotated.secret)
    await happens(compound)
    await deliver()
    assert len(received(stand, name)) == 1


async def test_a_test_goes_the_way_all_others_go(stand: Stand) -> None:
    compound = uuid4()
    name, registered = await connected(stand, compound)
    first = await webhooks.test_webhook(SYSTEM, webhook_id=registered.webhook_id)
    second = await webhooks.test_webhook(SYSTEM, webhook_id=registered.webhook_id)
    assert first != second
    await deliver()
    assert [(call["type"], call["data"]) for call in received(stand, name)] == [("webhook.test", {})] * 2
    assert await states(registered.webhook_id) == [("sent", None)] * 2
    assert await database.fetchval("SELECT count(*) FROM notification WHERE kind = 'webhook.test'") == 0


async def test_a_disabled_one_is_told_nothing_until_it_is_enabled(stand: Stand) -> None:
    compound = uuid4()
    name, registered = await connected(stand, compound)
    id = registered.webhook_id
    await happens(compound)
    for _ in range(2):
        assert await webhooks.disable_webhook(SYSTEM, webhook_id=id) == id
    await happens(compound)
    with pytest.raises(Conflict, match="WEBHOOK_DISABLED"):
        await webhooks.test_webhook(SYSTEM, webhook_id=id)
    assert await webhooks.enable_webhook(SYSTEM, webhook_id=id) == id
    await happens(compound)
    await deliver()
    assert await states(id) == [("suppressed", "WEBHOOK_DISABLED"), ("sent", None)]
    assert len(received(stand, name)) == 1


async def test_what_waits_for_a_removed_one_is_not_sent(stand: Stand) -> None:
    compound = uuid4()
    name, registered = await connected(stand, compound)
    await happens(compound)
    await webhooks.remove_webhook(SYSTEM, webhook_id=registered.webhook_id)
    await deliver()
    assert received(stand, name) == []
    assert await states(registered.webhook_id) == [("suppressed", "WEBHOOK_REMOVED")]
    assert await webhooks.webhooks(SYSTEM, compound_id=compound) == []


async def test_one_that_answers_gone_is_disabled(reaching: object, monkeypatch: pytest.MonkeyPatch) -> None:
    from notifications.channels.outside import Answered

    async def gone(*_: object) -> Answered:
        return Answered(410, {}, "")

    monkeypatch.setattr(Outside, "post", gone)
    compound = uuid4()
    registered = await register(compound)
    await happens(compound)
    await deliver()
    [endpoint] = await webhooks.webhooks(SYSTEM, compound_id=compound)
    assert endpoint.disabled_at is not None
    assert (await states(registered.webhook_id))[0][0] == "dead"


@pytest.mark.parametrize(
    ("changed", "code", "field"),
    [
        ({"name": " "}, "TEXT_EMPTY", "name"),
        ({"name": "长" * 61}, "TEXT_TOO_LONG", "name"),
        ({"url": "ftp://hooks.example.cn"}, "WEBHOOK_URL_INVALID", "url"),
        ({"url": "https://u:p@hooks.example.cn"}, "WEBHOOK_URL_INVALID", "url"),
        ({"url": "https://hooks.example.cn/" + "x" * 400}, "WEBHOOK_URL_INVALID", "url"),
        ({"url": "http://192.168.1.1/"}, "WEBHOOK_URL_INVALID", "url"),
        ({"kinds": []}, "WEBHOOK_KINDS_EMPTY", "kinds"),
        ({"kinds": [KIND, "no.such"]}, "KIND_UNKNOWN", "kinds"),
        ({"kinds": ["webhook.test"]}, "KIND_UNKNOWN", "kinds"),
    ],
)
async def test_what_cannot_be_registered(changed: dict[str, object], code: str, field: str) -> None:
    compound = uuid4()
    with pytest.raises(Invalid) as refused:
        await register(compound, **changed)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert await webhooks.webhooks(SYSTEM, compound_id=compound) == []


async def test_in_production_no_address_of_a_private_network() -> None:
    usual = outside()
    outside.fill(Outside(reaches_private=False))
    try:
        for url in ("http://localhost/", "https://localhost/", "https://10.0.0.1/", "https://intranet/x"):
            with pytest.raises(Invalid, match="WEBHOOK_URL_INVALID"):
                await register(uuid4(), url=url)
        await register(uuid4())
    finally:
        outside.fill(usual)


async def test_ten_at_most_however_many_are_registered_at_once() -> None:
    compound = uuid4()
    results = await asyncio.gather(*(register(compound) for _ in range(14)), return_exceptions=True)
    refused = [each for each in results if isinstance(each, Conflict)]
    assert [each.code for each in refused] == ["WEBHOOKS_TOO_MANY"] * 4
    assert len(await webhooks.webhooks(SYSTEM, compound_id=compound)) == 10


@pytest.mark.parametrize(
    "name",
    ["rotate_webhook_secret", "enable_webhook", "disable_webhook", "remove_webhook", "test_webhook"],
)
async def test_one_that_is_not_there(name: str) -> None:
    with pytest.raises(NotFound) as refused:
        await getattr(webhooks, name)(SYSTEM, webhook_id=uuid4())
    error: DomainError = refused.value
    assert (error.code, error.field) == ("WEBHOOK_NOT_FOUND", "webhook")


async def test_removed_and_told_at_once_it_is_told_nothing_later(stand: Stand) -> None:
    compound = uuid4()
    name, registered = await connected(stand, compound)
    await asyncio.gather(
        happens(compound),
        webhooks.remove_webhook(SYSTEM, webhook_id=registered.webhook_id),
        happens(compound),
    )
    await deliver()
    assert received(stand, name) == []
    assert all(state in ("suppressed", "dead") for state, _ in await states(registered.webhook_id))


def test_the_test_is_no_kind_to_be_told_of() -> None:
    assert [kind.name for kind in webhooks.kinds()] == [kind.name for kind in made.KINDS]
