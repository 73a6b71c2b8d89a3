"""A monthly statement as PDF: sums, VAT, sites, in the language that is active."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils import formats
from django.utils.translation import gettext as _
from reportlab.lib.units import mm
from reportlab.platypus import Spacer, Table, TableStyle

from charging.statements.queries import Month, Statement, Sums
from mobility.core.money import format_money
from mobility.core.paper import RULE, print_pages, written


def statement_pdf(*, operator: str, month: Month, statements: Sequence[Statement]) -> bytes:
    """The month as a PDF file."""
    title = _("Charging statement %s") % month
    story: list[Any] = [written(title, size=16, bold=True), Spacer(1, 3 * mm), written(operator)]
    if not statements:
        story += [Spacer(1, 6 * mm), written(_("Nothing was settled in this month."))]
    for statement in statements:
        story += _chapter(statement)
    return print_pages(story, title=f"{title} – {operator}", author=operator)


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
            written(cell, bold=head is not None and number == 0, right=column > 0)
            for column, cell in enumerate(row)
        ]
        for number, row in enumerate(shown)
    ]
    if not cells:
        cells = [[written("–")] + [written("") for _column in widths[1:]]]
    rule = ("LINEBELOW", (0, 0), (-1, -1), 0.4, RULE)
    return Table(
        cells,
        colWidths=[width * mm for width in widths],
        style=TableStyle([rule]),
        repeatRows=1 if head else 0,
    )
