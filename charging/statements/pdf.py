"""A monthly statement as PDF: sums, VAT, sites, in the language that is active."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache
from typing import Any, Final
from xml.sax.saxutils import escape

from django.utils import formats
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from reportlab.lib import colors
from reportlab.lib.enums import TA_LEFT, TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from charging.statements.queries import Month, Statement, Sums
from mobility.core.money import format_money

# Comes with the library, may be embedded, and has the euro sign and Italian accents.
_FONT: Final = "Vera"
_BOLD: Final = "VeraBd"
_MARGIN: Final = 18 * mm
_RULE: Final = colors.HexColor("#c3ccd5")


def statement_pdf(*, operator: str, month: Month, statements: Sequence[Statement]) -> bytes:
    """The month as a PDF file."""
    _fonts()
    out = io.BytesIO()
    title = _("Charging statement %s") % month
    paper = SimpleDocTemplate(
        out, pagesize=A4, title=f"{title} – {operator}", author=operator,
        lang=get_language() or "it",
        leftMargin=_MARGIN, rightMargin=_MARGIN, topMargin=_MARGIN, bottomMargin=_MARGIN,
    )  # fmt: skip
    story: list[Any] = [_text(title, size=16, bold=True), Spacer(1, 3 * mm), _text(operator)]
    if not statements:
        story += [Spacer(1, 6 * mm), _text(_("Nothing was settled in this month."))]
    for statement in statements:
        story += _chapter(statement)
    paper.build(story)
    return out.getvalue()


def _chapter(statement: Statement) -> list[Any]:
    def money(cents: int) -> str:
        return format_money(cents, statement.currency)

    total = statement.total
    sums = [
        (_("Charges"), str(total.charges)),
        (_("Credits"), str(total.credits)),
        (_("Energy"), _kwh(total)),
        (_("Revenue without VAT"), money(total.net_cents)),
        (_("VAT"), money(total.vat_cents)),
        (_("Revenue, VAT included"), money(total.gross_cents)),
        (_("of which parking after charging"), money(total.idle_cents)),
        (_("taken back by credits"), money(total.credited_cents)),
    ]
    rates = [
        (f"{formats.number_format(rate * 100, decimal_pos=0)} %", *map(money, parts))
        for rate, parts in sorted(statement.by_rate.items())
    ]
    sites = [
        (site, str(sums.charges - sums.credits), _kwh(sums), money(sums.gross_cents))
        for site, sums in sorted(statement.by_site.items())
    ]
    return [
        Spacer(1, 6 * mm),
        _table(None, sums, widths=(110, 60)),
        Spacer(1, 6 * mm),
        _table((_("VAT rate"), _("Net"), _("VAT"), _("Total")), rates, widths=(50, 40, 40, 40)),
        Spacer(1, 6 * mm),
        _table((_("Site"), _("Charges"), _("Energy"), _("Total")), sites, widths=(80, 25, 30, 35)),
    ]


def _kwh(sums: Sums) -> str:
    return f"{formats.number_format(sums.energy_wh / 1000, decimal_pos=3)} kWh"


def _table(
    head: tuple[str, ...] | None, rows: Sequence[tuple[str, ...]], *, widths: tuple[int, ...]
) -> Table:
    shown = [*([head] if head else []), *rows]
    cells = [
        [
            _text(cell, bold=head is not None and number == 0, right=column > 0)
            for column, cell in enumerate(row)
        ]
        for number, row in enumerate(shown)
    ]
    if not cells:
        cells = [[_text("–")] + [_text("") for _column in widths[1:]]]
    rule = ("LINEBELOW", (0, 0), (-1, -1), 0.4, _RULE)
    return Table(
        cells,
        colWidths=[width * mm for width in widths],
        style=TableStyle([rule]),
        repeatRows=1 if head else 0,
    )


def _text(text: str, *, size: int = 9, bold: bool = False, right: bool = False) -> Paragraph:
    style = ParagraphStyle(
        "text",
        fontName=_BOLD if bold else _FONT,
        fontSize=size,
        leading=size * 1.35,
        alignment=TA_RIGHT if right else TA_LEFT,
    )
    return Paragraph(escape(text), style)


@cache
def _fonts() -> None:
    for name in (_FONT, _BOLD):
        pdfmetrics.registerFont(TTFont(name, f"{name}.ttf"))
