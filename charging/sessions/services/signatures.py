"""Verifying what meters signed, and keeping the keys to do it with."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from charging.sessions.models import ChargingSession, MeterKey, SignedValue
from charging.sessions.rules import RISE_WH
from charging.sessions.rules.signatures import (
    BadKey,
    Ocmf,
    can_verify,
    curve_of,
    is_genuine,
    normal_key,
    read_ocmf,
    unwrapped,
)
from charging.sessions.services.flags import add_flag, drop_flag
from charging.sessions.states import Doubt, Flag, KeySource, SignatureState
from mobility.core import audit
from mobility.core.errors import Invalid
from mobility.core.principals import Principal

# What a session's values come to together: the worst of them.
_WORST_FIRST: Final = (
    SignatureState.INVALID,
    SignatureState.UNREADABLE,
    SignatureState.UNSUPPORTED,
    SignatureState.UNKNOWN_KEY,
    SignatureState.OWN_KEY,
    SignatureState.VALID,
)


class MeterKeyUnreadable(Invalid):
    """No key of an elliptic curve."""

    code = "meter_key_unreadable"
    message = _("This is no public key that we can read: PEM, or DER in hexadecimal or base64.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What came of looking at one signed value."""

    state: SignatureState
    record: Ocmf | None = None
    key: MeterKey | None = None
    note: str = ""
    details: dict[str, Any] = field(default_factory=dict)


@transaction.atomic
def store_meter_key(
    *,
    station_id: int,
    public_key: str,
    at: datetime,
    by: Principal,
    evse_id: int | None = None,
) -> MeterKey:
    """The key staff read off a meter, for one EVSE or the whole station; ends the one before.

    Values that came are looked at again when their session is verified again. Raises
    MeterKeyUnreadable.
    """
    try:
        normal = normal_key(public_key)
    except BadKey as problem:
        raise MeterKeyUnreadable from problem
    here = Q(evse__isnull=True) if evse_id is None else Q(evse_id=evse_id)
    open_keys = MeterKey.objects.filter(here, station_id=station_id, valid_until__isnull=True)
    open_keys.update(valid_until=at)
    key = _new_key(station_id, evse_id, normal, source=KeySource.OPERATOR, at=at)
    audit.record(by=by, action="store_meter_key", row=key, at=at)
    return key


def verify_session(session: ChargingSession, *, at: datetime) -> None:
    """Verify the signed values of a locked session and note what that means for it.

    1. Join values of its connector that came without a transaction and fall into its time.
    2. Verify each with the key staff entered; without one, with the key the station told first.
    3. A wrong signature flags the session and its reading, which then counts for nothing by itself.
    4. A right one whose register is not the one that was told beside it is flagged.

    `signature` and `flags` are changed in memory; the caller saves them.
    """
    values = _values(session)
    if not values:
        return
    keys = _Keys(session, at=at)
    for value in values:
        if value.state not in {SignatureState.VALID, SignatureState.INVALID}:
            _note(value, _finding(value, keys), at=at)
    states = {value.state for value in values}
    session.signature = next(state for state in _WORST_FIRST if state in states)
    _flag(session, values)


@transaction.atomic
def verify_again(*, session_id: int, at: datetime, by: Principal) -> ChargingSession:
    """Look at all signed values of a session anew, with the keys that are known by now.

    What was billed and recorded stays: a credit takes back what turns out wrong.
    """
    session = ChargingSession.objects.select_for_update(of=("self",)).select_related(
        "connector__evse"
    ).get(pk=session_id)  # fmt: skip
    session.signed_values.update(state=SignatureState.UNCHECKED)
    verify_session(session, at=at)
    session.save(update_fields=["signature", "flags"])
    audit.record(
        by=by,
        action="verify_signatures",
        row=session,
        at=at,
        changes={"signature": session.signature},
    )
    return session


class _Keys:
    """The keys of a session's meter: staff's word over the station's, the EVSE's over the station's."""

    def __init__(self, session: ChargingSession, *, at: datetime) -> None:
        self._station_id = session.station_id
        self._evse_id = session.connector.evse_id if session.connector else None
        self._at = at
        began = session.started_at or at
        own = Q(evse__isnull=True) | Q(evse_id=self._evse_id)
        rows = MeterKey.objects.filter(own, station_id=session.station_id).filter(
            Q(valid_until__isnull=True) | Q(valid_until__gt=began)
        )
        # The newest first: a key that staff enter later is the one the meter has always had.
        self._known = sorted(
            rows.order_by("-pk"),
            key=lambda key: (key.source != KeySource.OPERATOR, key.evse_id is None),
        )

    @property
    def best(self) -> MeterKey | None:
        """The key to verify with."""
        return self._known[0] if self._known else None

    def learn(self, normal: str) -> MeterKey:
        """Keep the key that a station told of itself."""
        key = _new_key(
            self._station_id, self._evse_id, normal, source=KeySource.STATION, at=self._at
        )
        self._known.append(key)
        return key


