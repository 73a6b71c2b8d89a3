"""Staff's hands on trips: ending, correcting, answering disputes, declaring outages."""

from typing import Any, cast

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from bookings.trips import services
from bookings.trips.models import Incident, Trip, TripDispute
from bookings.trips.wire.aftermath import (
    AcceptTripDisputeSerializer,
    CorrectionInSerializer,
    IncidentInSerializer,
    IncidentSerializer,
    RejectTripDisputeSerializer,
    TripDisputeSerializer,
    TripVersionSerializer,
    VersionChoiceSerializer,
    dispute_body,
    incident_body,
    version_body,
)
from bookings.trips.wire.trips import ForceEndSerializer, TripSerializer, trip_body
from mobility.accounts.models import Organisation, User
from mobility.accounts.permissions import HasRole
from mobility.accounts.states import Role
from mobility.core import clock
from mobility.core.api import ScopedViewSet
from mobility.core.errors import Forbidden


class StaffTripViewSet(ScopedViewSet):
    """Staff's hand on a trip that its rider cannot end, or that was billed wrongly."""

    queryset = Trip.objects.all()
    permission_classes = [HasRole(Role.FLEET_OPERATOR)]

    @extend_schema(request=ForceEndSerializer, responses=TripSerializer)
    def force_end(self, request: Request, public_id: str) -> Response:
        """End a trip wherever it is; the meter stands now."""
        form = ForceEndSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user, trip = cast("User", request.user), self._not_ones_own()
        at = clock.now()
        services.force_end(
            trip=trip, reason=form.validated_data["reason"], at=at, by=user.principal
        )
        return Response(trip_body(trip, at=at))

    @extend_schema(request=CorrectionInSerializer, responses={201: TripVersionSerializer})
    def propose(self, request: Request, public_id: str) -> Response:
        """Propose how the trip should have been; nothing moves before it is applied."""
        form = CorrectionInSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        asked, user = form.validated_data, cast("User", request.user)
        version = services.propose_correction(
            trip=self._not_ones_own(),
            reason=asked["reason"],
            ended_at=asked.get("ended_at"),
            distance_m=asked.get("distance_m"),
            waiver=asked.get("waived"),
            at=clock.now(),
            by=user.principal,
        )
        return Response(version_body(version), status=status.HTTP_201_CREATED)

    @extend_schema(request=VersionChoiceSerializer, responses=TripVersionSerializer)
    def apply(self, request: Request, public_id: str) -> Response:
        """Let a proposed version hold: the difference goes back; it never costs more."""
        return self._decide(services.apply_correction)

    @extend_schema(request=VersionChoiceSerializer, responses=TripVersionSerializer)
    def reject(self, request: Request, public_id: str) -> Response:
        """Leave the trip as it is."""
        return self._decide(services.reject_correction)

    def get_queryset(self) -> Any:
        """Only trips on the staff's own vehicles."""
        user = cast("User", self.request.user)
        trips = cast("Any", super().get_queryset()).with_story()
        if user.is_superuser:
            return trips
        return trips.filter(organisation__in=user.organisations_as(Role.FLEET_OPERATOR))

    def _decide(self, deed: Any) -> Response:
        trip, user = self._not_ones_own(), cast("User", self.request.user)
        form = VersionChoiceSerializer(data=self.request.data)
        form.is_valid(raise_exception=True)
        version = get_object_or_404(trip.versions, number=form.validated_data["version"])
        deed(version=version, at=clock.now(), by=user.principal)
        return Response(version_body(version))

    def _not_ones_own(self) -> Trip:
        trip: Trip = self.get_object()
        if trip.user_id == self.request.user.pk:
            raise Forbidden
        return trip


class StaffDisputeViewSet(ScopedViewSet):
    """Answers to disputes about the staff's own vehicles; nobody answers their own."""

    queryset = TripDispute.objects.select_related("trip", "user", "version")
    permission_classes = [HasRole(Role.FLEET_OPERATOR)]

    @extend_schema(request=AcceptTripDisputeSerializer, responses=TripDisputeSerializer)
    def accept(self, request: Request, public_id: str) -> Response:
        """The rider is right: the trip is corrected, and the difference goes back."""
        form = AcceptTripDisputeSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        asked, user = form.validated_data, cast("User", request.user)
        dispute = services.accept_dispute(
            dispute=self._not_ones_own(),
            answer=asked["answer"],
            ended_at=asked.get("ended_at"),
            waiver=asked.get("waived"),
            at=clock.now(),
            by=user.principal,
        )
        return Response(dispute_body(dispute))

    @extend_schema(request=RejectTripDisputeSerializer, responses=TripDisputeSerializer)
    def reject(self, request: Request, public_id: str) -> Response:
        """The trip stays as it is, and this is why."""
        form = RejectTripDisputeSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user = cast("User", request.user)
        dispute = services.reject_dispute(
            dispute=self._not_ones_own(),
            answer=form.validated_data["answer"],
            at=clock.now(),
            by=user.principal,
        )
        return Response(dispute_body(dispute))

    def get_queryset(self) -> Any:
        """Only disputes about the staff's own vehicles."""
        user = cast("User", self.request.user)
        return cast("Any", super().get_queryset()).run_by(user, Role.FLEET_OPERATOR)

    def _not_ones_own(self) -> TripDispute:
        dispute: TripDispute = self.get_object()
        if dispute.user_id == self.request.user.pk:
            raise Forbidden
        return dispute


class IncidentViewSet(ScopedViewSet):
    """Outages of the staff's own fleet."""

    queryset = Incident.objects.select_related("organisation")
    permission_classes = [HasRole(Role.FLEET_OPERATOR)]
    serializer_class = IncidentSerializer

    @extend_schema(responses=IncidentSerializer(many=True))
    def list(self, request: Request) -> Response:
        """The outages of the fleet, newest first."""
        page: Any = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response([incident_body(row) for row in page])

    @extend_schema(request=IncidentInSerializer, responses={201: IncidentSerializer})
    def create(self, request: Request) -> Response:
        """Declare an outage: from now on every attempt to end stops the meter and lets riders go."""
        form = IncidentInSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        asked, user = form.validated_data, cast("User", request.user)
        run = Organisation.objects.all()
        if not user.is_superuser:
            run = run.filter(pk__in=user.organisations_as(Role.FLEET_OPERATOR))
        incident = services.open_incident(
            organisation_id=get_object_or_404(run, slug=asked["organisation"]).pk,
            reason=asked["reason"],
            since=asked.get("since"),
            at=clock.now(),
            by=user.principal,
        )
        return Response(incident_body(incident), status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=IncidentSerializer)
    def close(self, request: Request, public_id: str) -> Response:
        """The vehicles are heard again."""
        user = cast("User", request.user)
        incident = services.close_incident(
            incident=self.get_object(), at=clock.now(), by=user.principal
        )
        return Response(incident_body(incident))
