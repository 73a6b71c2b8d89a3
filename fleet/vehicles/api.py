"""Doors of the fleet's staff: see vehicles, what happened to them, and act on them."""

from typing import Any, cast

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from fleet.vehicles import queries, services
from fleet.vehicles.models import ServiceTrip, Vehicle, VehicleBlock
from fleet.vehicles.scoping import FLEET_STAFF
from fleet.vehicles.states import LIFE_MOVES
from fleet.vehicles.wire import (
    BatterySwapIn,
    BatterySwapOut,
    ServiceTripIn,
    ServiceTripOut,
    TimelineEntryOut,
    TimelineQuery,
    VehicleBlocksIn,
    VehicleCaseIn,
    VehicleCaseOut,
    VehicleCommandIn,
    VehicleCommandOut,
    VehicleDocumentIn,
    VehicleDocumentOut,
    VehicleLifeIn,
    VehicleOrdersIn,
    VehicleOrdersOut,
    VehicleOut,
    VehicleQuery,
    VehicleWithTimelineOut,
)
from mobility.accounts.permissions import HasRole, signed_in
from mobility.accounts.states import Role
from mobility.core import clock, ids
from mobility.core.api import KEY_HEADER, ScopedViewSet
from mobility.core.errors import Forbidden

STAFF_COMMAND_TTL_S = 60

_EXACT = {
    "type": "type__code",
    "equipment": "equipment__contains",
    "kind": "type__kind",
    "life_state": "life_state",
    "rental_state": "rental_state",
    "link_state": "link_state",
    "code": "code__icontains",
}


