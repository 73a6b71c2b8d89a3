"""A document as PDF: one A4 page or more, with text that can be searched and copied."""

from typing import Any

from django.utils.translation import gettext as _
from reportlab.lib.units import mm
from reportlab.platypus import Paragraph, Spacer, Table, TableStyle

from bookings.payments.documents.sheet import Row, Sheet
from mobility.core.paper import INK, RULE, print_pages, written


def render_pdf(sheet: Sheet) -> bytes:
    """The sheet as a PDF file, in the language that is active."""
    return print_pages(_story(sheet), title=f"{sheet.title} {sheet.number}", author=sheet.issuer[0])


def _story(sheet: Sheet) -> list[Any]:
    reference = _("Refers to %s") % sheet.refers_to if sheet.refers_to else ""
    story: list[Any] = [
        written(sheet.title, size=17, bold=True),
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
            written(text, bold=number == 0 or (total and number == last), right=column > 0)
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
    return [written(text, bold=bold) for text in texts if text]
