"""What the models promise, read from the registry and from the database."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from tortoise import Tortoise
from tortoise.fields.relational import ForeignKeyFieldInstance
from tortoise.migrations.autodetector import MigrationAutodetector
from tortoise.migrations.operations import AlterModelOptions
from tortoise.models import Model

from api.instance import Addresses
from api.wiring import APPS
from domains.kernel import database
from domains.kernel.database import orm_config

pytestmark = pytest.mark.usefixtures("instance")

LAYERS = list(APPS)
CHOICES = re.compile(r"[a-z_]+( \| [a-z_]+)+")


def models() -> Iterator[tuple[str, type[Model]]]:
    for app in APPS:
        for model in Tortoise.apps[app].values():
            yield app, model


def test_foreign_keys_point_downward() -> None:
    for app, model in models():
        for name in model._meta.fk_fields | model._meta.o2o_fields:
            field = model._meta.fields_map[name]
            assert isinstance(field, ForeignKeyFieldInstance)
            below = field.related_model._meta.app
            assert LAYERS.index(below) <= LAYERS.index(app), f"{model.__name__}.{name} points up to {below}"


async def columns() -> dict[tuple[str, str], bool]:
    """Whether a column may be null, by table and column."""
    rows = await database.fetch(
        "SELECT table_name, column_name, is_nullable = 'YES' AS nullable FROM information_schema.columns "
        "WHERE table_schema = 'public'"
    )
    return {(row["table_name"], row["column_name"]): row["nullable"] for row in rows}


# An audit row, or a notice with its deliveries, may concern no compound; an assignment is over a compound only
# in one of its scopes.
MAY_HAVE_NO_COMPOUND = {"audit_entry", "role_assignment", "notice", "delivery", "payment_exception"}


async def test_every_row_of_a_compound_says_which() -> None:
    nullable = {
        table for (table, column), null in (await columns()).items() if column == "compound_id" and null
    }
    assert nullable == MAY_HAVE_NO_COMPOUND


async def checks(table: str, column: str) -> list[list[str]]:
    """The texts that each CHECK of a column names, sorted."""
    rows = await database.fetch(
        "SELECT pg_get_constraintdef(c.oid) AS text FROM pg_constraint c "
        "JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey) "
        "WHERE c.contype = 'c' AND c.conrelid = $1::text::regclass AND a.attname = $2",
        table, column,
    )  # fmt: skip
    return [sorted(re.findall(r"'([a-z_]+)'", row["text"])) for row in rows]


async def test_every_choice_a_description_names_is_checked_by_the_database() -> None:
    missing = []
    for _, model in models():
        for name, field in model._meta.fields_map.items():
            if choices := CHOICES.match(field.description or ""):
                listed = await checks(model._meta.db_table, name)
                if sorted(choices[0].split(" | ")) not in listed:
                    missing.append(f"{model.__name__}.{name}: {choices[0]} is not among {listed}")
    assert not missing, "\n".join(missing)


async def test_the_models_and_the_migrations_agree(addresses: Addresses) -> None:
    config = orm_config(addresses.app_url, APPS, 2)["apps"]
    pending = await MigrationAutodetector(Tortoise.apps, config).changes()
    operations = [operation for each in pending for operation in each.operations]
    assert [each.__dict__ for each in operations if not is_key_of_one_to_one(each)] == []


def is_key_of_one_to_one(operation: object) -> bool:
    """The ORM calls a key that is a relation by two names, and takes that for a change for ever."""
    return isinstance(operation, AlterModelOptions) and operation.options["pk_attr"].endswith("_id")


async def test_every_model_has_its_table_and_every_table_its_model() -> None:
    tables = {table for table, _ in await columns()} - {"tortoise_migrations"}
    assert tables == {model._meta.db_table for _, model in models()}
