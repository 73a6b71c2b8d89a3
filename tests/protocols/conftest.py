"""The gateway and the street of the charging tests, and the version a test speaks."""

from __future__ import annotations

import pytest

from tests.charging.ocpp.conftest import (
    _django_db_marker,
    eventually,
    gateway,
    grid,
    pytest_collection_modifyitems,
    real_database,
    site,
)
from tests.protocols.versions import ALL

__all__ = [
    "_django_db_marker",
    "eventually",
    "gateway",
    "grid",
    "pytest_collection_modifyitems",
    "real_database",
    "site",
]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes `version` and says nothing else runs on all of them."""
    marked = any(
        "version" in str(mark.args[0]).replace(" ", "").split(",")
        for mark in metafunc.definition.iter_markers("parametrize")
        if isinstance(mark.args[0], str)
    ) or any(
        "version" in mark.args[0]
        for mark in metafunc.definition.iter_markers("parametrize")
        if not isinstance(mark.args[0], str)
    )
    if "version" in metafunc.fixturenames and not marked:
        metafunc.parametrize("version", ALL)
