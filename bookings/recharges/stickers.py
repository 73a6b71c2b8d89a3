"""What is glued to a connector: its QR code and the code to type, as sheets of paper."""

import dataclasses
import io
from collections.abc import Sequence

from django.utils.translation import gettext as _
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from mobility.core.qr import qr_runs

COLUMNS, ROWS = 2, 4
WIDTH, HEIGHT = A4[0] / COLUMNS, A4[1] / ROWS
SIDE = 48 * mm


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Sticker:
    """One connector: where it is, what to type, what the QR code says."""

    place: str
    code: str
    url: str


def render_stickers(stickers: Sequence[Sticker]) -> bytes:
    """A PDF file of A4 sheets with eight stickers each, in the language that is active."""
    out = io.BytesIO()
    paper = Canvas(out, pagesize=A4)
    for number, sticker in enumerate(stickers):
        place = number % (COLUMNS * ROWS)
        if number and not place:
            paper.showPage()
        row, column = divmod(place, COLUMNS)
        _draw(paper, sticker, x=column * WIDTH, y=A4[1] - (row + 1) * HEIGHT)
    paper.showPage()
    paper.save()
    return out.getvalue()


def _draw(paper: Canvas, sticker: Sticker, *, x: float, y: float) -> None:
    """The QR code with a quiet zone of its own, and beside it the words."""
    _draw_code(paper, sticker.url, x=x + 4 * mm, y=y + (HEIGHT - SIDE) / 2)
    left, middle = x + SIDE + 6 * mm, y + HEIGHT / 2
    paper.setFont("Helvetica-Bold", 14)
    paper.drawString(left, middle + 8 * mm, _("Charge here"))
    paper.setFont("Courier-Bold", 13)
    paper.drawString(left, middle, sticker.code)
    paper.setFont("Helvetica", 9)
    paper.drawString(left, middle - 7 * mm, sticker.place)


def _draw_code(paper: Canvas, url: str, *, x: float, y: float) -> None:
    """A QR code of `SIDE`, as one shape: a shape for each square takes three times as long."""
    side, runs = qr_runs(url)
    square = SIDE / side
    shape = paper.beginPath()
    for run in runs:
        low = y + SIDE - (run.row + 1) * square
        shape.rect(x + run.column * square, low, run.length * square, square)
    paper.drawPath(shape, stroke=0, fill=1)
