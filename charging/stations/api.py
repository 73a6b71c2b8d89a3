"""Doors of operators: their sites, stations and the commands to them."""

from __future__ import annotations

import hashlib

from django.http import Http404
from rest_framework import mixins
from rest_framework.request import Request

from charging.stations.models import ChargingStation, Site, StationCommand
from charging.stations.wire import CommandOut, SiteRowOut, StationRowOut
from mobility.accounts.models import Organisation, User
from mobility.accounts.permissions import HasRole
from mobility.accounts.states import Role
from mobility.core import ids
from mobility.core.api import KEY_HEADER, ScopedViewSet

READERS = HasRole(Role.CHARGE_POINT_OPERATOR, Role.CITY_OFFICER)
OPERATORS = HasRole(Role.CHARGE_POINT_OPERATOR)


class SiteViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """GET /api/v1/charging/sites[/{id}]"""

    queryset = Site.objects.select_related("organisation")
    serializer_class = SiteRowOut
    permission_classes = [READERS]


class StationViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """GET /api/v1/charging/stations[/{id}]"""

    queryset = ChargingStation.objects.select_related("site").prefetch_related(
        "evses__connectors",
    )
    serializer_class = StationRowOut
    permission_classes = [READERS]


class CommandViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """GET /api/v1/charging/commands[/{id}]"""

    queryset = StationCommand.objects.select_related("station", "connector")
    serializer_class = CommandOut
    permission_classes = [OPERATORS]


def own_operator(user: User, *, slug: str | None) -> Organisation:
    """The operator one works for: the named one, or the first; 404 for any other."""
    own = Organisation.objects.all()
    if not user.is_superuser:
        own = own.filter(pk__in=user.organisations_as(Role.CHARGE_POINT_OPERATOR))
    if slug is not None:
        own = own.filter(slug=slug)
    operator = own.order_by("pk").first()
    if operator is None:
        raise Http404
    return operator


def command_key(request: Request, user: User) -> str:
    """A command's key from the person and the request's `Idempotency-Key`; of 78 characters at most.

    A hash of it: a long key that is cut off would be the same as another one.
    """
    given = request.headers.get(KEY_HEADER)
    told_apart = ids.uuid7() if given is None else hashlib.sha256(given.encode()).hexdigest()[:32]
    return f"{user.principal}:{told_apart}"
