"""Cells that a spreadsheet would compute, written so that it does not, and read back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.maintenance import export
from fleet.vehicles import sheets
from mobility.core import spreadsheets
from mobility.core.spreadsheets import plain_cell, safe_cell

MARKS = "=+-@\t\r"


@pytest.mark.parametrize("mark", MARKS)
def test_no_text_begins_like_a_formula(mark: str) -> None:
    assert safe_cell(f"{mark}SUM(A1)") == f"'{mark}SUM(A1)"


def test_numbers_stay_numbers() -> None:
    assert [safe_cell(value) for value in (-5, 4.5, None)] == [-5, 4.5, None]


@settings(max_examples=60)
@given(text=st.text(alphabet=f"{MARKS}'a1 ", max_size=6))
def test_what_is_written_is_read_back(text: str) -> None:
    meant = text.strip()
    written = str(safe_cell(meant))
    assert not written.startswith(tuple(MARKS))
    # A person's own apostrophe before a formula cannot be told from ours.
    if meant == plain_cell(meant):
        assert plain_cell(written) == meant


def test_there_is_one_such_rule_in_the_house() -> None:
    """Both doors write their cells by it: a copy is where the next mark would be forgotten."""
    for door in (export, sheets):
        assert getattr(door, "safe_cell", None) is spreadsheets.safe_cell, door
