"""The page about chargers says what the tables of messages and reasons say."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from charging.frames.states import Quirk
from charging.ocpp import v16, v21, v201
from charging.ocpp.deeds import Dialect
from charging.ocpp.gateway.admission import Reason
from charging.ocpp.rpc.schemas import schemas_of

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "ocpp.md").read_text()
DIALECTS = [v16.DIALECT, v201.DIALECT, v21.DIALECT]
ROW = re.compile(
    r"^\| (\w+) \| (from the station|from us|both ways) \| (\S+) \| (\S+) \| (\S+) \|", re.MULTILINE
)
TABLE = {found[1]: (found[2], found.groups()[2:]) for found in ROW.finditer(PAGE)}
SAYS = {
    # What all versions say alike stands in one place.
    "ocpp1.6": ("saying", "v16/outbound"),
    "ocpp2.0.1": ("saying", "v201/outbound"),
    "ocpp2.1": ("saying", "v201/outbound", "v21/outbound", "v21/mapping", "v21/tariffs"),
}


def said_in(*places: str) -> set[str]:
    """Every text in the modules that say our commands."""
    folder = ROOT / "charging" / "ocpp"
    files = [
        file
        for place in places
        for file in ([folder / f"{place}.py"], (folder / place).rglob("*.py"))[
            (folder / place).is_dir()
        ]
        if file.exists()
    ]
    return {
        node.value
        for file in files
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: str(dialect.version))
def test_every_message_of_every_version_is_on_the_page(dialect: Dialect) -> None:
    column = DIALECTS.index(dialect)
    known = {action for action, (_, marks) in TABLE.items() if marks[column] != "–"}
    assert known == schemas_of(dialect.version).actions


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: str(dialect.version))
def test_what_the_page_promises_is_in_the_tables(dialect: Dialect) -> None:
    column, said = DIALECTS.index(dialect), said_in(*SAYS[dialect.version])
    heard = {
        action
        for action, (goes, marks) in TABLE.items()
        if goes != "from us" and marks[column] == "yes"
    }
    assert heard == set(dialect.inbound)
    sent = {
        action
        for action, (goes, marks) in TABLE.items()
        if goes != "from the station" and marks[column] == "yes"
    }
    assert sent == {action for action in schemas_of(dialect.version).actions if action in said} - {
        action for action, (goes, _) in TABLE.items() if goes == "from the station"
    }


def test_every_reason_is_on_the_page() -> None:
    for reason in set(Reason) - {Reason.BUSY}:
        assert f"`{reason}`" in PAGE


def test_every_quirk_is_on_the_page() -> None:
    for quirk in Quirk:
        assert f"`{quirk}`" in PAGE
