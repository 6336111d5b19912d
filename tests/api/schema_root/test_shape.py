"""What holds of every type of the schema."""

from __future__ import annotations

from collections.abc import Iterator

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    get_named_type,
    is_composite_type,
    is_non_null_type,
)

from tests.api.schema_root.introspected import SCHEMA, fields, is_list, named_types

BUILT_IN = {"String", "Int", "Float", "Boolean", "ID"}


def described() -> Iterator[tuple[str, str | None]]:
    """Everything that has a description, with it."""
    for kind in named_types():
        if kind.name not in BUILT_IN and kind.name not in ("Query", "Mutation", "Subscription"):
            yield kind.name, kind.description
        if isinstance(kind, GraphQLEnumType):
            yield from ((f"{kind.name}.{name}", value.description) for name, value in kind.values.items())
        elif isinstance(kind, GraphQLInputObjectType | GraphQLObjectType | GraphQLInterfaceType):
            yield from ((f"{kind.name}.{name}", field.description) for name, field in kind.fields.items())
    for name, field in fields():
        yield from ((f"{name}({key})", argument.description) for key, argument in field.args.items())


def test_everything_is_described() -> None:
    assert [name for name, text in described() if not (text or "").strip()] == []


def test_every_mutation_takes_one_input_and_its_payload_has_errors() -> None:
    assert SCHEMA.mutation_type
    for name, field in SCHEMA.mutation_type.fields.items():
        payload = field.type.of_type if is_non_null_type(field.type) else field.type
        assert isinstance(payload, GraphQLObjectType), name
        assert str(payload.fields["errors"].type) == "[UserError!]!", name
        assert set(field.args) <= {"input"}, name
        for other, each in payload.fields.items():
            is_object = is_composite_type(get_named_type(each.type)) and other != "errors"
            assert not (is_object and is_non_null_type(each.type)), f"{payload.name}.{other}"


# What keeps a list short. A list that is not here has no bound that anybody thought of: give it one.
BOUNDS = {
    "at most 100 units of a building, 500 buildings of a compound, 500 compounds": {
        "Building.units", "Compound.buildings", "Query.compounds",
    },
    "the organisation tree: five levels, and what one company has in one place": {
        "Query.organisation", "Region.children", "Region.compounds", "Region.path",
    },
    "at most 100 ids are asked for": {"Query.nodes"},
    "a table of the program": {
        "Query.importFields", "Query.permissions", "Me.permissions", "Role.permissions", "UserError.field",
    },
    "at most 20, by the command that writes them": {"Person.tags", "AuditEntry.details"},
    "the columns and sheets of one file, whose size is bounded": {
        "ImportSheet.columns", "ImportSheet.missing", "RegisterImport.counts", "RegisterImport.sheets",
    },
    "the buildings and units of one compound, by name": {"ScannedCompound.buildings", "TypedBuilding.units"},
    "the roles of one company and of one person": {"Query.roles", "Staff.assignments"},
    "the houses of one person, the people and vehicles of one house": {
        "Home.cards", "Home.houses", "Home.invitations", "Home.registrations", "House.members", "House.occupancies",
        "House.vehicles", "Person.occupancies", "Viewer.houses", "Viewer.invitations", "Viewer.profiles",
    },
    "the fee items of one compound, their prices and steps": {
        "Bill.lines", "BillingPreview.items", "BillingRules.lateFeeRules", "BillingRun.items", "FeeItem.advanceDiscounts",
        "FeeItem.buildings", "FeeItem.prices", "FeeItem.uses", "FeePrice.tiers", "Query.feeItems",
    },
    "the spans of age and the reasons of rules": {
        "ArrearsSum.ages", "BillingPreview.problems", "BillingRun.problems", "HouseArrears.ages",
    },
    "the first 100": {"BillingPreview.samples"},
    "what one bill or one house has": {
        "Bill.corrections", "Bill.payments", "BillsPayload.bills", "FeeAgreementsPayload.agreements",
        "HouseAccount.prepayments", "HouseArrears.bills", "HouseArrears.people", "LiabilitiesPayload.liabilities",
        "Query.feeAgreements", "Query.liabilities",
    },
    "what one payment has: at most 100 parts, and their refunds": {"Payment.parts", "Payment.refunds"},
    "the few ways to settle one kind of trouble": {"PaymentException.actions"},
    "what a platform's client takes": {"Payment.clientParameters"},
    "both sides of the program's codes of accounts": {"Journal.entries", "Query.ledgerBalances"},
    "as many as were given": {"OneOffChargesPayload.charges"},
}  # fmt: skip


def lists() -> Iterator[str]:
    for name, field in fields():
        owner, _, short = name.partition(".")
        of_page = owner.endswith("Connection") and short in ("edges", "nodes")
        if is_list(field) and not of_page and short != "errors":
            yield name


def test_every_list_is_bounded() -> None:
    described = {name for name, field in fields() if "at most" in (field.description or "")}
    known = set().union(*BOUNDS.values()) | described
    assert sorted(set(lists()) - known) == []


def test_pages_are_bounded() -> None:
    for name, field in fields():
        if str(field.type).rstrip("!").endswith("Connection"):
            assert {"first", "after"} <= set(field.args), name
