"""Encryption at rest as the domains use it, and changing the key under way."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from uuid import uuid4

import pytest
from tortoise import Tortoise

from api.wiring import APPS, SEALED, reseal_columns
from domains.identity import contact
from domains.identity.models import Account
from domains.kernel import database, sealing
from domains.kernel.crypto import DecryptionFailed, Keyring, UnknownKeyVersion
from domains.kernel.sealing import Resealed, SealedColumn

pytestmark = pytest.mark.usefixtures("instance")

PHONE = SealedColumn("account", "phone_sealed", contact.PURPOSE)
OLD, NEW, INDEX = secrets.token_bytes(16), secrets.token_bytes(16), secrets.token_bytes(32)
BEFORE = Keyring({1: OLD}, 1, INDEX)
BOTH = Keyring({1: OLD, 2: NEW}, 2, INDEX)
AFTER = Keyring({2: NEW}, 2, INDEX)


@pytest.fixture(autouse=True)
async def clean(instance: object) -> None:
    """Every test begins without accounts."""
    await database.execute("DELETE FROM account")


@pytest.fixture(autouse=True)
def first_key(instance: object) -> Iterator[None]:
    """The ring of the installation is put back afterwards."""
    there = sealing.keyring()
    sealing.keyring.fill(BEFORE)
    yield
    sealing.keyring.fill(there)


async def accounts(count: int) -> dict[str, str]:
    """Accounts by id with their numbers."""
    numbers = [f"139{number:08d}" for number in range(count)]
    rows = [Account(id=uuid4(), kind="resident", **contact.seal(number)) for number in numbers]
    await Account.bulk_create(rows)
    return {str(row.id): number for row, number in zip(rows, numbers, strict=True)}


async def readable() -> dict[str, str | None]:
    return {str(row.id): contact.unseal(row.phone_sealed) for row in await Account.all()}


async def versions() -> set[int]:
    rows = await database.fetch("SELECT DISTINCT get_byte(phone_sealed, 0) AS version FROM account")
    return {row["version"] for row in rows}


def test_what_was_sealed_for_one_purpose_opens_for_no_other() -> None:
    blob = sealing.seal("13900000000", "account.phone")
    assert sealing.unseal(memoryview(blob), "account.phone") == "13900000000"  # type: ignore[arg-type]  # as a driver may give it
    with pytest.raises(DecryptionFailed):
        sealing.unseal(blob, "person.phone")
    assert sealing.find("1", "account.phone") != sealing.find("1", "person.phone")
    assert sealing.seal_optional(None, "account.phone") is None
    assert sealing.unseal_optional(None, "account.phone") is None


async def test_after_a_new_key_everything_is_sealed_anew_and_the_old_key_can_go() -> None:
    numbers = await accounts(23)
    sealing.keyring.fill(BOTH)
    assert await readable() == numbers
    assert await sealing.reseal(PHONE, batch=5) == Resealed(23)
    assert await sealing.reseal(PHONE, batch=5) == Resealed()
    sealing.keyring.fill(AFTER)
    assert await readable() == numbers
    assert await Account.exists(phone_index=contact.index("13900000007"))
    sealing.keyring.fill(BEFORE)
    with pytest.raises(UnknownKeyVersion):
        await readable()


async def test_rows_that_are_written_meanwhile_keep_what_was_written() -> None:
    numbers = await accounts(120)
    sealing.keyring.fill(BOTH)

    async def write(id: str) -> None:
        number = f"138{secrets.randbelow(10**8):08d}"
        async with database.transaction():
            await Account.filter(pk=id).update(**contact.seal(number))
            await asyncio.sleep(0.02)
        numbers[id] = number

    writing = asyncio.gather(*(write(id) for id in list(numbers)[::2]))
    resealing = asyncio.gather(*(sealing.reseal(PHONE, batch=7) for _ in range(2)))
    await asyncio.wait_for(asyncio.gather(writing, resealing), 20)
    await sealing.reseal(PHONE)
    sealing.keyring.fill(AFTER)
    assert await readable() == numbers


async def test_a_row_that_is_being_written_is_not_waited_for() -> None:
    ids = list(await accounts(3))
    sealing.keyring.fill(BOTH)
    locked, go = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with database.transaction():
            await database.execute("SELECT 1 FROM account WHERE id = $1 FOR UPDATE", ids[0])
            locked.set()
            await go.wait()

    holding = asyncio.create_task(hold())
    await locked.wait()
    assert await asyncio.wait_for(sealing.reseal(PHONE), 2) == Resealed(2)
    go.set()
    await holding
    assert await sealing.reseal(PHONE) == Resealed(1)
    assert await versions() == {2}


async def test_a_damaged_row_is_counted_and_keeps_no_other_from_its_new_key() -> None:
    ids = list(await accounts(5))
    await database.execute(
        "UPDATE account SET phone_sealed = set_byte(phone_sealed, 20, 255 - get_byte(phone_sealed, 20)) WHERE id = $1",
        ids[2],
    )
    sealing.keyring.fill(BOTH)
    assert await sealing.reseal(PHONE, batch=2) == Resealed(4, unreadable=1)
    assert await sealing.reseal(PHONE, batch=2) == Resealed(0, unreadable=1)


async def test_the_job_goes_over_every_sealed_column_and_tells_where_there_was_any(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await accounts(2)
    sealing.keyring.fill(BOTH)
    gone_over: list[SealedColumn] = []

    async def noted(place: SealedColumn) -> Resealed:
        gone_over.append(place)
        return await reseal(place)

    reseal = sealing.reseal
    monkeypatch.setattr(sealing, "reseal", noted)
    assert await reseal_columns(None) == {"account.phone_sealed": {"rows": 2, "unreadable": 0}}
    assert gone_over == list(SEALED)


def test_every_sealed_column_of_the_models_is_in_the_list_and_the_other_way_round() -> None:
    columns = {
        (model._meta.db_table, field.source_field or name, model._meta.db_pk_column)
        for app in APPS
        for model in Tortoise.apps[app].values()
        for name, field in model._meta.fields_map.items()
        if name.endswith("_sealed")
    }
    assert {(each.table, each.column, each.key) for each in SEALED} == columns
    assert len({each.purpose for each in SEALED}) == len(SEALED)


def test_the_purposes_are_those_the_models_name() -> None:
    described = {
        (model._meta.db_table, name): field.description or ""
        for app in APPS
        for model in Tortoise.apps[app].values()
        for name, field in model._meta.fields_map.items()
        if name.endswith("_sealed")
    }
    for each in SEALED:
        assert f"purpose {each.purpose}" in described[each.table, each.column]
