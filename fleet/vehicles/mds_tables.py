"""The state machines of the Mobility Data Specification 2.0.2, whole and as data.

One row of a table is what the standard's row is: the states an event may be told from, the event,
and the state it leads to. Nothing here knows of our vehicles; `mds.py` picks from it.

Source: MDS 2.0.2, `modes/micromobility.md` and `modes/car-share.md`, "Event Types" and "Vehicle
State Events". Two things are kept as they stand there: car-share's table uses `decommissioned` and
`recommissioned`, which its own list of events leaves out; and the rows that keep their state
(`changed_geographies`, charging, fuelling, remote start) are part of the tables.
"""

from __future__ import annotations

from enum import StrEnum

Triple = tuple["MdsState", str, "MdsState"]


class Mode(StrEnum):
    """The MDS modes our vehicles belong to."""

    MICROMOBILITY = "micromobility"
    CAR_SHARE = "car-share"


class MdsState(StrEnum):
    """The vehicle states of MDS 2."""

    REMOVED = "removed"
    AVAILABLE = "available"
    NON_OPERATIONAL = "non_operational"
    RESERVED = "reserved"
    ON_TRIP = "on_trip"
    STOPPED = "stopped"
    NON_CONTACTABLE = "non_contactable"
    MISSING = "missing"
    ELSEWHERE = "elsewhere"


S = MdsState
UNSPECIFIED = "unspecified"

# --- micromobility ----------------------------------------------------------------------------------

_SIX = (S.AVAILABLE, S.ELSEWHERE, S.NON_OPERATIONAL, S.ON_TRIP, S.REMOVED, S.RESERVED)
_OUT = (S.AVAILABLE, S.NON_OPERATIONAL, S.ELSEWHERE)
_SILENT = (S.NON_CONTACTABLE, S.MISSING)
_MICROMOBILITY = (
    ((S.AVAILABLE,), "battery_low", S.NON_OPERATIONAL),
    ((S.AVAILABLE,), "maintenance", S.NON_OPERATIONAL),
    ((S.AVAILABLE,), "off_hours", S.NON_OPERATIONAL),
    ((S.AVAILABLE,), "reservation_start", S.RESERVED),
    ((S.AVAILABLE,), "system_suspend", S.NON_OPERATIONAL),
    (_SIX, "comms_lost", S.NON_CONTACTABLE),
    (_SIX, UNSPECIFIED, S.NON_CONTACTABLE),
    ((S.AVAILABLE, *_SILENT), UNSPECIFIED, S.NON_OPERATIONAL),
    (_OUT, "compliance_pick_up", S.REMOVED),
    (_OUT, "maintenance_pick_up", S.REMOVED),
    (_OUT, "rebalance_pick_up", S.REMOVED),
    ((*_OUT, *_SILENT), "agency_pick_up", S.REMOVED),
    ((*_OUT, *_SILENT), "decommissioned", S.REMOVED),
    ((S.AVAILABLE, S.RESERVED), "trip_start", S.ON_TRIP),
    ((S.ELSEWHERE,), "trip_enter_jurisdiction", S.ON_TRIP),
    *(((S.MISSING,), "located", back) for back in _SIX),
    *(((S.NON_CONTACTABLE,), "comms_restored", back) for back in _SIX),
    ((S.NON_CONTACTABLE,), "not_located", S.MISSING),
    ((S.NON_CONTACTABLE,), UNSPECIFIED, S.MISSING),
    (_SILENT, UNSPECIFIED, S.ELSEWHERE),
    (_SILENT, UNSPECIFIED, S.ON_TRIP),
    (_SILENT, UNSPECIFIED, S.RESERVED),
    ((*_SILENT, S.NON_OPERATIONAL, S.AVAILABLE, S.ELSEWHERE), UNSPECIFIED, S.REMOVED),
    ((S.NON_OPERATIONAL,), "battery_charged", S.AVAILABLE),
    ((S.NON_OPERATIONAL,), "maintenance", S.AVAILABLE),
    ((S.NON_OPERATIONAL,), "on_hours", S.AVAILABLE),
    ((S.NON_OPERATIONAL,), "system_resume", S.AVAILABLE),
    ((S.NON_OPERATIONAL, *_SILENT), UNSPECIFIED, S.AVAILABLE),
    ((S.ON_TRIP,), "changed_geographies", S.ON_TRIP),
    ((S.ON_TRIP,), "trip_cancel", S.AVAILABLE),
    ((S.ON_TRIP,), "trip_end", S.AVAILABLE),
    ((S.ON_TRIP,), "trip_leave_jurisdiction", S.ELSEWHERE),
    ((S.REMOVED, *_SILENT), "agency_drop_off", S.AVAILABLE),
    ((S.REMOVED, *_SILENT), "provider_drop_off", S.AVAILABLE),
    ((S.RESERVED,), "reservation_cancel", S.AVAILABLE),
)

