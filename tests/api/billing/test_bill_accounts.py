"""Corrections and houses' money through the API: the whole way, who may, and opening balances."""

from __future__ import annotations

import asyncio
from datetime import date
from uuid import UUID, uuid4

import pytest

from domains.billing import permissions
from domains.billing.service.deductions import deduct
from domains.billing.service.opening_balances import set_opening_balance
from domains.kernel import database
from domains.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from domains.residents.models import Occupancy
from payments.permissions import BALANCES_WRITE
from payments.service import ledger as books
from payments.service.ledger import Account
from schema.relay import encode
from tests.api.billing.test_bills import data, refused, staff_token
from tests.api.identity.clients import Api
from tests.factories import bills, identity, ledger, residents
from tests.factories.residents import CALLERS, Scene

pytestmark = pytest.mark.usefixtures("instance")

CORRECTION = """correction { id kind concerns amountFen reason state effectFen isMine requestedByName decidedByName
    decisionNote feeItemName houseNumber bill { state outstandingFen } }"""
CORRECTIONS = f"""query($c: ID!, $s: [CorrectionState!], $n: Int, $a: String) {{ corrections(compound: $c, states: $s,
    first: $n, after: $a) {{ totalCount nodes {{ {CORRECTION[13:-2]} }} pageInfo {{ hasNextPage endCursor }} }} }}"""
MONEY = """house houseNumber prepaidFen depositFen prepayments { purpose balanceFen }
    movements(first: $n, after: $a) { nodes { movedOn account purpose what amountFen memo }
    pageInfo { hasNextPage endCursor } }"""
OWN = f"query($h: ID!, $n: Int, $a: String) {{ viewer {{ account(house: $h) {{ {MONEY} }} }} }}"
STAFF = f"query($h: ID!, $n: Int, $a: String) {{ houseAccount(house: $h) {{ {MONEY} }} }}"
ASK, DECIDE, READ = (
    permissions.CORRECTIONS_REQUEST,
    permissions.CORRECTIONS_DECIDE,
    permissions.BILLS_READ,
)


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


class TestCorrections:
    async def test_from_the_request_to_the_bill(self, api: Api, scene: Scene) -> None:
        asks, decides = [await staff_token(scene, each, READ) for each in (ASK, DECIDE)]
        one = await bills.bill(scene.house_id, 10_000)
        input = {"bill": encode("Bill", one), "amountFen": 3_000, "reason": "漏水影响居住"}
        asked = (await api.run("requestWaiver", "RequestWaiverInput", CORRECTION, asks, **input))[
            "correction"
        ]
        assert (asked["state"], asked["kind"], asked["isMine"]) == ("REQUESTED", "WAIVER", True)
        again = await api.run("requestWaiver", "RequestWaiverInput", CORRECTION, asks, **input)
        assert [each["code"] for each in again["errors"]] == ["CORRECTION_WAITING"]
        decision = {"correction": asked["id"], "decision": "APPROVE"}
        done = (await api.run("decideWaiver", "DecideCorrectionInput", CORRECTION, decides, **decision))[
            "correction"
        ]
        assert (done["state"], done["effectFen"], done["isMine"]) == ("APPROVED", -3_000, False)
        assert done["bill"] == {"state": "OPEN", "outstandingFen": 7_000}
        late = await api.run(
            "withdrawCorrection", "WithdrawCorrectionInput", CORRECTION, asks, correction=asked["id"]
        )
        assert [each["code"] for each in late["errors"]] == ["CORRECTION_DECIDED"]

    async def test_adjusted_and_voided(self, api: Api, scene: Scene) -> None:
        asks, decides = [await staff_token(scene, each, READ) for each in (ASK, DECIDE)]
        one = await bills.bill(scene.house_id, 10_000)
        line = encode("BillLine", await bills.line_of(one))
        for name, kind, input, owed in (
            ("requestAdjustment", "RequestAdjustmentInput", {"line": line, "amountFen": -500}, 9_500),
            ("requestVoid", "RequestVoidInput", {"bill": encode("Bill", one)}, 0),
        ):
            asked = (await api.run(name, kind, CORRECTION, asks, reason="面积有误", **input))["correction"]
            waiver = await api.run(
                "decideWaiver",
                "DecideCorrectionInput",
                CORRECTION,
                decides,
                correction=asked["id"],
                decision="APPROVE",
            )
            assert [each["code"] for each in waiver["errors"]] == ["CORRECTION_NOT_FOUND"]
            done = await api.run(
                "decideCorrection", "DecideCorrectionInput", CORRECTION, decides,
                correction=asked["id"], decision="APPROVE",
            )  # fmt: skip
            assert done["correction"]["bill"]["outstandingFen"] == owed
        await ledger.check_books()

    async def test_listed_for_who_reads_bills(self, api: Api, scene: Scene) -> None:
        asks, reads, other = [await staff_token(scene, each) for each in (ASK, READ, DECIDE)]
        for month in range(1, 4):
            one = await bills.bill(scene.house_id, 100, month=date(2026, month, 1))
            await api.run("requestVoid", "RequestVoidInput", "errors { code }", asks,
                          bill=encode("Bill", one), reason="重复")  # fmt: skip
        compound = encode("Compound", scene.compound_id)
        page = (await data(api, CORRECTIONS, {"c": compound, "n": 2}, reads))["corrections"]
        assert (page["totalCount"], len(page["nodes"]), page["pageInfo"]["hasNextPage"]) == (3, 2, True)
        rest = {"c": compound, "a": page["pageInfo"]["endCursor"], "s": ["REQUESTED"]}
        assert len((await data(api, CORRECTIONS, rest, reads))["corrections"]["nodes"]) == 1
        assert await refused(api, CORRECTIONS, {"c": compound}, other) == "FORBIDDEN"
        owner = await identity.token(scene.owner.account_id)
        assert await refused(api, CORRECTIONS, {"c": compound}, owner) == "FORBIDDEN"


