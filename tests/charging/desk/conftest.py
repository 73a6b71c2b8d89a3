"""Luca at his desk, with the street of two operators above."""

from __future__ import annotations

import pytest
from django.test import Client

from mobility.accounts.models import User

BASE = "/admin/charging/chargingstation"


@pytest.fixture
def desk(luca: User, client: Client) -> Client:
    """Luca at his desk."""
    client.force_login(luca)
    return client
