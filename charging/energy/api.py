"""Doors of operators to energy: demands, the load of their sites, profiles and limits."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from charging.energy import services
from charging.energy.models import ChargingLimit, ChargingProfile, EnergyDemand, SiteLoad
from charging.energy.wire import (
    DemandIn,
    DemandOut,
    LimitOut,
    ProfileOut,
    SiteLoadIn,
    SiteLoadOut,
)
from charging.stations.api import OPERATORS
from charging.stations.models import Connector, Site
from charging.stations.scoping import operated_by, operates
from mobility.accounts.models import User
from mobility.core import clock
from mobility.core.api import ScopedViewSet, WriteView


class DemandViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """GET, POST /api/v1/charging/energy-demands[/{id}[/withdraw]]"""

    queryset = EnergyDemand.objects.select_related("connector")
    serializer_class = DemandOut
    permission_classes = [OPERATORS]

    @extend_schema(request=DemandIn, responses={201: DemandOut})
    def create(self, request: Request) -> Response:
        """Want energy at a connector of one's own by a time."""
        wish = DemandIn(data=request.data)
        wish.is_valid(raise_exception=True)
        user = cast("User", request.user)
        own = Connector.objects.filter(operated_by(user, site="evse__station__site"))
        connector = get_object_or_404(own, public_id=wish.validated_data.pop("connector"))
        demand = services.demand_energy(
            connector_id=connector.pk,
            owner_ref=user.principal,
            **wish.validated_data,
            at=clock.now(),
            by=user.principal,
        )
        return Response(DemandOut(demand).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=DemandOut)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, public_id: UUID) -> Response:
        """Want it no more."""
        demand = services.withdraw_demand(
            demand=self.get_object(),
            at=clock.now(),
            by=cast("User", request.user).principal,
        )
        return Response(DemandOut(demand).data)


class ProfileViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """GET /api/v1/charging/profiles[/{id}]"""

    queryset = ChargingProfile.objects.select_related("connector")
    serializer_class = ProfileOut
    permission_classes = [OPERATORS]


class LimitViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """GET /api/v1/charging/limits[/{id}]"""

    queryset = ChargingLimit.objects.select_related("station")
    serializer_class = LimitOut
    permission_classes = [OPERATORS]


class SiteLoadView(WriteView):
    """GET, PUT /api/v1/charging/sites/{id}/load"""

    permission_classes = [OPERATORS]

    @extend_schema(responses=SiteLoadOut)
    def get(self, request: Request, public_id: UUID) -> Response:
        """What the site may draw, and how that is shared out now."""
        site = _own_site(cast("User", request.user), public_id)
        load = SiteLoad.objects.filter(site=site).first() or SiteLoad(site=site)
        return Response(_shown(load))

    @extend_schema(request=SiteLoadIn, responses=SiteLoadOut)
    def put(self, request: Request, public_id: UUID) -> Response:
        """Share out what the site draws, or leave it alone."""
        wish = SiteLoadIn(data=request.data)
        wish.is_valid(raise_exception=True)
        user = cast("User", request.user)
        load = services.set_site_load(
            site=_own_site(user, public_id),
            **wish.validated_data,
            at=clock.now(),
            by=user.principal,
        )
        return Response(_shown(load))


def _own_site(user: User, public_id: UUID) -> Site:
    site: Site = get_object_or_404(Site.objects.visible_to(user), public_id=public_id)
    if not operates(user, organisation_id=site.organisation_id):
        raise PermissionDenied
    return site


def _shown(load: SiteLoad) -> dict[str, object]:
    rows = Connector.objects.filter(pk__in=load.plan).values_list("pk", "public_id")
    names = {str(pk): str(public_id) for pk, public_id in rows}
    return dict(SiteLoadOut(load, context={"connectors": names}).data)
