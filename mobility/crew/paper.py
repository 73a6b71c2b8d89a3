"""The route sheet as a PDF file."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.graphics.shapes import Drawing
from reportlab.lib.units import mm
from reportlab.platypus import Spacer, Table, TableStyle

from mobility.core.paper import INK, RULE, print_pages, written
from mobility.crew.sheet import Sheet

_SQUARE = 32 * mm
_COLUMNS = (9 * mm, 13 * mm, 52 * mm, 38 * mm, 44 * mm, 14 * mm)


def sheet_as_pdf(sheet: Sheet) -> bytes:
    """The sheet on A4: what to load, the stops with a box to tick, the code that opens it on a phone."""
    story: list[Any] = [_head(sheet), Spacer(0, 5 * mm)]
    story.append(written(_("Load before you leave"), size=12, bold=True))
    story += [written(f"[  ] {line}") for line in sheet.load] or [written(_("Nothing."))]
    if sheet.aboard:
        story.append(written(_("Aboard already: %(what)s") % {"what": ", ".join(sheet.aboard)}))
    story += [Spacer(0, 4 * mm), written(_("Stops"), size=12, bold=True), _stops(sheet)]
    return print_pages(story, title=sheet.title, author=sheet.organisation)


def _head(sheet: Sheet) -> Table:
    lines = [
        written(f"{sheet.organisation} · {sheet.title}", size=15, bold=True),
        written(_("Crew: %(name)s") % {"name": sheet.crew or "____________________"}),
        written(
            _("Version %(version)s, printed %(when)s")
            % {"version": sheet.version, "when": sheet.made}
        ),
        written(
            _("%(count)s stops, worth %(value)s")
            % {"count": len(sheet.stops), "value": sheet.value}
        ),
    ]
    code = QrCodeWidget(sheet.address, barWidth=_SQUARE, barHeight=_SQUARE, barLevel="M")
    square = Drawing(_SQUARE, _SQUARE)
    square.add(code)
    head = Table([[lines, square]], colWidths=(136 * mm, 34 * mm))
    head.setStyle(
        TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (0, 0), 0)])
    )
    return head


def _stops(sheet: Sheet) -> Table:
    titles = ("", _("Time"), _("What to do"), _("Where"), _("Why"), _("Value"))
    rows: list[list[Any]] = [[written(str(title), size=8, bold=True) for title in titles]]
    for stop in sheet.stops:
        mark = " *" if stop.locked else ""
        texts = (
            f"[  ] {stop.number}{mark}",
            stop.when,
            stop.what,
            stop.where,
            stop.reason,
            stop.value,
        )
        rows.append([written(text, size=8) for text in texts])
    table = Table(rows, colWidths=_COLUMNS, repeatRows=1)
    table.setStyle(
        TableStyle(
            [
                ("LINEBELOW", (0, 0), (-1, 0), 0.8, INK),
                ("LINEBELOW", (0, 1), (-1, -1), 0.3, RULE),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LEFTPADDING", (0, 0), (-1, -1), 2),
                ("RIGHTPADDING", (0, 0), (-1, -1), 2),
            ]
        )
    )
    return table
