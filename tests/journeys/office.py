"""The office of a compound (物业办公室): who keeps its fees and bills in the journey, and whose bills they are."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from typing import Any

from tests.journeys.applicant import INBOX, eventually
from tests.journeys.client import Client
from tests.journeys.first_day import compound_of
from tests.journeys.instance import Instance
from tests.journeys.moving_in import OWNER_PHONE
from tests.journeys.phone import Phone, phone_of
from tests.journeys.site import CHANGE_PASSWORD, CREATE_ROLE, CREATE_STAFF

CLERK_PASSWORD = "Journey-2026-books"
CLERK_MAY = [
    "fees.read", "fees.write", "meters.read", "meters.write", "billing.start", "bills.read", "corrections.request",
    "dunning.write", "books.write", "balances.write", "estate.read", "ledger.read", "payments.read", "desk.write",
    "refunds.request",
]  # fmt: skip
CHINA = timezone(timedelta(hours=8))

HOUSES = """
query Houses($compound: ID!) { houses(compound: $compound, filter: { number: "1号楼1单元" }, first: 40) {
  nodes { id number builtAreaM2 } } }
"""
FIRST_BUILDING = "query Buildings($id: ID!) { compound(id: $id) { buildings { id name } } }"
RUN = """
query Run($id: ID!) { billingRun(run: $id) { id state progress billCount lineCount postedFen expectedFen
  exceptionCount problems { code count } exceptions { nodes { houseNumber code feeItemName } }
  bills(first: 100) { nodes { id houseNumber number state issuedFen } } } }
"""
RUN_JOB = "mutation Job($input: RunJobInput!) { runJob(input: $input) { errors { code message } } }"

INPUTS = {
    "requestVacancy": "VacancyInput", "recordVacancy": "VacancyInput", "decideWaiver": "DecideCorrectionInput",
    "confirmPaymentHint": "PaymentInput", "cancelPayment": "PaymentInput", "keepRefund": "RefundInput",
}  # fmt: skip
"""Inputs that are not named after their mutation."""


def mutate(client: Client, name: str, selection: str = "", /, **given: object) -> Any:
    """The payload of a mutation that is not refused."""
    payload = attempt(client, name, selection, **given)
    assert payload["errors"] == [], payload
    return payload


def attempt(client: Client, name: str, selection: str = "", /, **given: object) -> Any:
    """The payload of a mutation, whatever it says."""
    takes = INPUTS.get(name, f"{name[0].upper()}{name[1:]}Input")
    text = f"mutation Do($input: {takes}!) {{ {name}(input: $input) {{ {selection} errors {{ code message field }} }} }}"
    return client.ask(text, input=given)[name]


def refused(client: Client, name: str, /, **given: object) -> list[str]:
    """The codes with which a mutation is refused."""
    return [error["code"] for error in attempt(client, name, **given)["errors"]]


def key() -> str:
    """A key under which a request counts once."""
    return str(uuid.uuid4())


@dataclass
class Office:
    """The compound with its manager, who approves, and its clerk, who prepares; the owner lives in `house`."""

    instance: Instance
    compound: str
    building: str
    manager: Client
    clerk: Client
    owner: Phone
    houses: dict[str, Any]
    items: dict[str, str] = field(default_factory=dict)
    today: date = field(default_factory=lambda: datetime.now(CHINA).date())

    @property
    def house(self) -> str:
        """The owner's house."""
        return self.id_of("101")

    def id_of(self, room: str) -> str:
        """A house of 1号楼1单元."""
        return str(self.houses[f"1号楼1单元{room}"]["id"])

    @property
    def month(self) -> date:
        """The month that is billed: this one."""
        return self.today.replace(day=1)

    @property
    def last_month(self) -> date:
        """The one before it."""
        return (self.month - timedelta(days=1)).replace(day=1)

    @property
    def issued_on(self) -> date:
        """Long enough ago that what is not paid is in arrears; a day of a month that is over."""
        return self.today - timedelta(days=40)

    def item(self, name: str, /, **terms: object) -> str:
        """A fee item of the first building; its id."""
        given = {"startsOn": str(self.last_month), "buildings": [self.building], **terms}
        done = mutate(self.clerk, "setFeeItem", "feeItem { id }", compound=self.compound, name=name, **given)
        self.items[name] = done["feeItem"]["id"]
        return self.items[name]

    def bill_run(self, *items: str, month: date | None = None) -> Any:
        """A run of some fee items, begun by the clerk, approved by the manager, posted; as it stands then."""
        draft = self.draft(*items, month=month)
        mutate(self.manager, "approveBillingRun", run=draft["id"], expectedFen=draft["expectedFen"])
        return eventually(lambda: self._posted(draft["id"]))

    def draft(self, *items: str, month: date | None = None) -> Any:
        """A run that waits for approval."""
        return mutate(
            self.clerk, "startBillingRun", "billingRun { id state expectedFen houses items { name lines fen } }",
            compound=self.compound, month=str(month or self.month), feeItems=[self.items[each] for each in items],
            issuedOn=str(self.issued_on), idempotencyKey=key(),
        )["billingRun"]  # fmt: skip

    def _posted(self, run: str) -> Any:
        found = self.clerk.ask(RUN, id=run)["billingRun"]
        return found if found["state"] == "POSTED" else None

    def work(self, job: str) -> None:
        """Have the operator run a job now."""
        done = self.manager.ask(RUN_JOB, input={"job": job, "idempotencyKey": key()})["runJob"]
        assert done["errors"] == [], done

    def told(self, client: Client, kind: str) -> Any:
        """The newest message of a kind in somebody's inbox, once it is there."""

        def look() -> Any:
            nodes = client.ask(INBOX)["viewer"]["inbox"]["nodes"]
            return next((each for each in nodes if each["kind"] == kind), None)

        return eventually(look)

    def download(self, client: Client, address: str) -> bytes:
        """A file by its short-lived address, for who may have it."""
        answer = client.http.get(
            address if "://" in address else self.instance.url + address, headers=client.headers(), timeout=20
        )
        assert answer.status_code == 200, answer.text[:300]
        return answer.content


def open_office(instance: Instance, manager: Client) -> Office:
    """The compound, with a clerk whom the manager hires."""
    compound = compound_of(manager)
    owner = phone_of(instance.url, instance.platform_url)
    owner.sign_in_with_wechat("hua-guizhen", OWNER_PHONE)
    buildings = manager.ask(FIRST_BUILDING, id=compound)["compound"]["buildings"]
    building = next(each["id"] for each in buildings if each["name"] == "1号楼")
    houses = manager.ask(HOUSES, compound=compound)["houses"]["nodes"]
    return Office(
        instance, compound, building, manager, _clerk(instance, manager, compound), owner,
        {each["number"]: each for each in houses},
    )  # fmt: skip


def _clerk(instance: Instance, manager: Client, compound: str) -> Client:
    role = manager.ask(CREATE_ROLE, input={"name": "会计", "permissions": CLERK_MAY})["createRole"]
    assert role["errors"] == [], role
    over = {"role": role["role"]["id"], "scope": {"compound": compound}}
    made = manager.ask(CREATE_STAFF, input={"login": "clerk", "name": "钱会计", "roles": [over]})[
        "createStaff"
    ]
    assert made["errors"] == [], made
    clerk = Client(instance.url)
    clerk.sign_in_staff("clerk", made["temporaryPassword"])
    given = {"password": made["temporaryPassword"], "newPassword": CLERK_PASSWORD}
    assert clerk.ask(CHANGE_PASSWORD, input=given)["changePassword"]["errors"] == []
    return clerk
