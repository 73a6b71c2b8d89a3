"""The shapes of what may follow a trip: photos, disputes, corrections, outages."""

from typing import Any

from rest_framework import serializers

from bookings.pricing.wire import LineSerializer
from bookings.trips.models import EndPhoto, Incident, TripDispute, TripVersion
from bookings.trips.states import (
    DisputeReason,
    DisputeState,
    PhotoState,
    VersionState,
    Waiver,
)


class PhotoInSerializer(serializers.Serializer[Any]):
    """A photo of the parked vehicle: JPEG, PNG or WebP, at most 10 MB."""

    photo = serializers.FileField()


class TripPhotoSerializer(serializers.Serializer[Any]):
    """A photo and what staff say about it; the picture itself is at /api/v1/files/{file}."""

    id = serializers.UUIDField()
    file = serializers.UUIDField()
    taken_at = serializers.DateTimeField()
    state = serializers.ChoiceField(choices=PhotoState.choices)
    reason = serializers.CharField()
    strike = serializers.IntegerField(allow_null=True)
    appeal = serializers.CharField()


class AppealSerializer(serializers.Serializer[Any]):
    """Why the rider objects to what staff said about a photo."""

    text = serializers.CharField(max_length=1000)


class TripDisputeInSerializer(serializers.Serializer[Any]):
    """What the rider objects to; up to three photos with it as `photo`, as multipart."""

    reason = serializers.ChoiceField(choices=DisputeReason.choices)
    text = serializers.CharField(max_length=2000, required=False, default="", allow_blank=True)
    photo = serializers.ListField(
        child=serializers.FileField(), required=False, default=list, max_length=3
    )


class TripDisputeSerializer(serializers.Serializer[Any]):
    """A dispute with its number and the time by which it is answered."""

    id = serializers.UUIDField()
    case_number = serializers.CharField()
    trip = serializers.UUIDField()
    reason = serializers.ChoiceField(choices=DisputeReason.choices)
    text = serializers.CharField()
    photos = serializers.ListField(child=serializers.UUIDField())
    state = serializers.ChoiceField(choices=DisputeState.choices)
    opened_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)
    answer = serializers.CharField()
    version = serializers.IntegerField(
        allow_null=True, help_text="The version of the trip that this dispute led to."
    )


class AcceptTripDisputeSerializer(serializers.Serializer[Any]):
    """How the trip is put right; without an end and a waiver nothing of it changes."""

    answer = serializers.CharField(max_length=2000)
    ended_at = serializers.DateTimeField(required=False)
    waived = serializers.ChoiceField(
        choices=[choice for choice in Waiver.choices if choice[0]], required=False
    )


class RejectTripDisputeSerializer(serializers.Serializer[Any]):
    """Why the trip stays as it is."""

    answer = serializers.CharField(max_length=2000)


class CorrectionInSerializer(serializers.Serializer[Any]):
    """How a trip should have been; what is left out stays."""

    reason = serializers.CharField(max_length=200)
    ended_at = serializers.DateTimeField(required=False)
    distance_m = serializers.IntegerField(required=False, min_value=0, max_value=10_000_000)
    waived = serializers.ChoiceField(choices=Waiver.choices, required=False)


class VersionChoiceSerializer(serializers.Serializer[Any]):
    """Which proposed version of the trip is decided."""

    version = serializers.IntegerField(min_value=1, max_value=32_767)


class TripVersionSerializer(serializers.Serializer[Any]):
    """The facts and the price of a trip at one time."""

    number = serializers.IntegerField()
    state = serializers.ChoiceField(choices=VersionState.choices)
    at = serializers.DateTimeField()
    reason = serializers.CharField()
    started_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField()
    distance_m = serializers.IntegerField()
    waived = serializers.ChoiceField(choices=Waiver.choices, allow_blank=True)
    lines = LineSerializer(many=True)
    total_cents = serializers.IntegerField()


class IncidentInSerializer(serializers.Serializer[Any]):
    """An outage that staff declare, from now on or since when it began."""

    organisation = serializers.SlugField()
    reason = serializers.CharField(max_length=200)
    since = serializers.DateTimeField(required=False)


class IncidentSerializer(serializers.Serializer[Any]):
    """A time in which an operator's vehicles cannot be heard."""

    id = serializers.UUIDField()
    organisation = serializers.SlugField()
    since = serializers.DateTimeField()
    until = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField()
    automatic = serializers.BooleanField()


def photo_body(photo: EndPhoto) -> dict[str, Any]:
    """A photo (loaded with its file)."""
    return {
        "id": photo.public_id,
        "file": photo.file.public_id,
        "taken_at": photo.taken_at,
        "state": photo.state,
        "reason": photo.reason,
        "strike": photo.strike,
        "appeal": photo.appeal,
    }


def dispute_body(dispute: TripDispute) -> dict[str, Any]:
    """A dispute (loaded with its trip and version)."""
    return {
        "id": dispute.public_id,
        "case_number": dispute.case_number,
        "trip": dispute.trip.public_id,
        "reason": dispute.reason,
        "text": dispute.text,
        "photos": dispute.photos,
        "state": dispute.state,
        "opened_at": dispute.opened_at,
        "due_at": dispute.due_at,
        "decided_at": dispute.decided_at,
        "answer": dispute.answer,
        "version": dispute.version.number if dispute.version else None,
    }


def version_body(version: TripVersion) -> dict[str, Any]:
    """A version of a trip."""
    return {
        "number": version.number,
        "state": version.state,
        "at": version.at,
        "reason": version.reason,
        "started_at": version.started_at,
        "ended_at": version.ended_at,
        "distance_m": version.distance_m,
        "waived": version.waiver,
        "lines": version.lines,
        "total_cents": version.total_cents,
    }


def incident_body(incident: Incident) -> dict[str, Any]:
    """An outage (loaded with its organisation)."""
    return {
        "id": incident.public_id,
        "organisation": incident.organisation.slug,
        "since": incident.since,
        "until": incident.until,
        "reason": incident.reason,
        "automatic": incident.automatic,
    }
