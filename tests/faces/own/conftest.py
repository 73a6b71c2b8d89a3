"""Giulia's browser, with cars to book and a card that pays."""

import datetime
import io
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from mobility.accounts.models import User
from mobility.core import clock
from tests.bookings.conftest import card, collect, licensed, obey, rider, scooter, tariff, travel
from tests.bookings.payments.conftest import sell
from tests.bookings.reservations.conftest import car, car_tariff
from tests.bookings.trips.conftest import drive, finish, report, ride

__all__ = [
    "car", "car_tariff", "card", "collect", "drive", "finish", "licensed", "obey", "report", "ride",
    "rider", "scooter", "sell", "tariff", "travel",
]  # fmt: skip


def browser_of(user: User) -> Client:
    browser = Client(headers={"accept-language": "en"})
    browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return browser


@pytest.fixture
def browser(giulia: User) -> Client:
    """Giulia's browser."""
    return browser_of(giulia)


@pytest.fixture
def stranger(piero: User) -> Client:
    """Piero's, who must see nothing of hers."""
    return browser_of(piero)


@pytest.fixture
def picture() -> Callable[[], SimpleUploadedFile]:
    """`picture()`: a photo fresh from the camera."""

    def taken() -> SimpleUploadedFile:
        content = io.BytesIO()
        Image.new("RGB", (64, 48), "teal").save(content, "JPEG")
        return SimpleUploadedFile("photo.jpg", content.getvalue(), content_type="image/jpeg")

    return taken


@pytest.fixture
def tomorrow() -> Callable[[int], str]:
    """`tomorrow(9)`: nine o'clock on the city's clocks, as a browser's field sends it."""
    day = clock.service_day(clock.now()) + datetime.timedelta(days=1)
    return lambda hour: f"{day.isoformat()}T{hour:02d}:00"