class TestMoney:
    async def test_owners_and_family_see_it(self, api: Api, scene: Scene) -> None:
        await ledger.prepay(scene.compound_id, scene.house_id, 1_500)
        await ledger.prepay(scene.compound_id, scene.house_id, 700, "parking")
        await bills.bill(scene.house_id, 1_000)
        await deduct(scene.house_id)
        house = {"h": encode("House", scene.house_id)}
        for who in (scene.owner, scene.family):
            token = await identity.token(who.account_id)
            seen = (await data(api, OWN, house, token))["viewer"]["account"]
            assert (seen["prepaidFen"], seen["depositFen"]) == (1_200, 0)
            assert seen["prepayments"] == [
                {"purpose": None, "balanceFen": 500}, {"purpose": "PARKING", "balanceFen": 700},
            ]  # fmt: skip
            moves = [
                (each["what"], each["amountFen"], each["purpose"]) for each in seen["movements"]["nodes"]
            ]
            assert moves == [
                ("预存抵扣", -1_000, None),
                ("期初余额", 700, "PARKING"),
                ("期初余额", 1_500, None),
            ]
        for who in (scene.tenant, scene.neighbour):
            assert await refused(api, OWN, house, await identity.token(who.account_id)) == "FORBIDDEN"

    async def test_a_new_owner_does_not_see_what_moved_before(self, api: Api, scene: Scene) -> None:
        await Occupancy.filter(pk=scene.owner.occupancy_id).update(since_on=date(2026, 1, 1))
        posting = ledger.posting(scene.compound_id, on=date(2025, 1, 1))
        lines = [books.Line(Account("opening"), 50), books.Line(Account("prepayment", scene.house_id), -50)]
        async with database.transaction():
            await books.post(posting, lines)
        token, house = await identity.token(scene.owner.account_id), {"h": encode("House", scene.house_id)}
        seen = (await data(api, OWN, house, token))["viewer"]["account"]
        assert (seen["prepaidFen"], seen["movements"]["nodes"]) == (50, [])
        await Occupancy.filter(pk=scene.owner.occupancy_id).update(since_on=date(2025, 1, 1))
        seen = (await data(api, OWN, house, token))["viewer"]["account"]
        assert len(seen["movements"]["nodes"]) == 1

    async def test_staff_by_permission_and_page(self, api: Api, scene: Scene) -> None:
        for fen in (1, 2, 3):
            await ledger.prepay(scene.compound_id, scene.house_id, fen)
        token, house = await staff_token(scene, READ), encode("House", scene.house_id)
        page = (await data(api, STAFF, {"h": house, "n": 2}, token))["houseAccount"]["movements"]
        assert [each["amountFen"] for each in page["nodes"]] == [3, 2]
        rest = {"h": house, "n": 2, "a": page["pageInfo"]["endCursor"]}
        page = (await data(api, STAFF, rest, token))["houseAccount"]["movements"]
        assert [each["amountFen"] for each in page["nodes"]] == [1]
        assert len(await residents.audited("house_account.read", scene.compound_id)) == 2
        assert await refused(api, STAFF, {"h": house}, await staff_token(scene, ASK)) == "FORBIDDEN"
        assert await refused(api, STAFF, {"h": encode("House", uuid4())}, token) == "HOUSE_NOT_FOUND"


