"""Records for spreadsheets, for OCPI's partners, and signed values for transparency software."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from charging.sessions.models import ChargeRecord, SignedValue
from charging.sessions.rules.signatures import BadKey, normal_key, unwrapped
from charging.sessions.states import RecordKind
from mobility.core.spreadsheets import safe_cell
from mobility.core.texts import pick

COLUMNS: Final = (
    "number", "kind", "credits", "issued_at", "started_at", "ended_at", "site", "station", "evse",
    "connector", "token", "transaction", "energy_kwh", "charging_minutes", "parking_minutes", "net",
    "vat", "gross", "currency", "tariff", "stop_reason", "signed", "flags", "reason",
)  # fmt: skip
_DIMENSIONS: Final = {"energy": "ENERGY", "flat": "FLAT", "time": "TIME", "idle": "PARKING_TIME"}
_PER_HOUR: Final = frozenset({"time", "idle"})


def csv_rows(records: Iterable[ChargeRecord]) -> Iterator[str]:
    """A CSV file line by line, its head first; money in the currency's unit, energy in kWh."""
    yield _line(COLUMNS)
    for record in records:
        yield _line(_cells(record))


def _cells(record: ChargeRecord) -> Iterable[object]:
    place, meter = record.place, record.meter
    return (
        record.number,
        record.kind,
        record.credits.number if record.credits else "",
        record.issued_at.isoformat(),
        record.started_at.isoformat(),
        record.ended_at.isoformat(),
        pick(place.get("site", {})),
        place.get("station", ""),
        place.get("evse", ""),
        place.get("connector", ""),
        record.session.token_uid,
        meter.get("transaction_ref", ""),
        _thousandths(record.energy_wh),
        _minutes(record.charging_s),
        _minutes(record.idle_s),
        _money(record.net_cents),
        _money(record.gross_cents - record.net_cents),
        _money(record.gross_cents),
        record.currency,
        record.tariff.get("code", ""),
        meter.get("stop_reason", ""),
        record.signature,
        " ".join(meter.get("flags", ())),
        record.reason,
    )


def ocpi_rows(records: Iterable[ChargeRecord]) -> Iterator[str]:
    """A JSON file of OCPI records, one a line, so that a month of them never lies in memory."""
    yield '{"results": ['
    for number, record in enumerate(records):
        yield (",\n" if number else "\n") + json.dumps(ocpi_record(record), ensure_ascii=False)
    yield "\n]}\n"


def ocpi_record(record: ChargeRecord) -> dict[str, Any]:
    """A record in the fields of OCPI 2.2.1's CDR object; prices there are without VAT.

    The party's country and id are left to whoever exchanges it: we are no OCPI party yet.
    """
    zero = record.kind == RecordKind.CREDIT
    return {
        "id": record.number,
        "start_date_time": _utc(record.started_at),
        "end_date_time": _utc(record.ended_at),
        "session_id": str(record.session.public_id),
        "cdr_token": {"uid": record.session.token_uid, "type": "RFID"},
        "auth_method": "COMMAND" if record.session.purpose_ref else "WHITELIST",
        "cdr_location": _location(record),
        "currency": record.currency,
        "tariffs": [_tariff(record)] if record.tariff else [],
        "charging_periods": [] if zero else [_period(period) for period in record.periods],
        "total_cost": _price(record.net_cents, record.gross_cents),
        "total_energy": float(_thousandths(record.energy_wh)),
        "total_time": _hours(record.charging_s + record.idle_s),
        "total_parking_time": _hours(record.idle_s),
        "credit": zero,
        **({"credit_reference_id": record.credits.number} if record.credits else {}),
        "remark": record.reason,
        "last_updated": _utc(record.issued_at),
    }


