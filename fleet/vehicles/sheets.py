"""The table of vehicles as a CSV file: how it is written, and how one is read.

Written with `;` and a byte order mark, as spreadsheets in Italy open it. A cell that a spreadsheet
would take for a formula gets an apostrophe in front; reading takes it off again.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from mobility.core.errors import Invalid
from mobility.core.spreadsheets import plain_cell, safe_cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

# What a file may set, and what the export tells besides; reading ignores the latter.
WRITABLE = ("code", "type", "plate", "vin", "home_hub", "equipment")
TOLD = (
    "organisation",
    "life_state",
    "rental_state",
    "link_state",
    "blocks",
    "battery_pct",
    "lat",
    "lon",
    "reported_at",
    "qr_code",
)
COLUMNS = (*WRITABLE, *TOLD)
LIST_SEPARATOR = "|"

MAX_BYTES = 1_000_000
MAX_ROWS = 2_000

_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"


class SheetMalformed(Invalid):
    code = "sheet_malformed"
    message = _("This file cannot be read: %(reason)s")


@dataclass(frozen=True, kw_only=True)
class SheetRow:
    """A row as it stands in the file; `values` has only the columns that the file has."""

    line: int
    values: dict[str, str]


def write(rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """The file of these rows, each in the order of `COLUMNS`, line by line."""
    yield _BOM + _line(COLUMNS)
    for row in rows:
        yield _line([safe_cell(value) for value in row])


def read(content: bytes) -> list[SheetRow]:
    """The rows of a file in UTF-8, divided by `;` or `,` as its first line says.

    Raises `SheetMalformed` for a file that is too large, no text, without `code`, with a column
    nobody knows or twice, or with a row that has more cells than the first line.
    """
    if len(content) > MAX_BYTES:
        raise SheetMalformed(reason=_("it is larger than 1 MB"))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SheetMalformed(reason=_("it is not UTF-8")) from error
    if "\0" in text:
        raise SheetMalformed(reason=_("it is no text"))
    header, _rest, _end = text.partition("\n")
    delimiter = ";" if ";" in header else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        columns = _columns(next(reader, []))
        return list(_rows(reader, columns))
    except csv.Error as error:
        raise SheetMalformed(
            reason=_("line %(line)d is no CSV") % {"line": reader.line_num}
        ) from error


def _columns(header: list[str]) -> list[str]:
    names = [name.strip().lower() for name in header]
    if "code" not in names:
        raise SheetMalformed(reason=_("its first line has no column “code”"))
    for name in names:
        if name not in COLUMNS:
            raise SheetMalformed(reason=_("nobody knows the column “%(name)s”") % {"name": name})
        if names.count(name) > 1:
            raise SheetMalformed(
                reason=_("the column “%(name)s” stands there twice") % {"name": name}
            )
    return names


def _rows(reader: Iterator[list[str]], columns: list[str]) -> Iterator[SheetRow]:
    count = 0
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        count += 1
        line = getattr(reader, "line_num", 0)
        if count > MAX_ROWS:
            raise SheetMalformed(reason=_("it has more than 2,000 rows"))
        if len(cells) > len(columns):
            raise SheetMalformed(
                reason=_("line %(line)d has more cells than the first") % {"line": line}
            )
        values = {
            name: plain_cell(cell)
            for name, cell in zip(columns, cells, strict=False)
            if name in WRITABLE
        }
        yield SheetRow(line=line, values=values)


def _line(cells: Iterable[object]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=";").writerow(cells)
    return buffer.getvalue()
