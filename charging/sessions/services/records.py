"""Charge detail records: numbered, never changed, taken back by a credit of their own."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from charging.sessions.events import SessionCorrected
from charging.sessions.models import ChargeRecord, ChargingSession
from charging.sessions.services.billing import Bill
from charging.sessions.states import RecordKind
from mobility.core import audit, clock, outbox
from mobility.core.errors import Conflict, Invalid
from mobility.core.money import PriceLine, total_cents, vat_split
from mobility.core.principals import Principal

_NEXT_NUMBER: Final = """
    INSERT INTO charging_recordseries (organisation_id, year, last_number)
    VALUES (%s, %s, 1)
    ON CONFLICT (organisation_id, year)
    DO UPDATE SET last_number = charging_recordseries.last_number + 1
    RETURNING last_number
"""


class AlreadyCredited(Conflict):
    """A record is taken back once."""

    code = "record_already_credited"
    message = _("This record has been taken back already.")


class NotCreditable(Conflict):
    """A credit is no charge."""

    code = "record_not_creditable"
    message = _("Only a charge can be taken back.")


class ReasonMissing(Invalid):
    """An auditor asks why."""

    code = "reason_missing"
    message = _("Please say why.")


def issue_record(session: ChargingSession, bill: Bill, *, at: datetime) -> ChargeRecord:
    """The next numbered record of the operator, for what a session came to.

    Runs inside the transaction that settles, so that there is no settled session without a record
    and no number without a record.
    """
    parts = vat_split(bill.lines)
    return _issue(
        organisation_id=session.station.site.organisation_id,
        kind=RecordKind.CHARGE,
        session=session,
        issued_at=at,
        started_at=bill.figures.started_at,
        ended_at=bill.figures.ended_at,
        energy_wh=bill.energy.energy_wh,
        charging_s=bill.figures.charging_s,
        idle_s=bill.figures.idle_s,
        currency=bill.version.tariff.currency if bill.version else session.currency,
        gross_cents=total_cents(bill.lines),
        net_cents=sum(part.net_cents for part in parts),
        lines=[line.as_json() for line in bill.lines],
        vat=[part.as_json() for part in parts],
        periods=bill.periods(),
        tariff=_tariff(bill),
        place=_place(session),
        meter=_meter(session),
        signature=session.signature,
    )


@transaction.atomic
def credit_record(*, record_id: int, reason: str, at: datetime, by: Principal) -> ChargeRecord:
    """Take a record back whole, by one of its own with the sign of everything turned.

    Who bought the session hears of it by SessionCorrected. Raises ReasonMissing, NotCreditable,
    AlreadyCredited.
    """
    record = ChargeRecord.objects.select_related("session__station").get(pk=record_id)
    credit = take_back(record, reason=reason, at=at, by=by)
    outbox.publish(_corrected(record, None, reason=reason), at=at)
    return credit


def take_back(record: ChargeRecord, *, reason: str, at: datetime, by: Principal) -> ChargeRecord:
    """The credit of a record, without telling anybody; the caller's transaction does."""
    if not reason.strip():
        raise ReasonMissing
    if record.kind != RecordKind.CHARGE:
        raise NotCreditable
    # The session's row decides who of two is first; the unique key would only say it less kindly.
    ChargingSession.objects.select_for_update().get(pk=record.session_id)
    if ChargeRecord.objects.filter(credits=record).exists():
        raise AlreadyCredited
    credit = _issue(
        organisation_id=record.organisation_id,
        kind=RecordKind.CREDIT,
        session=record.session,
        credits=record,
        reason=reason.strip()[:200],
        issued_at=at,
        started_at=record.started_at,
        ended_at=record.ended_at,
        energy_wh=-record.energy_wh,
        charging_s=-record.charging_s,
        idle_s=-record.idle_s,
        currency=record.currency,
        gross_cents=-record.gross_cents,
        net_cents=-record.net_cents,
        lines=[{**line, "cents": -line["cents"]} for line in record.lines],
        vat=[_turned(part) for part in record.vat],
        tariff=record.tariff,
        place=record.place,
        meter=record.meter,
        signature=record.signature,
    )
    audit.record(
        by=by, action="credit_record", row=credit, at=at, changes={"reason": credit.reason}
    )
    return credit


