"""A document as a person reads it: every text and amount in the active language.

The page and the PDF show the same sheet.
"""

import dataclasses
from decimal import Decimal

from django.utils import formats
from django.utils.translation import gettext as _

from bookings.payments.documents.texts import TITLES
from bookings.payments.models import Receipt
from bookings.pricing.texts import line_name
from mobility.core import clock
from mobility.core.money import format_money

_MEASURES = frozenset({"min", "km", "kWh", "h"})


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line, or one VAT rate, as its columns."""

    cells: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Everything that stands on a document."""

    title: str
    number: str
    issued: str
    refers_to: str
    issuer: tuple[str, ...]
    customer: tuple[str, ...]
    lines: tuple[Row, ...]
    vat: tuple[Row, ...]
    total: str
    payment: str
    remark: str


def sheet_of(receipt: Receipt) -> Sheet:
    """The sheet of a document (loaded with organisation, payment, its method, and `corrects`)."""
    currency = receipt.currency
    method = receipt.payment.method
    corrects = receipt.corrects
    return Sheet(
        title=str(TITLES[receipt.kind]),
        number=receipt.number,
        issued=formats.date_format(clock.local(receipt.issued_at), "DATETIME_FORMAT"),
        refers_to=corrects.number if corrects else "",
        issuer=_issuer(receipt),
        customer=_customer(receipt),
        lines=tuple(
            Row(
                cells=(
                    line_name(line["kind"]),
                    _quantity(line["quantity"], line["unit"]),
                    format_money(line["cents"], currency),
                )
            )
            for line in receipt.lines
        ),
        vat=tuple(
            Row(
                cells=(
                    f"{_number(Decimal(part['rate']) * 100)} %",
                    format_money(part["net_cents"], currency),
                    format_money(part["vat_cents"], currency),
                    format_money(part["gross_cents"], currency),
                )
            )
            for part in receipt.vat
        ),
        total=format_money(receipt.total_cents, currency),
        payment=f"{receipt.payment.get_state_display()} · {method.label if method else ''}".strip(
            " ·"
        ),
        remark=_remark(receipt),
    )


def _issuer(receipt: Receipt) -> tuple[str, ...]:
    issuer = receipt.organisation
    vat_number = _("VAT number %s") % issuer.vat_number if issuer.vat_number else ""
    return _present(issuer.legal_name or str(issuer), issuer.address, vat_number)


def _customer(receipt: Receipt) -> tuple[str, ...]:
    given = receipt.customer
    if not given:
        return ()
    town = f"{given['postcode']} {given['town']} {given['province']}".strip()
    return _present(
        given["name"],
        given["address"],
        f"{town} {given['country']}",
        _("Tax code %s") % given["tax_code"] if given["tax_code"] else "",
        _("VAT number %s") % given["vat_number"] if given["vat_number"] else "",
        _("SDI code %s") % given["sdi_code"] if given["sdi_code"] else "",
        _("PEC %s") % given["pec"] if given["pec"] else "",
    )


def _remark(receipt: Receipt) -> str:
    """A receipt of credit says when its VAT was taken; an invoice, which copy counts."""
    if receipt.kind == "invoice":
        return _("The original goes through the exchange system of the tax office (SDI).")
    if receipt.payment.provider == "wallet":
        return _("Paid from credit. Its VAT was settled when the credit was bought.")
    return ""


def _quantity(quantity: str, unit: str) -> str:
    measured = f" {unit}" if unit in _MEASURES else ""
    return f"{_number(Decimal(quantity))}{measured}"


def _number(value: Decimal) -> str:
    plain = value.quantize(Decimal("0.001")).normalize()
    # `normalize` writes 20 as 2E+1.
    return formats.number_format(format(plain, "f"), use_l10n=True)


def _present(*texts: str) -> tuple[str, ...]:
    return tuple(text for text in texts if text)
