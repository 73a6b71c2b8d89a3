"""Rules on the map of Milan, as people know them."""

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from mobility.accounts.models import User
from mobility.geography.models import City
from tests.fleet.zones.drawing import AT, OPERATING, START, Box, MakeZone
from tests.fleet.zones.sets import Desk

__all__ = ["AT", "OPERATING", "START", "Box", "MakeZone"]


@pytest.fixture
def desk(api: Callable[[User | None], APIClient], marco: User, milan: City) -> Desk:
    """Marco's sets."""
    return Desk(api(marco))