# --- car-share --------------------------------------------------------------------------------------

_SEVEN = tuple(state for state in S if state not in {S.NON_CONTACTABLE, S.MISSING})
_CANCELLATIONS = ("customer_cancellation", "driver_cancellation", "provider_cancellation")
_INSIDE = (S.AVAILABLE, S.NON_OPERATIONAL, S.ON_TRIP, S.RESERVED)
_WHILE_STOPPED = (
    "charging_start",
    "charging_end",
    "fueling_start",
    "fueling_end",
    "remote_start",
    "remote_end",
)
_CAR_SHARE = (
    (_INSIDE, "trip_leave_jurisdiction", S.ELSEWHERE),
    *(((S.ELSEWHERE,), "trip_enter_jurisdiction", back) for back in _INSIDE),
    (_SEVEN, "comms_lost", S.NON_CONTACTABLE),
    *(((S.NON_CONTACTABLE,), "comms_restored", back) for back in _SEVEN),
    ((S.AVAILABLE,), "service_end", S.NON_OPERATIONAL),
    ((S.AVAILABLE,), "reservation_start", S.RESERVED),
    ((S.NON_OPERATIONAL,), "service_start", S.AVAILABLE),
    ((S.NON_OPERATIONAL,), "decommissioned", S.REMOVED),
    ((S.NON_OPERATIONAL,), "maintenance_pick_up", S.REMOVED),
    ((S.NON_OPERATIONAL,), "maintenance", S.REMOVED),
    ((S.ON_TRIP,), "trip_stop", S.STOPPED),
    ((S.REMOVED,), "maintenance_end", S.NON_OPERATIONAL),
    ((S.REMOVED,), "recommissioned", S.NON_OPERATIONAL),
    *(((S.RESERVED, S.STOPPED), cancellation, S.AVAILABLE) for cancellation in _CANCELLATIONS),
    ((S.RESERVED,), "reservation_stop", S.STOPPED),
    ((S.STOPPED,), "trip_end", S.AVAILABLE),
    ((S.STOPPED,), "trip_resume", S.ON_TRIP),
    ((S.STOPPED,), "trip_start", S.ON_TRIP),
    *(((S.STOPPED,), event, S.STOPPED) for event in _WHILE_STOPPED),
)

# --- both -------------------------------------------------------------------------------------------


def _triples(rows: tuple[tuple[tuple[MdsState, ...], str, MdsState], ...]) -> frozenset[Triple]:
    return frozenset(
        (source, event, target) for sources, event, target in rows for source in sources
    )


TABLES: dict[Mode, frozenset[Triple]] = {
    Mode.MICROMOBILITY: _triples(_MICROMOBILITY),
    Mode.CAR_SHARE: _triples(_CAR_SHARE),
}
# The modes' own lists of event types.
EVENTS: dict[Mode, frozenset[str]] = {
    Mode.MICROMOBILITY: frozenset(event for _from, event, _to in TABLES[Mode.MICROMOBILITY]),
    Mode.CAR_SHARE: frozenset(event for _from, event, _to in TABLES[Mode.CAR_SHARE])
    - {"decommissioned", "recommissioned"},
}


def fold(mode: Mode, start: MdsState, events: tuple[str, ...]) -> frozenset[MdsState]:
    """Where ordered events of one change can lead from `start`, read as the standard says.

    One after the other; what lies between is dropped. Empty means that the table knows no such way.
    """
    reached = frozenset({start})
    for event in events:
        reached = frozenset(
            target for source, told, target in TABLES[mode] if told == event and source in reached
        )
    return reached
