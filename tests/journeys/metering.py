"""Meters in the journey: put in, read by staff, files and residents; what looks wrong waits and is decided."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from tests.journeys.office import CHINA, Office, key, mutate, refused
from tests.journeys.steps import Steps

WAITING = """
query Waiting($compound: ID!) { readingsToReview(compound: $compound) {
  nodes { id number value previousValue units problem source photo { address } } } }
"""
METERS = """
query Meters($compound: ID!, $since: Date) { meters(compound: $compound, filter: { unreadSince: $since }) {
  nodes { id number lastValue waiting } } }
"""
MINE = "query Mine { viewer { meters { id number lastValue consumption(months: 3) { month units } } } }"
READINGS = "query Readings($meter: ID!) { meterReadings(meter: $meter) { nodes { value source state } } }"
USED = """
query Used($compound: ID!, $from: Date!, $until: Date!) {
  consumption(compound: $compound, fromMonth: $from, untilMonth: $until, kind: WATER) { month units meters unread } }
"""
SEND = """
mutation Send($input: SubmitMeterReadingInput!) { submitMeterReading(input: $input) {
  reading { state problem } errors { code message } } }
"""
# A picture of one point, as a telephone would send a larger one.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c626001000000ffff0300"
    "0006000557bfabd40000000049454e44ae426082"
)


def play(steps: Steps, office: Office) -> None:
    """The steps in order; each asserts what it claims."""
    clerk = office.clerk
    with steps.step("装表、更正、导入 meters are put in, corrected and imported"):
        mine, other = (_register(office, room) for room in ("101", "102"))
        mutate(clerk, "updateMeter", meter=other, number="W-102A", dailyMost="2")
        sheet = (
            "表号,表类型,位数,初始读数,安装日期,楼栋,单元,房号\n"
            + f"W-201,水表,5,0,{office.last_month},1号楼,1单元,201室\n"
        )
        assert _upload(office, "importMeters", sheet)["imported"] == 1
    with steps.step("抄表:正常的入账,异常的待审核 readings: what looks right counts, what does not waits"):
        answers = mutate(
            clerk, "recordReadings", "answers { result problem code }", compound=office.compound,
            readings=[_read(office, mine, 118), _read(office, other, 900)], idempotencyKey=key(),
        )["answers"]  # fmt: skip
        assert [each["result"] for each in answers] == ["ACCEPTED", "HELD"], answers
        day = office.month - timedelta(days=1)
        read = _upload(office, "importMeterReadings", f"表号,读数,抄表日期\nW-201,12,{day}\n")
        assert (read["imported"], read["known"]) == (1, 0), read
        assert _upload(office, "importMeterReadings", f"表号,读数,抄表日期\nW-201,12,{day}\n")["known"] == 1
    with steps.step(
        "业主拍照自助抄表,异常的由员工审核 a resident sends a reading with a photo; staff decide"
    ):
        _submitting(office, mine)
    with steps.step("换表、拆表 a meter is replaced, another taken out"):
        spare = _register(office, "202")
        new = {"number": "W-202B", "digits": 5, "installedOn": str(office.month)}
        made = mutate(clerk, "replaceMeter", "meter { id }", meter=spare, finalValue="107", **new)["meter"][
            "id"
        ]
        mutate(clerk, "removeMeter", meter=made, onDay=str(office.month), finalValue="0")
        rows = clerk.ask(READINGS, meter=spare)["meterReadings"]["nodes"]
        assert [each["source"] for each in rows] == ["REMOVAL", "INSTALL"], rows
    with steps.step("漏抄与用量 what is not read, and what was used"):
        unread = clerk.ask(METERS, compound=office.compound, since=str(office.last_month + timedelta(days=1)))
        assert {each["number"] for each in unread["meters"]["nodes"]} == {"W-102A"}, unread
        span = {"from": str(office.last_month), "until": str(office.last_month)}
        used = clerk.ask(USED, compound=office.compound, **span)["consumption"]
        assert used and sum(float(each["units"] or 0) for each in used) >= 30, used


def _register(office: Office, room: str) -> str:
    return str(
        mutate(
            office.clerk, "registerMeter", "meter { id }", compound=office.compound, kind="WATER",
            number=f"W-{room}", digits=5, installedOn=str(office.last_month), firstValue="100",
            house=office.id_of(room),
        )["meter"]["id"]
    )  # fmt: skip


def _read(office: Office, meter: str, value: int) -> dict[str, object]:
    """A reading of the last noon of the month before."""
    noon = datetime.combine(office.month - timedelta(days=1), time(12), CHINA)
    return {"meter": meter, "value": str(value), "readAt": noon.isoformat()}


def _upload(office: Office, name: str, text: str) -> Any:
    query = (
        f"mutation Up($input: ImportMetersInput!) {{ {name}(input: $input) {{ rows imported held known "
        "problems { row column message } errors { code message } } }"
    )
    given: dict[str, object] = {"input": {"compound": office.compound, "file": None}}
    done = office.clerk.upload(query, given, "variables.input.file", "抄表.csv", text.encode())[name]
    assert done["errors"] == [] and not done["problems"], done
    return done


def _submitting(office: Office, meter: str) -> None:
    owner, clerk = office.owner, office.clerk
    assert [each["number"] for each in owner.ask(MINE)["viewer"]["meters"]] == ["W-101"]
    sent: dict[str, object] = {
        "input": {"meter": meter, "value": "9000", "idempotencyKey": key(), "photo": None}
    }
    done = owner.upload(SEND, sent, "variables.input.photo", "meter.png", PNG)["submitMeterReading"]
    assert (done["errors"], done["reading"]["state"]) == ([], "HELD"), done
    waiting = clerk.ask(WAITING, compound=office.compound)["readingsToReview"]["nodes"]
    (seen,) = [each for each in waiting if each["source"] == "RESIDENT"]
    assert seen["problem"] == "IMPLAUSIBLE" and office.download(clerk, seen["photo"]["address"]) == PNG
    assert refused(clerk, "reviewReading", reading=seen["id"], accept=False) == ["REASON_REQUIRED"]
    mutate(clerk, "reviewReading", reading=seen["id"], accept=False, reason="照片看不清")
    assert "照片看不清" in office.told(owner, "meter_reading.rejected")["body"]
    good = mutate(
        owner, "submitMeterReading", "reading { state units }", meter=meter, value="120", idempotencyKey=key()
    )["reading"]
    assert good["state"] == "ACCEPTED" and float(good["units"]) == 2, good
