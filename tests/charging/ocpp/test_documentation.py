"""The page about chargers says what the tables of messages and reasons say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from charging.ocpp import v16, v201
from charging.ocpp.deeds import Dialect
from charging.ocpp.gateway.admission import Reason

PAGE = (Path(__file__).parents[3] / "docs" / "ocpp.md").read_text()


@pytest.mark.parametrize("dialect", [v16.DIALECT, v201.DIALECT])
def test_every_message_is_on_the_page(dialect: Dialect) -> None:
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{dialect.version}`"))
    assert set(re.findall(r"\b[A-Z][A-Za-z]+", row)) == set(dialect.inbound)


def test_every_reason_is_on_the_page() -> None:
    for reason in set(Reason) - {Reason.BUSY}:
        assert f"`{reason}`" in PAGE