class VehicleViewSet(mixins.ListModelMixin, ScopedViewSet):
    """GET /api/v1/fleet/vehicles[/{id}[/timeline]], POST …/commands, PATCH …/{id}/blocks,
    POST …/{id}/commands|life|documents|battery-swaps|case|service-trip, DELETE …/service-trip"""

    queryset = Vehicle.objects.all()
    serializer_class = VehicleOut

    def get_permissions(self) -> list[Any]:
        """Operators and crews act; the city's officer reads."""
        reads = self.request.method in SAFE_METHODS
        roles = (*FLEET_STAFF, Role.CITY_OFFICER) if reads else tuple(FLEET_STAFF)
        return [HasRole(*roles)()]

    def get_queryset(self) -> QuerySet[Any]:
        """Visible vehicles with everything the answer shows; to act on, only those one works for."""
        vehicles: Any = super().get_queryset()
        if self.request.method not in SAFE_METHODS:
            vehicles = vehicles.run_by(signed_in(self.request), *FLEET_STAFF)
        return cast(
            "QuerySet[Any]",
            vehicles.with_condition().select_related("organisation", "city", "home_hub"),
        )

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """By what `VehicleQuery` knows."""
        if self.action != "list":
            return queryset
        query = VehicleQuery(data=self.request.query_params)
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        for name, path in _EXACT.items():
            if name in asked:
                value = [asked[name]] if path.endswith("__contains") else asked[name]
                queryset = queryset.filter(**{path: value})
        if "form_factor" in asked:
            forms = Vehicle.objects.of_form(asked["form_factor"])
            queryset = queryset.filter(pk__in=forms.values("pk"))
        if "block" in asked:
            blocked = VehicleBlock.objects.active().filter(reason=asked["block"])
            queryset = queryset.filter(pk__in=blocked.values("vehicle"))
        return queryset

    @extend_schema(parameters=[VehicleQuery], responses=VehicleOut(many=True))
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The vehicles this person may see, newest first."""
        return super().list(request, *args, **kwargs)

    @extend_schema(responses=VehicleWithTimelineOut)
    def retrieve(self, request: Request, public_id: str) -> Response:
        """One vehicle and what happened to it lately."""
        vehicle = self.get_object()
        vehicle.timeline = queries.timeline(vehicle_id=vehicle.pk)
        return Response(VehicleWithTimelineOut(vehicle).data)

    @extend_schema(request=VehicleCommandIn, responses={201: VehicleCommandOut})
    @action(detail=True, methods=["post"])
    def commands(self, request: Request, public_id: str) -> Response:
        """Order the vehicle to do something within a minute; it hears of it at its next report."""
        order = VehicleCommandIn(data=request.data)
        order.is_valid(raise_exception=True)
        command = services.queue_command(
            vehicle_id=self.get_object().pk,
            kind=order.validated_data["kind"],
            parameters=order.validated_data["parameters"],
            idempotency_key=_key(request),
            ttl_s=STAFF_COMMAND_TTL_S,
            purpose_ref="staff",
            at=clock.now(),
            by=signed_in(request).principal,
        )
        return Response(VehicleCommandOut(command).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        operation_id="fleet_vehicles_order_many",
        request=VehicleOrdersIn,
        responses={201: VehicleOrdersOut},
    )
    @action(detail=False, methods=["post"], url_path="commands", url_name="orders")
    def orders(self, request: Request) -> Response:
        """Order up to 1,000 vehicles to do the same; one that cannot does not stop the others."""
        order = VehicleOrdersIn(data=request.data)
        order.is_valid(raise_exception=True)
        asked = set(order.validated_data["vehicles"])
        mine = Vehicle.objects.run_by(signed_in(request), *FLEET_STAFF).filter(code__in=asked)
        codes = dict(mine.values_list("pk", "code"))
        report = services.queue_commands(
            vehicle_ids=codes,
            kind=order.validated_data["kind"],
            parameters=order.validated_data["parameters"],
            idempotency_key=_key(request),
            ttl_s=STAFF_COMMAND_TTL_S,
            purpose_ref="staff",
            at=clock.now(),
            by=signed_in(request).principal,
        )
        answer = {
            "ordered": sorted(codes[command.vehicle_id] for command in report.ordered),
            "unsupported": sorted(codes[pk] for pk in report.unsupported),
            "unknown": sorted(asked - set(codes.values())),
        }
        return Response(VehicleOrdersOut(answer).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        parameters=[TimelineQuery],
        responses=inline_serializer("Timeline", {"results": TimelineEntryOut(many=True)}),
    )
    @action(detail=True, methods=["get"], pagination_class=None)
    def timeline(self, request: Request, public_id: str) -> Response:
        """What happened to the vehicle, newest first; `until` pages backwards."""
        query = TimelineQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        entries = queries.timeline(vehicle_id=self.get_object().pk, **query.validated_data)
        return Response({"results": TimelineEntryOut(entries, many=True).data})

    @extend_schema(request=VehicleDocumentIn, responses={201: VehicleDocumentOut})
    @action(detail=True, methods=["post"])
    def documents(self, request: Request, public_id: str) -> Response:
        """Keep a paper; a vehicle that lacks one that its type asks for is not offered."""
        wish = VehicleDocumentIn(data=request.data)
        wish.is_valid(raise_exception=True)
        paper = services.save_document(
            vehicle_id=self.get_object().pk, **wish.validated_data, **self._now()
        )
        return Response(VehicleDocumentOut(paper).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=BatterySwapIn, responses={201: BatterySwapOut})
    @action(detail=True, methods=["post"], url_path="battery-swaps")
    def battery_swaps(self, request: Request, public_id: str) -> Response:
        """Say which battery was put in; send an `Idempotency-Key`, so that it counts once."""
        wish = BatterySwapIn(data=request.data)
        wish.is_valid(raise_exception=True)
        swap = services.swap_battery(
            vehicle_id=self.get_object().pk,
            idempotency_key=_key(request),
            **wish.validated_data,
            **self._now(),
        )
        return Response(BatterySwapOut(swap).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=ServiceTripIn, responses={201: ServiceTripOut})
    @action(detail=True, methods=["post"], url_path="service-trip")
    def service_trip(self, request: Request, public_id: str) -> Response:
        """Take the vehicle for a drive of staff; it unlocks. Refused while a rider has it."""
        wish = ServiceTripIn(data=request.data)
        wish.is_valid(raise_exception=True)
        trip = services.start_service_trip(
            vehicle_id=self.get_object().pk,
            reason=wish.validated_data["reason"],
            ticket_ref=wish.validated_data["ticket"],
            notes=wish.validated_data["notes"],
            **self._now(),
        )
        return Response(ServiceTripOut(trip).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=ServiceTripOut)
    @service_trip.mapping.delete
    def end_service_trip(self, request: Request, public_id: str) -> Response:
        """End the drive: the vehicle locks and is free again."""
        vehicle = self.get_object()
        running = ServiceTrip.objects.running().filter(vehicle=vehicle).first()
        if running is None:
            raise services.ServiceTripNotFound
        trip = services.end_service_trip(service_trip_id=running.pk, **self._now())
        return Response(ServiceTripOut(trip).data)

    @extend_schema(request=VehicleCaseIn, responses={201: VehicleCaseOut})
    @action(detail=True, methods=["post"])
    def case(self, request: Request, public_id: str) -> Response:
        """Say that the vehicle is missing, stolen or impounded; moving its life on closes it."""
        wish = VehicleCaseIn(data=request.data)
        wish.is_valid(raise_exception=True)
        case = services.open_case(
            vehicle_id=self.get_object().pk, **wish.validated_data, **self._now()
        )
        return Response(VehicleCaseOut(case).data, status=status.HTTP_201_CREATED)

    def _now(self) -> dict[str, Any]:
        return {"at": clock.now(), "by": signed_in(self.request).principal}

    @extend_schema(request=VehicleBlocksIn, responses=VehicleOut)
    @action(detail=True, methods=["patch"])
    def blocks(self, request: Request, public_id: str) -> Response:
        """Withdraw the vehicle for reasons, or lift reasons; answers with the vehicle as it is."""
        wish = VehicleBlocksIn(data=request.data)
        wish.is_valid(raise_exception=True)
        vehicle = self.get_object()
        services.change_blocks_by_hand(
            vehicle_ids=[vehicle.pk],
            place=wish.validated_data["block"],
            lift=wish.validated_data["lift"],
            at=clock.now(),
            by=signed_in(request).principal,
        )
        return Response(VehicleOut(self.get_object()).data)

    @extend_schema(request=VehicleLifeIn, responses=VehicleOut)
    @action(detail=True, methods=["post"])
    def life(self, request: Request, public_id: str) -> Response:
        """Move the vehicle to another part of its life: workshop, storage, back in service …

        What has no way back is the operator's to say, not the crew's.
        """
        wish = VehicleLifeIn(data=request.data)
        wish.is_valid(raise_exception=True)
        vehicle = self.get_object()
        operated = Vehicle.objects.run_by(signed_in(request), Role.FLEET_OPERATOR)
        if not LIFE_MOVES[wish.validated_data["to"]] and vehicle not in operated.filter(
            pk=vehicle.pk
        ):
            raise Forbidden
        services.set_life_state(
            vehicle_id=vehicle.pk,
            to=wish.validated_data["to"],
            reason=wish.validated_data["reason"],
            at=clock.now(),
            by=signed_in(request).principal,
        )
        return Response(VehicleOut(self.get_object()).data)


def _key(request: Request) -> str:
    """The key of an order: the caller's own, which is theirs alone, or a new one."""
    given = request.headers.get(KEY_HEADER)
    if given is None:
        return f"staff:{ids.uuid7()}"
    return f"staff:{ids.hash_secret(f'{signed_in(request).principal} {given}')}"
