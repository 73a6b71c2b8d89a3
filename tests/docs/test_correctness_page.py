"""docs/correctness.md names tests that exist."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "correctness.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))


@cache
def names_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_what_the_page_names_is_there(path: str, name: str) -> None:
    assert name in names_in(path)


def test_every_race_has_a_proof_and_a_guard() -> None:
    races = PAGE.partition("| Race |")[2].partition("## Sent twice")[0].splitlines()[2:]
    rows = [row for row in races if row.startswith("|")]
    assert len(rows) >= 12
    assert all(row.count("::test_") == 2 for row in rows)