def publish_correction(
    record: ChargeRecord, replacement: ChargeRecord, *, reason: str, at: datetime
) -> None:
    """Tell that a record was taken back and another stands in its place."""
    outbox.publish(_corrected(record, replacement, reason=reason), at=at)


def standing_lines(*, session_id: UUID) -> list[PriceLine]:
    """What a session comes to by now: the lines of its record that was not taken back, or none.

    Facts about sessions may be heard late and in any order; who acts on money looks here. The
    session stays locked until the caller's transaction ends: a correction waits that long, and
    what it publishes is heard by somebody who has acted already.
    """
    session = ChargingSession.objects.select_for_update(no_key=True).get(public_id=session_id)
    record = next(iter(open_records(session_id=session.pk)), None)
    return [PriceLine.from_json(line) for line in record.lines] if record is not None else []


def open_records(*, session_id: int) -> Iterable[ChargeRecord]:
    """The charges of a session that were not taken back: one, or none."""
    return ChargeRecord.objects.filter(
        session_id=session_id, kind=RecordKind.CHARGE, credited_by__isnull=True
    ).order_by("pk")


def _issue(*, organisation_id: int, issued_at: datetime, **figures: Any) -> ChargeRecord:
    year = clock.local(issued_at).year
    with connection.cursor() as cursor:
        cursor.execute(_NEXT_NUMBER, [organisation_id, year])
        [sequence] = cursor.fetchone()
    return ChargeRecord.objects.create(
        organisation_id=organisation_id,
        year=year,
        sequence=sequence,
        number=f"CDR-{year}-{sequence:06d}",
        issued_at=issued_at,
        **figures,
    )


def _corrected(
    record: ChargeRecord, replacement: ChargeRecord | None, *, reason: str
) -> SessionCorrected:
    return SessionCorrected(
        session_id=str(record.session.public_id),
        record_id=str(record.public_id),
        operator_id=record.organisation_id,
        purpose_ref=record.session.purpose_ref,
        owner_ref=record.session.owner_ref,
        before_cents=record.gross_cents,
        after_cents=replacement.gross_cents if replacement else 0,
        energy_wh=replacement.energy_wh if replacement else 0,
        currency=record.currency,
        lines=replacement.lines if replacement else [],
        reason=reason[:200],
    )


def _turned(part: dict[str, Any]) -> dict[str, Any]:
    return {
        **part,
        **{name: -part[name] for name in ("net_cents", "vat_cents", "gross_cents")},
    }


def _tariff(bill: Bill) -> dict[str, Any]:
    if bill.version is None or bill.prices is None:
        return {}
    return {
        "id": str(bill.version.public_id),
        "code": bill.version.tariff.code,
        "version": bill.version.number,
        **bill.prices.as_json(),
    }


def _place(session: ChargingSession) -> dict[str, Any]:
    connector, site = session.connector, session.station.site
    place: dict[str, Any] = {
        "site_id": str(site.public_id),
        "site": site.name,
        "address": site.address,
        "station": session.station.identity,
        "time_zone": site.time_zone,
    }
    if connector is not None:
        place |= {
            "connector_id": str(connector.public_id),
            "evse": connector.evse.number,
            "connector": connector.number,
            "standard": connector.standard,
            "format": connector.format,
            "power_type": connector.power_type,
        }
    return place


def _meter(session: ChargingSession) -> dict[str, Any]:
    return {
        "transaction_ref": session.transaction_ref,
        "start_wh": session.meter_start_wh,
        "stop_wh": session.meter_stop_wh,
        "stop_reason": session.stop_reason,
        "complete": session.complete,
        "flags": session.flags,
    }
