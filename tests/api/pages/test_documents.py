"""The pages' operations fit the schema, and their texts are there in both languages."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from graphql import OperationDefinitionNode, parse, validate

from api.pages import routes
from api.pages.asking import DOCUMENTS, document
from api.pages.navigation import ITEMS
from api.pages.texts import Texts, english, labels
from domains.billing import permissions as billing
from domains.kernel.actor import Actor, Grant
from schema.root import schema

PAGES = Path(routes.__file__).parent
TEMPLATES = sorted((PAGES / "templates").rglob("*.html"))
SOURCES = sorted(PAGES.rglob("*.py"))
NAMES = sorted(path.stem for path in DOCUMENTS.glob("*.graphql"))
_TEXT = re.compile(r'(?:\b_|\btexts)\(\s*"((?:[^"\\]|\\.)*)"|\b_\(\'((?:[^\'\\]|\\.)*)\'')


def texts() -> set[str]:
    """Every text that a page says."""
    found: set[str] = set()
    for path in (*TEMPLATES, *SOURCES):
        found |= {first or second for first, second in _TEXT.findall(path.read_text(encoding="utf-8"))}
    return found | {item.title for item in ITEMS}


@pytest.mark.parametrize("name", NAMES)
def test_a_document_holds_the_one_operation_it_is_named_for(name: str) -> None:
    parsed = parse(document(name))
    assert validate(schema._schema, parsed) == []
    operations = [node for node in parsed.definitions if isinstance(node, OperationDefinitionNode)]
    assert [node.name.value for node in operations if node.name] == [name]


def test_every_document_is_asked_for_and_no_other() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in SOURCES)
    asked = set(re.findall(r'(?:ask|follow)\(\s*"(\w+)"', sources)) | set(
        re.findall(r'origin\), "(\w+)"', sources)
    )
    assert asked == set(NAMES)


def test_pages_reach_data_by_their_documents_alone() -> None:
    """No module of the pages imports a service, a query or a model."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("domains."):
                names = {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
                allowed = (".permissions", "domains.kernel.")
                assert all(
                    name.endswith(allowed[0]) or name.startswith(allowed[1]) or name.count(".") == 1
                    for name in names if name
                ), (path, names)  # fmt: skip


def test_every_text_has_its_english_and_none_is_left_over() -> None:
    assert texts() - set(english()) == set()
    assert set(english()) - texts() == set()


def test_an_entry_is_shown_where_its_page_opens() -> None:
    """All that a page needs is held in one compound, beside one of the permissions that give something to do."""
    entries = {item.path: item for item in ITEMS}
    here, there = uuid4(), uuid4()

    def shown(path: str, *granted: tuple[str, UUID]) -> bool:
        actor = Actor("staff", uuid4(), grants=tuple(Grant(*each) for each in granted))
        return entries[path].is_for(actor)

    for path, permission in (
        ("/staff/dunning", billing.DUNNING_WRITE),
        ("/staff/corrections", billing.CORRECTIONS_DECIDE),
        ("/staff/corrections", billing.CORRECTIONS_REQUEST),
    ):
        assert not shown(path, (permission, here))
        assert not shown(path, (billing.BILLS_READ, here))
        assert not shown(path, (permission, here), (billing.BILLS_READ, there))
        assert shown(path, (permission, here), (billing.BILLS_READ, here))
    assert shown("/staff/bills", (billing.BILLS_READ, here))
    assert not any(item.is_for(Actor("resident", uuid4())) for item in ITEMS)
    assert entries["/staff/jobs"].is_for(Actor("staff", uuid4(), operator=True))


def test_placeholders_are_the_same_in_both_languages() -> None:
    for zh, en in english().items():
        assert set(re.findall(r"{\w+}", zh)) == set(re.findall(r"{\w+}", en)), zh


def test_enum_values_that_pages_show_have_labels() -> None:
    shown = ("RegistrationState", "Capacity", "DocumentKind", "PopulationKind", "HouseUse", "HouseState",
             "ActorKind", "AuditOutcome", "Urgency", "DeliveryChannel", "PersonalChannel")  # fmt: skip
    for name in shown:
        values = schema._schema.type_map[name].values  # type: ignore[attr-defined]  # an enum type has values
        assert set(values) - set(labels()) == set(), name


def test_values_that_mean_something_else_elsewhere_have_labels_of_their_own() -> None:
    for name, prefix in (
        ("DeliveryState", "delivery"),
        ("AttemptOutcome", "attempt"),
        ("VisitPurpose", "purpose"),
        ("PaymentState", "payment"),
        ("AttemptState", "attempt_state"),
        ("PaymentChannel", "channel"),
        ("PaymentProduct", "product"),
        ("RefundState", "refund"),
        ("PaymentExceptionKind", "trouble"),
        ("PaymentExceptionAction", "settle"),
    ):
        values = schema._schema.type_map[name].values  # type: ignore[attr-defined]  # an enum type has values
        assert {f"{prefix}:{value}" for value in values} - set(labels()) == set(), name


def test_a_value_that_is_not_known_yet_is_shown_as_it_is() -> None:
    assert Texts("zh").label("BRAND_NEW") == "BRAND_NEW"
    assert (Texts("zh").label("PENDING"), Texts("en").label("PENDING")) == ("待审核", "Pending")