def transparency_file(values: Iterable[SignedValue]) -> str:
    """Signed values as the transparency software of S.A.F.E. opens them; the data as it came.

    The key is the one that a value was verified with, else the one that came with it.
    """
    parts = ['<?xml version="1.0" encoding="UTF-8" standalone="yes"?>', "<values>"]
    for value in values:
        session = value.session
        reference = session.transaction_ref if session else ""
        parts.append(
            f"  <value transactionId={quoteattr(reference)} context={quoteattr(value.context)}>"
        )
        kind = value.encoding_method or ("OCMF" if unwrapped(value.signed_data) else "")
        encoding = "plain" if value.signed_data.startswith("OCMF|") else "base64"
        parts.append(
            f"    <signedData format={quoteattr(kind)} encoding={quoteattr(encoding)}>"
            f"{escape(value.signed_data)}</signedData>"
        )
        key = value.key.public_key if value.key else _told_key(value)
        if key:
            parts.append(f'    <publicKey encoding="hex">{escape(key)}</publicKey>')
        parts.append("  </value>")
    return "\n".join([*parts, "</values>", ""])


def _told_key(value: SignedValue) -> str:
    sent = unwrapped(value.signed_data)
    told = value.public_key or (sent.public_key if sent else "")
    try:
        return normal_key(told) if told else ""
    except BadKey:
        return ""


def _line(cells: Iterable[object]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([safe_cell(cell) for cell in cells])
    return out.getvalue()


def _money(cents: int) -> Decimal:
    return Decimal(cents) / 100


def _thousandths(amount: int) -> Decimal:
    return Decimal(amount) / 1000


def _minutes(seconds: int) -> Decimal:
    return (Decimal(seconds) / 60).quantize(Decimal("0.01"))


def _hours(seconds: float) -> float:
    return round(seconds / 3600, 4)


def _utc(at: Any) -> str:
    return str(at.isoformat().replace("+00:00", "Z"))


def _price(net_cents: int, gross_cents: int) -> dict[str, float]:
    return {"excl_vat": net_cents / 100, "incl_vat": gross_cents / 100}


def _location(record: ChargeRecord) -> dict[str, Any]:
    place = record.place
    return {
        "id": place.get("site_id", ""),
        "name": pick(place.get("site", {})),
        "address": place.get("address", ""),
        "evse_uid": f"{place.get('station', '')}/{place.get('evse', '')}",
        "connector_id": str(place.get("connector", "")),
        "connector_standard": place.get("standard", ""),
        "connector_format": place.get("format", ""),
        "connector_power_type": place.get("power_type", ""),
    }


def _tariff(record: ChargeRecord) -> dict[str, Any]:
    tariff = record.tariff
    limits = {
        name: {"incl_vat": tariff[cents] / 100}
        for name, cents in (("min_price", "min_cents"), ("max_price", "max_cents"))
        if tariff.get(cents) is not None
    }
    return {
        "id": tariff["id"],
        "currency": record.currency,
        **limits,
        "elements": [_element(component) for component in tariff["components"]],
    }


def _element(component: dict[str, Any]) -> dict[str, Any]:
    rate = Decimal(component["vat_rate"])
    net = Decimal(component["unit_cents"]) / 100 / (1 + rate)
    hourly = net * 60 if component["kind"] in _PER_HOUR else net
    element: dict[str, Any] = {
        "price_components": [
            {
                "type": _DIMENSIONS[component["kind"]],
                "price": float(round(hourly, 6)),
                "vat": float(rate * 100),
                "step_size": component.get("step", 1),
            }
        ]
    }
    if component.get("when"):
        element["restrictions"] = component["when"]
    return element


def _period(period: dict[str, Any]) -> dict[str, Any]:
    timed = "TIME" if period["charging"] else "PARKING_TIME"
    dimensions = [{"type": timed, "volume": _hours(period["seconds"])}]
    if period["energy_wh"]:
        dimensions.insert(0, {"type": "ENERGY", "volume": period["energy_wh"] / 1000})
    return {"start_date_time": period["start"], "dimensions": dimensions}
