"""Receipts, statements, bills and letters on paper, in the API."""

from __future__ import annotations

from datetime import date, datetime
from enum import Enum
from typing import Annotated, cast

import strawberry

from domains.billing.documents import issuing, verifying
from schema.context import Info
from schema.errors import Payload, refusals_as_data
from schema.permissions import signed_in
from schema.relay import decode
from schema.scalars import Long


@strawberry.enum(description="What kind of paper (单据种类). New values may appear: keep a default branch.")
class DocumentForm(Enum):
    RECEIPT = strawberry.enum_value("receipt", description="收据")
    STATEMENT = strawberry.enum_value("statement", description="对账单")
    BILL = strawberry.enum_value("bill", description="缴费通知单")
    LETTER = strawberry.enum_value("letter", description="催缴函")


@strawberry.type(
    description="A paper (单据) as PDF: issued once, with a number that stays its own, under an address that opens for the "
    "caller alone, and not for long."
)
class IssuedDocument:
    kind: DocumentForm = strawberry.field(description="What kind.")
    number: str = strawberry.field(description="Its number in the compound; receipts have no gaps.")
    amount_fen: Long = strawberry.field(description="The sum on it, in fen.")
    issued_on: date = strawberry.field(description="The day on it.")
    path: str = strawberry.field(description="Path of the page where anybody checks it, as its QR code says.")
    address: str = strawberry.field(
        description="Path of the PDF below the API's origin, to fetch with the caller's own credentials."
    )
    expires_at: datetime = strawberry.field(description="When the address ends; issue it again for another.")


@strawberry.type(description="What a genuine paper says (单据核验): nothing of the people on it.")
class VerifiedDocument:
    kind: DocumentForm = strawberry.field(description="What kind.")
    number: str = strawberry.field(description="Its number.")
    compound_name: str = strawberry.field(description="Name of the compound.")
    amount_fen: Long = strawberry.field(description="The sum on it, in fen.")
    issued_on: date = strawberry.field(description="The day on it.")
    is_taken_back: bool = strawberry.field(
        description="A receipt whose payment was taken back (已作废) or refunded since, all of it."
    )
    refunded_fen: Long = strawberry.field(description="What of a receipt's payment was refunded, in fen.")


@strawberry.input(description="The payment to have a receipt of.")
class IssueReceiptInput:
    payment: strawberry.ID = strawberry.field(
        description="Its id: `payment.receipt`, or from a bill's payments."
    )


@strawberry.input(description="The bill to print.")
class IssueBillDocumentInput:
    bill: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.input(description="The statement to print.")
class IssueStatementInput:
    house: strawberry.ID = strawberry.field(description="The house.")
    from_: date = strawberry.field(name="from", description="First day.")
    until: date = strawberry.field(description="Last day, included; at most three years.")


@strawberry.type(description="Result of issuing a paper.")
class IssuedDocumentPayload(Payload):
    document: IssuedDocument | None = strawberry.field(
        default=None, description="The paper; null when refused."
    )


def _payload(made: issuing.Document) -> IssuedDocumentPayload:
    return IssuedDocumentPayload(document=cast("IssuedDocument", made))


@strawberry.type
class BillingDocumentsMutation:
    """Mutations that issue papers: who may see a bill may have it on paper."""

    @strawberry.mutation(
        description="The receipt (收据) of a payment: of bills that the caller may see, deposits (押金) among them, and of "
        "what was paid ahead (预存), for who paid it, the house's owners and staff. The same one whenever it is asked for.",
        extensions=[signed_in],
    )
    @refusals_as_data(IssuedDocumentPayload)
    async def issue_receipt(
        self, info: Info, input: Annotated[IssueReceiptInput, strawberry.argument(description="Which.")]
    ) -> IssuedDocumentPayload:
        id = decode(input.payment, "BillPayment", "payment")
        return _payload(await issuing.issue_receipt(info.context.actor, journal_id=id))

    @strawberry.mutation(
        description="A bill as it stands today (缴费通知单), one the caller may see; the same one while nothing changes.",
        extensions=[signed_in],
    )
    @refusals_as_data(IssuedDocumentPayload)
    async def issue_bill_document(
        self, info: Info, input: Annotated[IssueBillDocumentInput, strawberry.argument(description="Which.")]
    ) -> IssuedDocumentPayload:
        id = decode(input.bill, "Bill", "bill")
        return _payload(await issuing.issue_bill(info.context.actor, bill_id=id))

    @strawberry.mutation(
        description="A statement of account (对账单) of a house over the bills that the caller may see; for its people, and "
        "staff with bills.read.",
        extensions=[signed_in],
    )
    @refusals_as_data(IssuedDocumentPayload)
    async def issue_statement(
        self, info: Info, input: Annotated[IssueStatementInput, strawberry.argument(description="Which.")]
    ) -> IssuedDocumentPayload:
        id = decode(input.house, "House", "house")
        made = await issuing.issue_statement(
            info.context.actor, house_id=id, from_on=input.from_, until_on=input.until
        )
        return _payload(made)


@strawberry.type
class BillingDocumentsQuery:
    """Root fields of papers."""

    @strawberry.field(
        description="Whether a paper is genuine, by the code on it; nobody signs in. An error DOCUMENT_NOT_FOUND for any "
        "other text."
    )
    async def verify_document(
        self,
        info: Info,
        code: Annotated[str, strawberry.argument(description="What comes after /documents/ in the address.")],
    ) -> VerifiedDocument | None:
        return cast("VerifiedDocument", await verifying.verify_document(info.context.actor, code))
