"""The shapes of what a rider found before a ride."""

from typing import Any

from rest_framework import serializers

from bookings.trips.models import StartPhoto


class StartPhotoInSerializer(serializers.Serializer[Any]):
    """A photo of the vehicle as it was found: JPEG, PNG or WebP, at most 10 MB."""

    photo = serializers.FileField()
    note = serializers.CharField(max_length=300, required=False, default="", allow_blank=True)


class StartPhotoSerializer(serializers.Serializer[Any]):
    """A photo taken before a ride; the picture itself is at /api/v1/files/{file}."""

    id = serializers.UUIDField()
    file = serializers.UUIDField()
    vehicle = serializers.CharField(help_text="Code of the vehicle that it shows.")
    taken_at = serializers.DateTimeField()
    note = serializers.CharField()


def start_photo_body(photo: StartPhoto) -> dict[str, Any]:
    """A photo, loaded with its file and its vehicle."""
    return {
        "id": photo.public_id,
        "file": photo.file.public_id,
        "vehicle": photo.vehicle.code,
        "taken_at": photo.taken_at,
        "note": photo.note,
    }
