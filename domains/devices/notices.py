"""What staff are told of alarms (通知类型)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time, timedelta

from domains.devices.kinds import Level
from notifications.kinds import Audience, Channel, Climb, FieldType, Kind, Text, Urgency

_STAFF: frozenset[Audience] = frozenset({"staff"})
_ALARM = {
    "compound": FieldType.TEXT, "place": FieldType.TEXT, "alarm": FieldType.TEXT, "alarm_en": FieldType.TEXT,
    "at": FieldType.INSTANT,
}  # fmt: skip
_TITLE = Text("{alarm}：{place}", "{alarm_en}: {place}")
_SHORT = {"alarm": "{alarm}", "place": "{place}"}

CRITICAL = Kind(
    "alarm.critical",
    Text("紧急告警", "Critical alarms"),
    _ALARM,
    _TITLE,
    Text("{compound}，{at}。请立即到场处置。", "{compound}, {at}. Go there at once."),
    urgency=Urgency.URGENT,
    channels=frozenset({Channel.WEB_PUSH, Channel.SMS, Channel.VOICE}),
    worth=timedelta(hours=12),
    link="/staff/alarms",
    is_optional=False,
    climbs=(
        Climb(timedelta(minutes=2), Channel.SMS, anyone=True),
        Climb(timedelta(minutes=5), Channel.VOICE, anyone=True),
    ),
    sms=_SHORT,
    voice=_SHORT,
    purpose=Text("火警、燃气、困人等告警时立即通知", "Tells you at once of fire, gas and people trapped"),
    audience=_STAFF,
)

RAISED = Kind(
    "alarm.raised",
    Text("重要告警", "Major alarms"),
    _ALARM,
    _TITLE,
    Text("{compound}，{at}。请尽快查看处置。", "{compound}, {at}. See to it soon."),
    urgency=Urgency.HIGH,
    channels=frozenset({Channel.WEB_PUSH}),
    worth=timedelta(days=1),
    link="/staff/alarms",
    sms=_SHORT,
    purpose=Text("水箱、电梯、井盖、门禁等告警时通知", "Tells you of tanks, lifts, manholes and doors"),
    audience=_STAFF,
)

MINOR = Kind(
    "alarm.minor",
    Text("一般告警", "Minor alarms"),
    _ALARM,
    _TITLE,
    Text("{compound}，{at}。请安排查看。", "{compound}, {at}. Have somebody look."),
    channels=frozenset({Channel.WEB_PUSH}),
    worth=timedelta(days=2),
    link="/staff/alarms",
    slots=(time(9), time(12), time(15), time(18)),
    purpose=Text("设备离线、故障等情况汇总通知", "Sums up devices that are offline or faulty"),
    audience=_STAFF,
)

OVER = Kind(
    "alarm.over",
    Text("紧急告警解除", "Critical alarms over"),
    {**_ALARM, "how": FieldType.TEXT, "how_en": FieldType.TEXT},
    Text("已解除，{alarm}：{place}", "Over: {alarm_en}, {place}"),
    Text("{compound}，{at}，{how}。", "{compound}, {at}, {how_en}."),
    urgency=Urgency.HIGH,
    channels=frozenset({Channel.WEB_PUSH}),
    worth=timedelta(hours=12),
    link="/staff/alarms",
    sms=_SHORT,
    purpose=Text("紧急告警解除时告诉收到告警的人", "Tells those who were told that an alarm is over"),
    audience=_STAFF,
)

OF_LEVEL: Mapping[Level, Kind] = {"critical": CRITICAL, "major": RAISED, "minor": MINOR}
"""What tells of a new alarm, by its level."""

KINDS = (CRITICAL, RAISED, MINOR, OVER)
