"""What a model of unit means by its readings, and how it wants to be told.

Readings by their numbers in the AVL packet: Teltonika Telematics Wiki, "Data Sending Parameters ID".
A unit controls what its installer wired: the profile is that of the installation, not of the brand.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fleet.telematics import records
from fleet.vehicles.states import CommandKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fleet.telematics.records import Points
    from fleet.telematics.teltonika.wire import AvlRecord

_IGNITION, _TOWING = 239, 246
_ODOMETER_M, _HDOP_TENTHS = 16, 182
_BATTERY_PCT, _TRACTION_BATTERY_PCT = 113, 152

_KMH_TO_CMS = 100 / 3.6
_INT16, _INT32 = 32_767, 2_147_483_647
# 9999-12-31 in milliseconds: beyond it nobody can write a date; such a clock is put aside anyway.
_LAST_MS = 253_402_300_799_999
# A fix is about so good for each unit of dilution, in tenths of a metre.
_DM_PER_HDOP = 50

_REFUSAL = re.compile(
    r"error|fail|invalid|unknown|not supported|disabled|required|bad syntax", re.IGNORECASE
)


@dataclass(frozen=True, kw_only=True)
class Profile:
    """One kind of installation. Numbers of readings; None where it has none."""

    battery: tuple[int, ...] = (_BATTERY_PCT,)
    odometer: int | None = _ODOMETER_M
    # On while somebody can ride.
    released: int | None = _IGNITION
    # On when the vehicle was lifted or laid down while switched off.
    tilted: int | None = _TOWING
    commands: Mapping[str, str] = field(default_factory=dict)


_RING = "setdigout ?1 ? 5"
_ANYBODY: dict[str, str] = {CommandKind.REFRESH: "getrecord"}

PROFILES: dict[str, Profile] = {
    # DOUT1 holds a relay open that lets the vehicle drive; DOUT2 is a horn or a buzzer.
    "relay": Profile(
        battery=(_TRACTION_BATTERY_PCT, _BATTERY_PCT),
        commands=_ANYBODY
        | {
            CommandKind.LOCK: "setdigout 0?",
            CommandKind.UNLOCK: "setdigout 1?",
            CommandKind.IMMOBILISE: "setdigout 0?",
            CommandKind.RELEASE: "setdigout 1?",
            CommandKind.LOCATE: _RING,
        },
    ),
    # A car with a CAN adapter that works the doors; DOUT1 cuts the starter.
    "can": Profile(
        battery=(_TRACTION_BATTERY_PCT, _BATTERY_PCT),
        commands=_ANYBODY
        | {
            CommandKind.LOCK: "lvcanclosealldoors",
            CommandKind.UNLOCK: "lvcanopenalldoors",
            CommandKind.OPEN_HATCH: "lvcanopentrunk",
            CommandKind.IMMOBILISE: "setdigout 1?",
            CommandKind.RELEASE: "setdigout 0?",
            CommandKind.LOCATE: _RING,
        },
    ),
    # Says where it is and can be told nothing else.
    "tracker": Profile(released=None, commands=_ANYBODY),
}
DEFAULT_PROFILE = "tracker"


def profile_of(model: str) -> Profile:
    """The profile of a device's model; what nobody knows only tracks."""
    return PROFILES.get(model) or PROFILES[DEFAULT_PROFILE]


def points_of(found: Iterable[AvlRecord], *, profile: Profile) -> Points:
    """The records of a frame as points."""
    return records.points_from([_row(record, profile) for record in found])


def command_text(
    kind: str,
    parameters: Mapping[str, Any],
    *,
    profile: Profile,
) -> str | None:
    """What to send for a command; None if this installation cannot do it."""
    # No profile yet takes a parameter, so a command that needs one cannot be obeyed.
    return None if parameters else profile.commands.get(kind)


def result_of(answer: str) -> str:
    """Whether a unit did what it was told: `confirmed`, `rejected`, or `accepted` while it waits."""
    if _REFUSAL.search(answer):
        return "rejected"
    return "accepted" if "queued" in answer.lower() else "confirmed"


def _row(record: AvlRecord, profile: Profile) -> tuple[int, ...]:
    readings = record.readings
    released = _flag(readings, profile.released)
    return (
        min(record.at_ms, _LAST_MS) * 1000,
        record.lon_e7,
        record.lat_e7,
        _limited(readings.get(profile.odometer or 0), _INT32),
        _accuracy_dm(record),
        min(round(record.speed_kmh * _KMH_TO_CMS), _INT16),
        record.angle_deg % 360,
        _battery_pct(readings, profile),
        records.UNKNOWN if released == records.UNKNOWN else 1 - released,
        _flag(readings, profile.tilted),
    )


def _battery_pct(readings: Mapping[int, int], profile: Profile) -> int:
    told = (readings[name] for name in profile.battery if name in readings)
    return next((value for value in told if value <= 100), records.UNKNOWN)


def _accuracy_dm(record: AvlRecord) -> int:
    """Without a satellite a unit repeats its last place, which says nothing about now."""
    if not record.satellites:
        return _INT16
    hdop = record.readings.get(_HDOP_TENTHS)
    return records.UNKNOWN if hdop is None else min(hdop * _DM_PER_HDOP // 10, _INT16)


def _flag(readings: Mapping[int, int], name: int | None) -> int:
    value = None if name is None else readings.get(name)
    return records.UNKNOWN if value is None else int(value > 0)


def _limited(value: int | None, limit: int) -> int:
    return records.UNKNOWN if value is None else min(value, limit)
