"""What an operator's records of a month come to."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from charging.sessions.models import ChargeRecord
from charging.sessions.states import RecordKind
from charging.tariffs.states import ComponentKind
from mobility.core.clock import CITY_ZONE
from mobility.core.errors import Invalid
from mobility.core.texts import pick


class MonthUnreadable(Invalid):
    """Not the name of a month."""

    code = "month_unreadable"
    message = _("A month is written 2026-05.")


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month on the city's wall clock."""

    year: int
    number: int

    @classmethod
    def read(cls, text: str) -> Month:
        """`2026-05`; raises MonthUnreadable."""
        try:
            first = date.fromisoformat(f"{text}-01")
        except ValueError as problem:
            raise MonthUnreadable from problem
        return cls(first.year, first.month)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"

    @property
    def span(self) -> tuple[datetime, datetime]:
        """Its first instant, and the first of the next; raises MonthUnreadable past the year 9999."""
        after = (self.year, self.number + 1) if self.number < 12 else (self.year + 1, 1)
        try:
            return _first(self.year, self.number), _first(*after)
        except (ValueError, OverflowError) as problem:
            raise MonthUnreadable from problem


def _first(year: int, month: int) -> datetime:
    return datetime.combine(date(year, month, 1), time(0), CITY_ZONE)


@dataclass(slots=True)
class Sums:
    """Charges and their credits together; cents, Wh and seconds."""

    charges: int = 0
    credits: int = 0
    energy_wh: int = 0
    idle_s: int = 0
    net_cents: int = 0
    vat_cents: int = 0
    gross_cents: int = 0
    idle_cents: int = 0
    credited_cents: int = 0

    def add(self, record: ChargeRecord) -> None:
        """Count a record; a credit's figures carry the other sign already."""
        credit = record.kind == RecordKind.CREDIT
        self.charges += not credit
        self.credits += credit
        self.credited_cents += -record.gross_cents if credit else 0
        self.energy_wh += record.energy_wh
        self.idle_s += record.idle_s
        self.net_cents += record.net_cents
        self.gross_cents += record.gross_cents
        self.vat_cents += record.gross_cents - record.net_cents
        self.idle_cents += sum(
            line["cents"] for line in record.lines if line["kind"] == ComponentKind.IDLE
        )


@dataclass(slots=True)
class Statement:
    """An operator's month in one currency: the sums, by VAT rate and by site."""

    currency: str
    total: Sums = field(default_factory=Sums)
    by_rate: dict[Decimal, list[int]] = field(default_factory=dict)
    by_site: dict[str, Sums] = field(default_factory=lambda: defaultdict(Sums))

    def add(self, record: ChargeRecord) -> None:
        """Count a record everywhere."""
        self.total.add(record)
        self.by_site[pick(record.place.get("site", {})) or "–"].add(record)
        for part in record.vat:
            sums = self.by_rate.setdefault(Decimal(part["rate"]), [0, 0, 0])
            for place, name in enumerate(("net_cents", "vat_cents", "gross_cents")):
                sums[place] += part[name]

    def as_json(self) -> dict[str, Any]:
        """The statement as plain JSON."""
        return {
            "currency": self.currency,
            "total": _sums_json(self.total),
            "vat": [
                {
                    "rate": str(rate),
                    "net_cents": net,
                    "vat_cents": vat,
                    "gross_cents": gross,
                }
                for rate, (net, vat, gross) in sorted(self.by_rate.items())
            ],
            "sites": [
                {"site": site, **_sums_json(sums)} for site, sums in sorted(self.by_site.items())
            ],
        }


def statements_of(*, organisation_id: int, month: Month) -> list[Statement]:
    """An operator's month, one statement a currency, worked out from its records alone.

    A record belongs to the month in which it was issued, so that a month that is over stays what it
    was: what turns out wrong later is credited later.
    """
    start, end = month.span
    records = ChargeRecord.objects.filter(organisation_id=organisation_id)
    found: dict[str, Statement] = {}
    for record in records.issued_between(start, end).order_by("pk").iterator(chunk_size=500):
        found.setdefault(record.currency, Statement(record.currency)).add(record)
    return [found[currency] for currency in sorted(found)]


def _sums_json(sums: Sums) -> dict[str, Any]:
    return {name: getattr(sums, name) for name in Sums.__slots__}
