"""Doors of what may follow a trip, for its rider: photos, disputes, versions."""

from typing import Any, cast

from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import status
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from bookings.trips import services
from bookings.trips.models import EndPhoto, Trip, TripDispute, TripVersion
from bookings.trips.queries import own_trip
from bookings.trips.states import DisputeState
from bookings.trips.wire.aftermath import (
    AppealSerializer,
    PhotoInSerializer,
    TripDisputeInSerializer,
    TripDisputeSerializer,
    TripPhotoSerializer,
    TripVersionSerializer,
    dispute_body,
    photo_body,
    version_body,
)
from mobility.accounts.models import User
from mobility.core import clock
from mobility.core.api import ReadView, ScopedViewSet, query_choice
from mobility.core.files.api import UploadView, image_bytes


class TripPhotosView(UploadView):
    """Photos of one trip."""

    @extend_schema(
        responses=inline_serializer("TripPhotos", {"results": TripPhotoSerializer(many=True)})
    )
    def get(self, request: Request, public_id: str) -> Response:
        """The photos of a trip and what staff say about them."""
        trip = _visible_trip(cast("User", request.user), public_id)
        rows = EndPhoto.objects.filter(trip=trip).select_related("file").order_by("id")
        return Response({"results": [photo_body(photo) for photo in rows]})

    @extend_schema(
        request={"multipart/form-data": PhotoInSerializer}, responses={201: TripPhotoSerializer}
    )
    def post(self, request: Request, public_id: str) -> Response:
        """Send a photo of the vehicle as it is left; three at most, up to a day after the end."""
        user = cast("User", request.user)
        trip = _own_trip(user, public_id)
        form = PhotoInSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        photo = services.add_photo(
            trip=trip,
            data=image_bytes(form.validated_data["photo"]),
            at=clock.now(),
            by=user.principal,
        )
        return Response(photo_body(photo), status=status.HTTP_201_CREATED)


class PhotoViewSet(ScopedViewSet):
    """One photo of the person's own."""

    queryset = EndPhoto.objects.select_related("file", "trip", "user")

    @extend_schema(request=AppealSerializer, responses=TripPhotoSerializer)
    def appeal(self, request: Request, public_id: str) -> Response:
        """Object to what staff said; another look decides."""
        form = AppealSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user, photo = cast("User", request.user), self.get_object()
        services.appeal_photo(
            photo=photo, text=form.validated_data["text"], at=clock.now(), by=user.principal
        )
        return Response(photo_body(photo))

    def get_queryset(self) -> Any:
        """A person's own: staff do not object."""
        return cast("Any", super().get_queryset()).filter(user=self.request.user)


class TripDisputesView(UploadView):
    """Disputes of one trip."""

    parser_classes: Any = (JSONParser, MultiPartParser)

    @extend_schema(
        responses=inline_serializer("TripDisputes", {"results": TripDisputeSerializer(many=True)})
    )
    def get(self, request: Request, public_id: str) -> Response:
        """The disputes of a trip, newest first."""
        trip = _visible_trip(cast("User", request.user), public_id)
        rows = TripDispute.objects.filter(trip=trip).select_related("trip", "version")
        return Response({"results": [dispute_body(dispute) for dispute in rows]})

    @extend_schema(
        request={
            "application/json": TripDisputeInSerializer,
            "multipart/form-data": TripDisputeInSerializer,
        },
        responses={201: TripDisputeSerializer},
    )
    def post(self, request: Request, public_id: str) -> Response:
        """Object to a trip or its price; the answer is a case with its number and due time."""
        user = cast("User", request.user)
        trip = _own_trip(user, public_id)
        form = TripDisputeInSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        asked = form.validated_data
        dispute = services.open_dispute(
            trip=trip,
            reason=asked["reason"],
            text=asked["text"],
            photos=[image_bytes(upload) for upload in asked["photo"]],
            at=clock.now(),
            by=user.principal,
        )
        return Response(dispute_body(dispute), status=status.HTTP_201_CREATED)


class DisputeViewSet(ScopedViewSet):
    """Disputes: a person's own, and for staff those about their vehicles."""

    queryset = TripDispute.objects.select_related("trip", "version")
    serializer_class = TripDisputeSerializer

    @extend_schema(
        parameters=[OpenApiParameter("state", enum=DisputeState.values)],
        responses=TripDisputeSerializer(many=True),
    )
    def list(self, request: Request) -> Response:
        """Disputes, newest first."""
        rows = self.get_queryset()
        wanted = query_choice(request, "state", DisputeState.values)
        if wanted:
            rows = rows.filter(state=wanted)
        page: Any = self.paginate_queryset(rows)
        return self.get_paginated_response([dispute_body(dispute) for dispute in page])

    @extend_schema(responses=TripDisputeSerializer)
    def retrieve(self, request: Request, public_id: str) -> Response:
        """One dispute."""
        return Response(dispute_body(self.get_object()))


class TripVersionsView(ReadView):
    """What a trip was taken to be, one version after the other."""

    @extend_schema(
        responses=inline_serializer("TripVersions", {"results": TripVersionSerializer(many=True)})
    )
    def get(self, request: Request, public_id: str) -> Response:
        """The versions of a trip, the first one first; empty if it was never corrected."""
        trip = _visible_trip(cast("User", request.user), public_id)
        rows = TripVersion.objects.filter(trip=trip).order_by("number")
        return Response({"results": [version_body(version) for version in rows]})


def _visible_trip(user: User, public_id: str) -> Trip:
    """The person's own trip, or one on a vehicle that they run."""
    trip = Trip.objects.visible_to(user).filter(public_id=public_id).first()
    if trip is None:
        raise services.TripNotFound
    return trip


def _own_trip(user: User, public_id: str) -> Trip:
    """The person's own trip; staff take no photos and object to nothing."""
    trip = own_trip.first(user_id=user.pk, public_id=public_id)
    if trip is None:
        raise services.TripNotFound
    return trip
