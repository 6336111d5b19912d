"""The register of devices: what staff record, change and retire, and the ledger that tells of it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import asyncpg
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from domains.devices import permissions
from domains.devices.facts import DeviceFacts
from domains.devices.models import AssetEntry, Device, DeviceKey
from domains.devices.queries import keys as known_keys
from domains.devices.service import keys, ledger, registry
from domains.estate.facts import Position
from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.errors import Conflict, DomainError, Invalid, NotFound
from tests.factories import alarms, identity, residents
from tests.factories.identity import Places, places
from tests.factories.kernel import audit_rows

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture(scope="module")
async def at(instance: object) -> Places:
    return await places()


@pytest.fixture
def clerk(at: Places) -> Actor:
    return residents.staff(permissions.WRITE, compound_id=at.compound_id)


def facts(**more: object) -> DeviceFacts:
    return {"code": identity.unique("D-"), "name": "南门道闸", "kind": "gate", **more}  # type: ignore[typeddict-item]  # given by name


async def registered(clerk: Actor, at: Places, **more: object) -> UUID:
    return await registry.register_device(clerk, compound_id=at.compound_id, facts=facts(**more))


async def lines(device_id: UUID) -> list[tuple[str, str]]:
    rows = await AssetEntry.filter(device_id=device_id).order_by("recorded_at", "id").values("kind", "note")
    return [(row["kind"], row["note"]) for row in rows]


async def refused(work: object) -> DomainError:
    with pytest.raises(DomainError) as refusal:
        await work  # type: ignore[misc]  # a coroutine
    return refusal.value


async def test_everything_of_a_device_is_recorded(clerk: Actor, at: Places) -> None:
    position = Position(Decimal("30.2741234567"), Decimal("120.155"))
    id = await registry.register_device(
        clerk, compound_id=at.compound_id, vendor="浙江某安防", cost_fen=1_280_050,
        facts=facts(
            code="　ＡＢ-01 ", building_id=at.building_id, maker="海康", model="DS-1", serial="SN9", place="一层大厅",
            position=position, owner="业主大会", maintainer="某维保", maintainer_phone="0571 88880000",
            installed_on=date(2024, 5, 1), silent_after_s=300,
        ),
    )  # fmt: skip
    device = await Device.get(pk=id)
    assert (device.code, device.latitude, device.maintainer_phone) == (
        "AB-01", Decimal("30.274123"), "0571-88880000",
    )  # fmt: skip
    assert (device.state, device.is_online, device.last_seen_at) == ("in_service", None, None)
    bought, installed = await AssetEntry.filter(device_id=id).order_by("id")
    assert (bought.kind, bought.vendor, bought.cost_fen, bought.on_day) == (
        "registered", "浙江某安防", 1_280_050, clock.today(),
    )  # fmt: skip
    assert (installed.kind, installed.on_day, installed.recorded_by) == (
        "installed", date(2024, 5, 1), clerk.id,
    )  # fmt: skip
    assert (await audit_rows("device.register"))[-1]["subject_id"] == id


@pytest.mark.parametrize(
    ("more", "code", "field"),
    [
        ({"code": "  "}, "TEXT_EMPTY", "code"),
        ({"code": "x" * 41}, "TEXT_TOO_LONG", "code"),
        ({"name": "a\u202eb"}, "TEXT_INVISIBLE_CHARACTER", "name"),
        ({"kind": "toaster"}, "DEVICE_KIND_UNKNOWN", "kind"),
        ({"place": "x" * 121}, "TEXT_TOO_LONG", "place"),
        ({"position": Position(Decimal(91), Decimal(0))}, "NUMBER_RANGE", "position.latitude"),
        ({"position": Position(Decimal("NaN"), Decimal(0))}, "NUMBER_RANGE", "position.latitude"),
        ({"maintainer_phone": "12345"}, "PHONE_INVALID", "maintainer_phone"),
        ({"installed_on": date(1900, 1, 1)}, "DAY_OUT_OF_RANGE", "installed_on"),
        ({"installed_on": date(2999, 1, 1)}, "DAY_OUT_OF_RANGE", "installed_on"),
        ({"silent_after_s": 29}, "NUMBER_RANGE", "silent_after_s"),
        ({"silent_after_s": 604_801}, "NUMBER_RANGE", "silent_after_s"),
        ({"building_id": uuid4()}, "BUILDING_NOT_FOUND", "building"),
    ],
)
async def test_bad_facts_are_refused_and_nothing_is_written(
    clerk: Actor, at: Places, more: dict[str, object], code: str, field: str
) -> None:
    before = await Device.all().count()
    refusal = await refused(registered(clerk, at, **more))
    assert (refusal.code, refusal.field) == (code, field)
    assert await Device.all().count() == before


async def test_a_building_of_another_compound_is_none_here(clerk: Actor, at: Places) -> None:
    elsewhere = await places()
    assert (
        await refused(registered(clerk, at, building_id=elsewhere.building_id))
    ).code == "BUILDING_NOT_FOUND"


async def test_of_two_devices_with_one_code_one_is_registered(clerk: Actor, at: Places) -> None:
    results = await asyncio.gather(
        *(registered(clerk, at, code="SAME-1") for _ in range(5)), return_exceptions=True
    )
    assert [each.code for each in results if isinstance(each, Conflict)] == ["DEVICE_CODE_TAKEN"] * 4
    assert await AssetEntry.filter(device__code="SAME-1", kind="registered").count() == 1
    other = await registered(clerk, at)
    taken = await refused(registry.update_device(clerk, device_id=other, facts={"code": "SAME-1"}))
    assert taken.code == "DEVICE_CODE_TAKEN"
    assert len(await lines(other)) == 2


async def test_the_ledger_says_of_each_change_what_it_was_and_is(clerk: Actor, at: Places) -> None:
    id = await registered(clerk, at, code="CH-1", place="东侧")
    changes: DeviceFacts = {
        "code": "CH-2", "kind": "vehicle_gate", "place": "西侧", "building_id": at.building_id, "maker": None,
        "position": Position(Decimal(30), Decimal(120)), "name": "南门道闸",
    }  # fmt: skip
    await registry.update_device(clerk, device_id=id, facts=changes)
    assert set((await lines(id))[2:]) == {
        ("corrected", "类型:人行闸机 → 车辆道闸"),
        ("corrected", "编号:CH-1 → CH-2"),
        ("moved", "位置:东侧 → 西侧"),
        ("moved", "楼栋:无 → 1号楼"),
        ("moved", "纬度:无 → 30.000000"),
        ("moved", "经度:无 → 120.000000"),
    }
    assert set(orjson.loads((await audit_rows("device.update"))[-1]["details"])["changed"]) == {
        "code", "kind", "place", "building_id", "latitude", "longitude",
    }  # fmt: skip
    await registry.update_device(clerk, device_id=id, facts=changes)
    assert len(await lines(id)) == 8, "what is as it was changes nothing"


async def test_two_who_change_a_device_at_once_leave_a_ledger_that_adds_up(clerk: Actor, at: Places) -> None:
    id = await registered(clerk, at, place="0")
    await asyncio.gather(
        *(registry.update_device(clerk, device_id=id, facts={"place": str(n)}) for n in range(1, 6))
    )
    steps = [note.removeprefix("位置:").split(" → ") for kind, note in await lines(id) if kind == "moved"]
    assert [old for old, _ in steps[1:]] == [new for _, new in steps[:-1]]
    assert steps[0][0] == "0" and steps[-1][1] == (await Device.get(pk=id)).place


async def test_a_device_lives_through_its_states(clerk: Actor, at: Places) -> None:
    id = await registry.register_device(clerk, compound_id=at.compound_id, state="in_store", facts=facts())
    moves: tuple[tuple[registry.State, str], ...] = (
        ("in_service", "installed"), ("out_of_order", "out_of_order"), ("in_service", "back"), ("in_store", "moved"),
        ("in_service", "installed"),
    )  # fmt: skip
    for state, _ in moves:
        await registry.change_device_state(clerk, device_id=id, state=state)
    assert [kind for kind, _ in await lines(id)] == ["registered", *(kind for _, kind in moves)]
    assert (await Device.get(pk=id)).installed_on == clock.today()


async def test_a_device_that_was_taken_away_is_not_offline(clerk: Actor, at: Places) -> None:
    id = await registered(clerk, at)
    await Device.filter(pk=id).update(is_online=False, offline_since=clock.now())
    await registry.change_device_state(clerk, device_id=id, state="in_store")
    device = await Device.get(pk=id)
    assert (device.is_online, device.offline_since) == (None, None)


async def test_a_retired_device_signs_nothing_alarms_nothing_and_stays_as_it_is(
    clerk: Actor, at: Places
) -> None:
    id = await registered(clerk, at)
    key = await keys.issue_device_key(clerk, device_id=id)
    await alarms.raised(id, "tamper")
    retire = registry.change_device_state(clerk, device_id=id, state="retired", reason=" ")
    assert (await refused(retire)).code == "RETIREMENT_REASON_REQUIRED"
    assert (await known_keys.find(key.key_id)) is not None

    await registry.change_device_state(clerk, device_id=id, state="retired", reason="主板烧毁")
    assert await known_keys.find(key.key_id) is None
    assert (await DeviceKey.get(key_id=key.key_id)).revoked_by == clerk.id
    assert [alarm.state for alarm in await alarms.all_of(id)] == ["cleared"]
    assert (await lines(id))[-1] == ("retired", "主板烧毁")
    told = "SELECT count(*) FROM outbox_message WHERE event = 'DeviceRetired' AND payload->>'device_id' = $1"
    assert await database.fetchval(told, str(id)) == 1

    for work, code in (
        (registry.update_device(clerk, device_id=id, facts={"name": "别的"}), "DEVICE_RETIRED"),
        (registry.change_device_state(clerk, device_id=id, state="in_service"), "STATE_CONFLICT"),
        (keys.issue_device_key(clerk, device_id=id), "DEVICE_RETIRED"),
    ):
        assert (await refused(work)).code == code
    await ledger.record_asset_entry(clerk, device_id=id, kind="repaired", note="迟到的账单", cost_fen=100)


async def test_of_two_who_retire_a_device_one_does(clerk: Actor, at: Places) -> None:
    id = await registered(clerk, at)
    results = await asyncio.gather(
        *(
            registry.change_device_state(clerk, device_id=id, state="retired", reason="旧了")
            for _ in range(4)
        ),
        return_exceptions=True,
    )
    assert sorted(str(each) for each in results if isinstance(each, Conflict)) == ["STATE_CONFLICT"] * 3
    assert [kind for kind, _ in await lines(id)].count("retired") == 1


async def test_work_is_written_into_the_ledger_and_stays_there(clerk: Actor, at: Places) -> None:
    id, key = await registered(clerk, at), uuid4()
    yesterday = clock.today() - timedelta(days=1)
    for _ in range(2):
        await ledger.record_asset_entry(
            clerk, device_id=id, kind="part_replaced", on_day=yesterday, note="换电源\n含工时", vendor="某维保",
            cost_fen=35_000, idempotency_key=key,
        )  # fmt: skip
    [entry] = await AssetEntry.filter(device_id=id, kind="part_replaced")
    assert (entry.on_day, entry.note, entry.vendor, entry.cost_fen) == (
        yesterday, "换电源\n含工时", "某维保", 35_000,
    )  # fmt: skip
    for statement in ("UPDATE asset_entry SET cost_fen = 1", "DELETE FROM asset_entry"):
        with pytest.raises(asyncpg.PostgresError):
            await database.execute(statement)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"cost_fen": -1}, "AMOUNT_OUT_OF_RANGE"),
        ({"cost_fen": 10_000_000_001}, "AMOUNT_OUT_OF_RANGE"),
        ({"on_day": date(2999, 1, 1)}, "DAY_OUT_OF_RANGE"),
        ({"note": "x" * 301}, "TEXT_TOO_LONG"),
        ({"vendor": "x" * 61}, "TEXT_TOO_LONG"),
    ],
)
async def test_bad_work_is_refused(clerk: Actor, at: Places, more: dict[str, object], code: str) -> None:
    id = await registered(clerk, at)
    work = ledger.record_asset_entry(clerk, device_id=id, kind="inspected", **more)  # type: ignore[arg-type]  # given by name
    assert (await refused(work)).code == code
    assert len(await lines(id)) == 2


def public(key: Ed25519PrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


async def test_a_key_of_the_devices_own(clerk: Actor, at: Places) -> None:
    id, key = await registered(clerk, at), Ed25519PrivateKey.generate()
    issued = await keys.issue_device_key(clerk, device_id=id, public_key=public(key))
    assert (issued.key_id, issued.private_pem) == (
        hashlib.sha256(key.public_key().public_bytes_raw()).hexdigest()[:16], None,
    )  # fmt: skip
    found = await known_keys.find(issued.key_id)
    assert found and (found.device_id, found.compound_id) == (id, at.compound_id)
    assert found.public_key == key.public_key().public_bytes_raw()
    again = keys.issue_device_key(clerk, device_id=id, public_key=public(key))
    assert (await refused(again)).code == "DEVICE_KEY_TAKEN"


async def test_a_pair_that_is_made_here_is_given_once_and_kept_nowhere(clerk: Actor, at: Places) -> None:
    id = await registered(clerk, at)
    issued = await keys.issue_device_key(clerk, device_id=id)
    assert issued.private_pem and "PRIVATE" not in repr(issued)
    private = load_pem_private_key(issued.private_pem.encode(), None)
    assert isinstance(private, Ed25519PrivateKey)
    row = await DeviceKey.get(key_id=issued.key_id)
    assert bytes(row.public_key) == private.public_key().public_bytes_raw()
    seed = private.private_bytes_raw()
    for table in ("device_key", "audit_entry", "outbox_message", "idempotency_record"):
        for secret in (seed.hex(), base64.b64encode(seed).decode(), issued.private_pem.splitlines()[1]):
            found = await database.fetchval(
                f"SELECT count(*) FROM {table} t WHERE strpos(t::text, $1) > 0", secret
            )
            assert found == 0


@pytest.mark.parametrize(
    "written",
    ["", "x", "AAAA", "A" * 44, base64.b64encode(bytes(31)).decode(), base64.b64encode(bytes(33)).decode()],
)
async def test_what_is_no_key_is_refused(clerk: Actor, at: Places, written: str) -> None:
    id = await registered(clerk, at)
    with pytest.raises(Invalid) as refusal:
        await keys.issue_device_key(clerk, device_id=id, public_key=written)
    assert refusal.value.code == "DEVICE_KEY_INVALID"


async def test_a_device_has_two_keys_at_most_however_many_ask_at_once(clerk: Actor, at: Places) -> None:
    id = await registered(clerk, at)
    results = await asyncio.gather(
        *(keys.issue_device_key(clerk, device_id=id) for _ in range(5)), return_exceptions=True
    )
    assert [str(each) for each in results if isinstance(each, Conflict)] == ["DEVICE_KEYS_IN_USE"] * 3
    first = await DeviceKey.filter(device_id=id).first()
    assert first is not None
    await keys.revoke_device_key(clerk, device_id=id, key_id=first.key_id)
    assert await known_keys.find(first.key_id) is None
    await keys.issue_device_key(clerk, device_id=id)


async def test_a_key_is_revoked_of_its_own_device_and_once(clerk: Actor, at: Places) -> None:
    id, other = await registered(clerk, at), await registered(clerk, at)
    issued = await keys.issue_device_key(clerk, device_id=id)
    for device_id, key_id in ((other, issued.key_id), (id, "0" * 16), (id, "'; --")):
        with pytest.raises(NotFound) as refusal:
            await keys.revoke_device_key(clerk, device_id=device_id, key_id=key_id)
        assert refusal.value.code == "DEVICE_KEY_NOT_FOUND"
    assert await known_keys.find(issued.key_id)
    await keys.revoke_device_key(clerk, device_id=id, key_id=issued.key_id)
    again = keys.revoke_device_key(clerk, device_id=id, key_id=issued.key_id)
    assert (await refused(again)).code == "DEVICE_KEY_NOT_FOUND"


async def test_a_device_that_is_none(clerk: Actor) -> None:
    for work in (
        registry.update_device(clerk, device_id=uuid4(), facts={}),
        registry.change_device_state(clerk, device_id=uuid4(), state="in_store"),
        ledger.record_asset_entry(clerk, device_id=uuid4(), kind="inspected"),
        keys.issue_device_key(clerk, device_id=uuid4()),
    ):
        assert (await refused(work)).code == "DEVICE_NOT_FOUND"


async def test_who_has_one_building_moves_no_device_into_another(at: Places) -> None:
    local = residents.staff(permissions.WRITE, compound_id=at.compound_id, building_id=at.building_id)
    id = await registered(local, at, building_id=at.building_id)
    for facts_ in ({"building_id": at.other_building_id}, {"building_id": None}):
        assert (await refused(registry.update_device(local, device_id=id, facts=facts_))).code == "FORBIDDEN"  # type: ignore[arg-type]  # given by name
    assert (await refused(registered(local, at))).code == "FORBIDDEN"
    assert len(await lines(id)) == 2
