"""Pure rules of charging: tokens, messages, meter values, and the energy they support."""

from charging.sessions.rules.energy import (
    FALLBACK_POWER_W,
    NOTHING_WH,
    RISE_WH,
    BillableEnergy,
    RegisterPoint,
    billable_energy,
    charged_until,
    delivered_nothing,
    idle_seconds,
    is_plausible_step,
)
from charging.sessions.rules.messages import (
    SequenceLog,
    event_key,
    is_own_reference,
    is_whole,
    not_ahead,
    note_sequence,
    orphan_reference,
    reading_fingerprint,
    start_key,
    stop_key,
)
from charging.sessions.rules.pictures import MAX_REGISTER_WH, MeterPicture, meter_picture
from charging.sessions.rules.tokens import judge_token, normal_uid

__all__ = [
    "FALLBACK_POWER_W",
    "MAX_REGISTER_WH",
    "NOTHING_WH",
    "RISE_WH",
    "BillableEnergy",
    "MeterPicture",
    "RegisterPoint",
    "SequenceLog",
    "billable_energy",
    "charged_until",
    "delivered_nothing",
    "event_key",
    "idle_seconds",
    "is_own_reference",
    "is_plausible_step",
    "is_whole",
    "judge_token",
    "meter_picture",
    "normal_uid",
    "not_ahead",
    "note_sequence",
    "orphan_reference",
    "reading_fingerprint",
    "start_key",
    "stop_key",
]
