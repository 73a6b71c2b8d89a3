"""What every PDF of the house is made of: A4 pages with text that can be searched and copied."""

import io
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

from django.utils.translation import get_language
from reportlab.lib import colors
from reportlab.lib.enums import TA_LEFT, TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Paragraph, SimpleDocTemplate

INK = colors.HexColor("#1b2733")
RULE = colors.HexColor("#c3ccd5")
_MARGIN = 20 * mm
# Comes with the library, may be embedded, and has the euro sign and Italian accents.
_FONT, _BOLD = "Vera", "VeraBd"


def print_pages(story: list[Any], *, title: str, author: str) -> bytes:
    """The story as a PDF file, in the language that is active; its lines are 170 mm wide."""
    out = io.BytesIO()
    paper = SimpleDocTemplate(
        out, pagesize=A4, title=title, author=author, lang=get_language() or "it",
        leftMargin=_MARGIN, rightMargin=_MARGIN, topMargin=_MARGIN, bottomMargin=_MARGIN,
    )  # fmt: skip
    paper.build(story)
    return out.getvalue()


def written(text: str, *, size: float = 9.5, bold: bool = False, right: bool = False) -> Paragraph:
    """A paragraph of plain text, `size` in points."""
    _fonts()
    style = ParagraphStyle(
        "text",
        fontName=_BOLD if bold else _FONT,
        fontSize=size,
        leading=size * 1.4,
        textColor=INK,
        alignment=TA_RIGHT if right else TA_LEFT,
    )
    return Paragraph(escape(text), style)


@cache
def _fonts() -> None:
    for name in (_FONT, _BOLD):
        pdfmetrics.registerFont(TTFont(name, f"{name}.ttf"))
