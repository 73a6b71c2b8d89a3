"""A document as PDF: one A4 page or more, with text that can be searched and copied."""

import io
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

from django.utils.translation import get_language
from django.utils.translation import gettext as _
from reportlab.lib import colors
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from bookings.payments.documents.sheet import Row, Sheet

# Comes with the library, may be embedded, and has the euro sign and Italian accents.
FONT, BOLD = "Vera", "VeraBd"
MARGIN = 20 * mm
INK = colors.HexColor("#1b2733")
RULE = colors.HexColor("#c3ccd5")


def render_pdf(sheet: Sheet) -> bytes:
    """The sheet as a PDF file, in the language that is active."""
    _fonts()
    out = io.BytesIO()
    paper = SimpleDocTemplate(
        out, pagesize=A4, title=f"{sheet.title} {sheet.number}", author=sheet.issuer[0],
        lang=get_language() or "it",
        leftMargin=MARGIN, rightMargin=MARGIN, topMargin=MARGIN, bottomMargin=MARGIN,
    )  # fmt: skip
    paper.build(_story(sheet))
    return out.getvalue()


def _story(sheet: Sheet) -> list[Any]:
    reference = _("Refers to %s") % sheet.refers_to if sheet.refers_to else ""
    story: list[Any] = [
        Paragraph(escape(sheet.title), _style(size=17, bold=True)),
        Spacer(1, 2 * mm),
        *_texts(sheet.number, sheet.issued, reference),
        Spacer(1, 6 * mm),
        *_texts(*sheet.issuer),
    ]
    if sheet.customer:
        story += [Spacer(1, 4 * mm), *_texts(_("Customer"), bold=True), *_texts(*sheet.customer)]
    story += [Spacer(1, 8 * mm), _lines(sheet), Spacer(1, 8 * mm), _vat(sheet.vat)]
    story += [Spacer(1, 6 * mm), *_texts(sheet.payment, sheet.remark)]
    return story


def _lines(sheet: Sheet) -> Table:
    head = (_("Item"), _("Quantity"), _("Amount"))
    rows = [head, *(row.cells for row in sheet.lines), (_("Total, VAT included"), "", sheet.total)]
    return _table(rows, widths=(94 * mm, 38 * mm, 38 * mm), total=True)


def _vat(parts: tuple[Row, ...]) -> Table:
    head = (_("VAT rate"), _("Net"), _("VAT"), _("Total"))
    return _table([head, *(row.cells for row in parts)], widths=(56 * mm, *(38 * mm,) * 3))


def _table(rows: list[tuple[str, ...]], *, widths: tuple[float, ...], total: bool = False) -> Table:
    last = len(rows) - 1
    cells = [
        [
            Paragraph(
                escape(text),
                _style(bold=number == 0 or (total and number == last), right=column > 0),
            )
            for column, text in enumerate(row)
        ]
        for number, row in enumerate(rows)
    ]
    ruled: list[Any] = [
        ("LINEBELOW", (0, 0), (-1, 0), 0.8, INK),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ]
    if total:
        ruled.append(("LINEABOVE", (0, last), (-1, last), 0.8, INK))
    if last > 1:
        ruled.append(("LINEBELOW", (0, 1), (-1, last - 1), 0.3, RULE))
    return Table(cells, colWidths=widths, style=TableStyle(ruled), repeatRows=1, hAlign="LEFT")


def _texts(*texts: str, bold: bool = False) -> list[Paragraph]:
    return [Paragraph(escape(text), _style(bold=bold)) for text in texts if text]


def _style(*, size: float = 9.5, bold: bool = False, right: bool = False) -> ParagraphStyle:
    return ParagraphStyle(
        "text",
        fontName=BOLD if bold else FONT,
        fontSize=size,
        leading=size * 1.4,
        textColor=INK,
        alignment=TA_RIGHT if right else 0,
    )


@cache
def _fonts() -> None:
    for name in (FONT, BOLD):
        pdfmetrics.registerFont(TTFont(name, f"{name}.ttf"))
