"""QR codes as the runs of dark squares that they are made of: who draws one decides how."""

from functools import partial
from itertools import groupby
from typing import Any, NamedTuple

from reportlab.graphics.barcode.qrencoder import QRCode, QRErrorCorrectLevel

# The standard asks for four light squares around the code (ISO/IEC 18004 §6.3.8).
QUIET = 4


class Run(NamedTuple):
    """Dark squares side by side; rows and columns count from the outer edge of the quiet zone."""

    row: int
    column: int
    length: int


def qr_runs(text: str) -> tuple[int, list[Run]]:
    """The side of the code in squares, quiet zone included, and its dark runs from the top."""
    # The library is typed in its signatures only.
    code: Any = QRCode(None, QRErrorCorrectLevel.M)
    code.addData(text)
    code.make()
    count: int = code.getModuleCount()
    runs = []
    for row in range(count):
        for dark, columns in groupby(range(count), key=partial(code.isDark, row)):
            first, *others = columns
            if dark:
                runs.append(Run(row + QUIET, first + QUIET, 1 + len(others)))
    return count + 2 * QUIET, runs
