"""Doors of what a rider found before a ride: photos of a reserved or a booked vehicle."""

from typing import Any, ClassVar, cast

from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from bookings.reservations.models import Booking, Reservation
from bookings.reservations.services import BookingNotFound, ReservationNotFound
from bookings.trips import services
from bookings.trips.models import StartPhoto
from bookings.trips.wire.before import (
    StartPhotoInSerializer,
    StartPhotoSerializer,
    start_photo_body,
)
from mobility.accounts.models import User
from mobility.core import clock
from mobility.core.errors import NotFound
from mobility.core.files.api import UploadView, image_bytes

_LIST = inline_serializer("StartPhotos", {"results": StartPhotoSerializer(many=True)})
_IN = {"multipart/form-data": StartPhotoInSerializer}


class _StartPhotosView(UploadView):
    """Photos of one claim on a vehicle."""

    claims: ClassVar[Any]
    name: ClassVar[str]
    missing: ClassVar[type[NotFound]]

    def shown(self, request: Request, public_id: str) -> Response:
        """All photos of a claim that the person may see."""
        claim = self._found(
            self.claims.objects.visible_to(cast("User", request.user)), public_id=public_id
        )
        rows = StartPhoto.objects.filter(**{self.name: claim}).select_related("file", "vehicle")
        return Response({"results": [start_photo_body(one) for one in rows.order_by("id")]})

    def kept(self, request: Request, public_id: str) -> Response:
        """Keep one more of a claim of the person's own."""
        user = cast("User", request.user)
        mine = self.claims.objects.filter(user=user).select_related("vehicle__type")
        claim = self._found(mine, public_id=public_id)
        form = StartPhotoInSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        photo = services.add_start_photo(
            claim=claim,
            data=image_bytes(form.validated_data["photo"]),
            note=form.validated_data["note"],
            at=clock.now(),
            by=user.principal,
        )
        return Response(start_photo_body(photo), status=status.HTTP_201_CREATED)

    def _found(self, rows: Any, *, public_id: str) -> Any:
        found = rows.filter(public_id=public_id).first()
        if found is None:
            raise self.missing
        return found


class ReservationPhotosView(_StartPhotosView):
    """`/api/v1/reservations/{id}/photos`"""

    claims: ClassVar = Reservation
    name: ClassVar = "reservation"
    missing: ClassVar = ReservationNotFound

    @extend_schema(responses=_LIST)
    def get(self, request: Request, public_id: str) -> Response:
        """Photos of a reserved vehicle as its rider found it."""
        return self.shown(request, public_id)

    @extend_schema(request=_IN, responses={201: StartPhotoSerializer})
    def post(self, request: Request, public_id: str) -> Response:
        """Send a photo of a vehicle as you found it; eight at most, until ten minutes into the ride."""
        return self.kept(request, public_id)


class BookingPhotosView(_StartPhotosView):
    """`/api/v1/bookings/{id}/photos`"""

    claims: ClassVar = Booking
    name: ClassVar = "booking"
    missing: ClassVar = BookingNotFound

    @extend_schema(responses=_LIST)
    def get(self, request: Request, public_id: str) -> Response:
        """Photos of a booked car as its driver found it."""
        return self.shown(request, public_id)

    @extend_schema(request=_IN, responses={201: StartPhotoSerializer})
    def post(self, request: Request, public_id: str) -> Response:
        """Send a photo of the car as you found it; eight at most, until ten minutes into the ride."""
        return self.kept(request, public_id)
