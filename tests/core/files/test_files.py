"""Private files: who opens which, how often, and when they go."""

import datetime
import io
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient

from mobility.accounts.models import User
from mobility.core import clock, files
from mobility.core.files import services
from mobility.core.files.api import MAX_UPLOAD_BYTES, UploadView, image_bytes
from mobility.core.files.models import StoredFile
from mobility.core.models import AuditEntry
from mobility.urls import urlpatterns as addresses
from tests.core.files.test_images import picture

HOUR = datetime.timedelta(hours=1)
files.register("sketch", may_read=lambda user, _file: user.email.startswith("marco"), keep=HOUR)
files.register("parcel", may_read=lambda _user, _file: False, once=True)


class SketchView(UploadView):
    """Takes a picture; counts what it kept."""

    def post(self, request: Request) -> Response:
        file = files.store_image(
            data=image_bytes(request.FILES["picture"]),
            purpose="sketch",
            owner=request.user.principal,
            at=clock.now(),
        )
        return Response({"id": str(file.public_id), "note": request.data.get("note")}, status=201)


urlpatterns = [path("api/v1/sketches", SketchView.as_view()), *addresses]
pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


@pytest.fixture(autouse=True)
def folder(settings: object, tmp_path: Path) -> Path:
    settings.FILES_DIR = tmp_path / "files"
    return settings.FILES_DIR


def sketch_of(user: User, purpose: str = "sketch") -> StoredFile:
    at = clock.now()
    return files.store_image(data=picture(), purpose=purpose, owner=user.principal, at=at)


def body_of(answer: object) -> bytes:
    return b"".join(answer.streaming_content)


def contents(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_its_owner_reads_a_picture_and_no_cache_keeps_it(
    api: Callable[..., APIClient], giulia: User
) -> None:
    answer = api(giulia).get(f"/api/v1/files/{sketch_of(giulia).public_id}")
    assert answer.status_code == 200
    assert body_of(answer).startswith(b"\xff\xd8")
    assert answer["Cache-Control"] == "private, no-store"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert not AuditEntry.objects.filter(action="open_file").exists()


def test_others_learn_not_even_that_it_exists(
    api: Callable[..., APIClient], giulia: User, piero: User
) -> None:
    file = sketch_of(giulia)
    assert api(piero).get(f"/api/v1/files/{file.public_id}").status_code == 404
    assert api(None).get(f"/api/v1/files/{file.public_id}").status_code == 401
    StoredFile.objects.update(purpose="nobody registered this")
    assert api(giulia).get(f"/api/v1/files/{file.public_id}").status_code == 404


def test_staff_whom_the_purpose_admits_leave_their_name(
    api: Callable[..., APIClient], giulia: User, marco: User
) -> None:
    file = sketch_of(giulia)
    assert api(marco).get(f"/api/v1/files/{file.public_id}").status_code == 200
    entry = AuditEntry.objects.get(action="open_file")
    assert (entry.by, entry.row) == (marco.principal, f"mobility.storedfile:{file.pk}")


def test_a_parcel_is_handed_out_once(api: Callable[..., APIClient], giulia: User) -> None:
    at = clock.now()
    parcel = files.store_file(
        content=io.BytesIO(b"PK"), content_type="application/zip", purpose="parcel",
        owner=giulia.principal, at=at,
    )  # fmt: skip
    phone, address = api(giulia), f"/api/v1/files/{parcel.public_id}"
    first = phone.get(address)
    assert "attachment" in first["Content-Disposition"]
    assert body_of(first) == b"PK"
    assert phone.get(address).json()["code"] == "file_taken"


def test_only_we_can_read_the_folder(folder: Path, giulia: User) -> None:
    sketch_of(giulia)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    [content] = contents(folder)
    assert stat.S_IMODE(content.stat().st_mode) == 0o600
    assert stat.S_IMODE(content.parent.stat().st_mode) == 0o700


def test_time_removes_content_and_keeps_the_fact(
    folder: Path, giulia: User, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    file = sketch_of(giulia)
    assert file.delete_after == file.created_at + HOUR
    with django_capture_on_commit_callbacks(execute=True):
        assert files.forget_outlived(at=file.created_at + HOUR - datetime.timedelta(seconds=1)) == 0
        assert contents(folder)
        assert files.forget_outlived(at=file.created_at + HOUR) == 1
        assert files.forget_outlived(at=file.created_at + 2 * HOUR) == 0
    file.refresh_from_db()
    assert (file.sha256, file.removed_at) == ("", file.created_at + HOUR)
    assert contents(folder) == []
    with pytest.raises(files.FileMissing):
        files.open_file(file)


def test_content_of_a_transaction_that_failed_is_swept_up_when_it_is_old(
    folder: Path, giulia: User
) -> None:
    kept = sketch_of(giulia)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        sketch_of(giulia)
        raise ZeroDivisionError
    lost, mine = contents(folder), services.path_of(kept.public_id)
    assert len(lost) == 2
    StoredFile.objects.update(delete_after=None)
    day = [clock.now().replace(hour=hour) for hour in range(24)]
    assert [files.forget_outlived(at=at) for at in day] == [0] * 24  # it might still be under way
    for content in lost:
        os.utime(content, (0, 0))
    assert sorted(files.forget_outlived(at=at) for at in day) == [*[0] * 23, 1]
    assert contents(folder) == [mine]


def test_a_repeated_upload_is_one_picture_even_beyond_five_megabytes(
    folder: Path, api: Callable[..., APIClient], giulia: User
) -> None:
    heavy = picture("PNG") + os.urandom(6 * 1024 * 1024)  # what lies behind the picture is dropped
    phone = api(giulia)

    def send(note: str) -> Response:
        upload = SimpleUploadedFile("a.png", heavy, "image/png")
        return phone.post(
            "/api/v1/sketches", {"picture": upload, "note": note}, format="multipart",
            headers={"Idempotency-Key": "k1"},
        )  # fmt: skip

    first, second, other = send("x"), send("x"), send("y")
    assert first.status_code == 201
    assert second.content == first.content
    assert second["Idempotency-Replayed"] == "true"
    assert other.json()["code"] == "idempotency_key_reused"
    assert len(contents(folder)) == StoredFile.objects.count() == 1


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "k"}])
def test_uploads_that_are_none_are_problems(
    api: Callable[..., APIClient], giulia: User, headers: dict[str, str]
) -> None:
    phone = api(giulia)

    def send(data: bytes) -> Response:
        upload = SimpleUploadedFile("a.jpg", data, "image/jpeg")
        return phone.post(
            "/api/v1/sketches", {"picture": upload}, format="multipart", headers=headers
        )

    assert send(b"#!/bin/sh").json()["code"] == "file_not_an_image"
    assert send(b"\xff" * (11 * 1024 * 1024)).json()["code"] == "file_too_large"
    long = send(b"\xff" * (MAX_UPLOAD_BYTES + 1))
    assert (long.status_code, long.json()["code"]) == (413, "file_too_large")
    broken = phone.generic(
        "POST", "/api/v1/sketches", b"no parts", "multipart/form-data; boundary=", headers=headers
    )
    assert broken.status_code == 400
    assert broken.json()["code"] == "parse_error"
    assert phone.post("/api/v1/sketches", {}, headers=headers).status_code == 415