def _values(session: ChargingSession) -> list[SignedValue]:
    """The session's own, and those of its connector and time that nobody has; one query for none."""
    wanted = Q(session=session)
    if session.connector_id is not None and session.started_at and session.ended_at:
        wanted |= Q(
            session__isnull=True,
            connector_id=session.connector_id,
            at__range=(session.started_at, session.ended_at),
        )
    values = list(SignedValue.objects.filter(wanted).order_by("at", "pk"))
    loose = [value.pk for value in values if value.session_id is None]
    if loose:
        SignedValue.objects.filter(pk__in=loose, session__isnull=True).update(session=session)
    return values


def _finding(value: SignedValue, keys: _Keys) -> Finding:
    sent = unwrapped(value.signed_data)
    if sent is None:
        # Other formats are kept and exported; only what looks like ours and is broken is unreadable.
        known = value.encoding_method.upper() == "OCMF" or "OCMF" in value.signed_data[:20]
        return Finding(state=SignatureState.UNREADABLE if known else SignatureState.UNSUPPORTED)
    record = read_ocmf(sent.text)
    if record is None:
        return Finding(state=SignatureState.UNREADABLE)
    if not can_verify(record.algorithm):
        return Finding(state=SignatureState.UNSUPPORTED, record=record)
    return _judged(record, told=value.public_key or sent.public_key, keys=keys)


def _judged(record: Ocmf, *, told: str, keys: _Keys) -> Finding:
    key = keys.best
    normal = _normal(told)
    if key is None and not normal:
        return Finding(state=SignatureState.UNKNOWN_KEY, record=record)
    genuine = _is_genuine(record, key.public_key if key else normal)
    if not genuine:
        changed = key is not None and normal not in {"", key.public_key}
        note = "key_changed" if changed else ""
        return Finding(state=SignatureState.INVALID, record=record, key=key, note=note)
    key = key or keys.learn(normal)
    vouched = key.source == KeySource.OPERATOR
    state = SignatureState.VALID if vouched else SignatureState.OWN_KEY
    return Finding(state=state, record=record, key=key)


def _normal(told: str) -> str:
    try:
        return normal_key(told) if told.strip() else ""
    except BadKey:
        return ""


def _is_genuine(record: Ocmf, public_key: str) -> bool:
    try:
        return is_genuine(record, public_key=public_key)
    except BadKey:
        return False


def _note(value: SignedValue, finding: Finding, *, at: datetime) -> None:
    record = finding.record
    value.state, value.checked_at, value.key = finding.state, at, finding.key
    if record is not None:
        value.register_wh, value.meter_serial = record.register_wh, record.meter_serial
        value.details = {
            **record.details,
            "algorithm": record.algorithm,
            "begin_wh": record.begin_wh,
            **({"note": finding.note} if finding.note else {}),
        }
    value.save(
        update_fields=["state", "checked_at", "key", "register_wh", "meter_serial", "details"]
    )


def _flag(session: ChargingSession, values: Sequence[SignedValue]) -> None:
    drop_flag(session, Flag.BAD_SIGNATURE)
    drop_flag(session, Flag.SIGNED_MISMATCH)
    wrong = [value.at for value in values if value.state == SignatureState.INVALID]
    # Readings that a wrong key had refuted count again once the right one is known.
    refuted = session.readings.filter(doubt=Doubt.SIGNATURE).exclude(at__in=wrong)
    refuted.update(suspect=False, doubt="")
    if wrong:
        add_flag(session, Flag.BAD_SIGNATURE)
        session.readings.filter(at__in=wrong).update(suspect=True, doubt=Doubt.SIGNATURE)
    if _differs(session, values):
        add_flag(session, Flag.SIGNED_MISMATCH)


def _differs(session: ChargingSession, values: Iterable[SignedValue]) -> bool:
    """Whether the meter signed another register at the end than was told beside it."""
    trusted = {SignatureState.VALID, SignatureState.OWN_KEY}
    final = [
        value.register_wh
        for value in values
        if value.state in trusted
        and value.register_wh is not None
        and value.context in {"Transaction.End", ""}
        and value.at == session.ended_at
    ] or [
        value.register_wh
        for value in values
        if value.state in trusted
        and value.register_wh is not None
        and value.context == "Transaction.End"
    ]
    if not final or session.meter_stop_wh is None:
        return False
    return abs(final[-1] - session.meter_stop_wh) >= RISE_WH


def _new_key(
    station_id: int, evse_id: int | None, normal: str, *, source: KeySource, at: datetime
) -> MeterKey:
    return MeterKey.objects.create(
        station_id=station_id,
        evse_id=evse_id,
        public_key=normal,
        fingerprint=hashlib.sha256(bytes.fromhex(normal)).hexdigest(),
        curve=curve_of(normal),
        source=source,
        valid_from=at,
    )
