"""Papers and pictures of riders."""

import datetime
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.response import Response
from rest_framework.test import APIClient

from bookings.riders.models import AccessPolicy
from mobility.accounts.models import Organisation, User
from mobility.core import clock
from tests.core.files.test_images import picture


@pytest.fixture(autouse=True)
def _private_folder(settings: object, tmp_path: Path) -> None:
    settings.FILES_DIR = tmp_path / "files"
    settings.DOCUMENT_CHECKER = ""  # people look, unless a test says otherwise


def today() -> datetime.date:
    return clock.service_day(clock.now())


def in_days(days: int) -> str:
    return (today() + datetime.timedelta(days=days)).isoformat()


def photo() -> SimpleUploadedFile:
    return SimpleUploadedFile("photo.jpg", picture(), "image/jpeg")


@pytest.fixture
def send_licence(api: Callable[..., APIClient]) -> Callable[..., Response]:
    """`send_licence(giulia)`: her phone sends both sides."""

    def send(user: User, **told: object) -> Response:
        usual = {
            "number": "mi 1234567x",
            "country": "IT",
            "categories": "AM,B",
            "held_since": in_days(-3000),
            "valid_until": in_days(1500),
            "front": photo(),
            "back": photo(),
        }
        return api(user).post("/api/v1/me/licence", usual | told, format="multipart")

    return send


@pytest.fixture
def send_identity(api: Callable[..., APIClient]) -> Callable[..., Response]:
    """`send_identity(giulia)`: her identity card and her face."""

    def send(user: User, **told: object) -> Response:
        usual = {
            "paper": "identity_card",
            "country": "IT",
            "valid_until": in_days(900),
            "front": photo(),
            "selfie": photo(),
        }
        return api(user).post("/api/v1/me/identity", usual | told, format="multipart")

    return send


@pytest.fixture
def policy(ruote: Organisation) -> Callable[..., AccessPolicy]:
    """`policy(minimum_age=18)`: what Ruote asks of who drives its cars."""

    def ask(kind: str = "car", **asked: object) -> AccessPolicy:
        return AccessPolicy.objects.create(organisation=ruote, vehicle_kind=kind, **asked)

    return ask
