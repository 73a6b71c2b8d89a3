"""Door of residents who report that something is wrong with a vehicle."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from bookings.reservations.queries import vehicle_by_ref
from bookings.support.queries import own_trip_ref
from fleet.maintenance.services import report_fault
from fleet.maintenance.states import FaultSource
from fleet.maintenance.wire import FaultIn, OwnFaultOut
from mobility.accounts.permissions import signed_in
from mobility.core import clock
from mobility.core.api import WriteView


class VehicleFaultsView(WriteView):
    """POST /api/v1/vehicles/{id or code}/faults"""

    @extend_schema(request=FaultIn, responses={201: OwnFaultOut})
    def post(self, request: Request, ref: str) -> Response:
        """Report a problem; the answer is the case with its number. Telling it twice is once."""
        told = FaultIn(data=request.data)
        told.is_valid(raise_exception=True)
        vehicle, person, at = vehicle_by_ref(ref), signed_in(request), clock.now()
        fault = report_fault(
            vehicle_id=vehicle.pk,
            source=FaultSource.RESIDENT,
            category=told.validated_data["category"],
            text=told.validated_data["text"],
            trip_ref=own_trip_ref(user_id=person.pk, vehicle_id=vehicle.pk, at=at),
            place=told.place(),
            at=at,
            by=person.principal,
        )
        return Response(OwnFaultOut(fault).data, status=status.HTTP_201_CREATED)