class TestOpeningBalances:
    async def test_entered_once(self, api: Api, scene: Scene) -> None:
        token = await staff_token(scene, BALANCES_WRITE, READ)
        input = {
            "idempotencyKey": str(uuid4()),
            "house": encode("House", scene.house_id),
            "amountFen": 12_345,
        }
        fields, name = "account { prepaidFen }", "SetOpeningBalanceInput"
        for _ in range(2):
            done = await api.run("setOpeningBalance", name, fields, token, **input)
            assert done == {"account": {"prepaidFen": 12_345}, "errors": []}
        more = {**input, "idempotencyKey": str(uuid4())}
        again = await api.run("setOpeningBalance", name, fields, token, **more)
        assert [each["code"] for each in again["errors"]] == ["OPENING_BALANCE_SET"]
        done = await api.run("setOpeningBalance", name, fields, token, **more, purpose="PARKING")
        assert done["account"] == {"prepaidFen": 24_690}
        assert await ledger.trial_balance(scene.compound_id) == {"opening": 24_690, "prepayment": -24_690}
        await ledger.check_books()

    async def test_at_once_it_counts_once(self, scene: Scene) -> None:
        done = await asyncio.gather(*(enter(scene) for _ in range(4)), return_exceptions=True)
        assert sum(isinstance(each, Conflict) for each in done) == 3
        assert await books.balance(scene.compound_id, Account("prepayment", scene.house_id)) == 100

    @pytest.mark.parametrize(
        ("fen", "purpose", "code"),
        [(0, "", "AMOUNT_INVALID"), (-5, "", "AMOUNT_INVALID"), (2**53, "", "AMOUNT_OUT_OF_RANGE"),
         (5, "deposit", "PURPOSE_UNKNOWN"), (5, "lottery", "PURPOSE_UNKNOWN")],
    )  # fmt: skip
    async def test_bad_input(self, scene: Scene, fen: int, purpose: str, code: str) -> None:
        with pytest.raises(Invalid, match=code):
            await enter(scene, fen=fen, purpose=purpose)
        with pytest.raises(NotFound, match="HOUSE_NOT_FOUND"):
            await enter(scene, house_id=uuid4())
        assert await ledger.trial_balance(scene.compound_id) == {}

    @pytest.mark.parametrize("kind", [each for each in CALLERS if each != "staff"])
    async def test_authority(self, scene: Scene, kind: str) -> None:
        actor = await residents.caller(scene, kind)
        if kind == "staff of another building":
            actor = residents.staff(
                BALANCES_WRITE, compound_id=scene.compound_id, building_id=scene.other_building_id
            )
        with pytest.raises(Unauthenticated if kind == "nobody" else Forbidden):
            await set_opening_balance(
                actor, house_id=scene.house_id, purpose="", amount_fen=5, note="", idempotency_key=uuid4()
            )
        assert await ledger.trial_balance(scene.compound_id) == {}
        assert [row["outcome"] for row in await residents.audited("balance.open", scene.compound_id)
                if row["outcome"] != "refused"] == []  # fmt: skip


async def enter(scene: Scene, fen: int = 100, purpose: str = "", house_id: UUID | None = None) -> UUID:
    return await set_opening_balance(
        scene.staff(BALANCES_WRITE), house_id=house_id or scene.house_id, purpose=purpose, amount_fen=fen, note="",
        idempotency_key=uuid4(),
    )  # fmt: skip
