"""Cells of the CSV files that people open in a spreadsheet, which computes what looks like a formula."""

# OWASP, "CSV Injection": what spreadsheets take for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def safe_cell(value: object) -> object:
    """What no spreadsheet will compute: an apostrophe before such text; numbers are left as numbers."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def plain_cell(cell: str) -> str:
    """A cell as it was meant: without spaces around it and without the apostrophe of `safe_cell`."""
    cell = cell.strip()
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell
