"""Doors of zones: the public map of rules, and the sets that staff draft and publish."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import orjson
from django.core.cache import cache
from django.db.models import Count, QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import translation
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, status
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import SAFE_METHODS, AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from fleet.vehicles.scoping import FLEET_STAFF
from fleet.zones import queries, services, wire
from fleet.zones.models import ZoneSet
from mobility.accounts.models import Organisation, User
from mobility.accounts.permissions import HasRole, signed_in
from mobility.accounts.states import Role
from mobility.core import clock
from mobility.core.api import ReadView, ScopedViewSet
from mobility.core.errors import DomainError, Forbidden
from mobility.core.problems import problem_response
from mobility.geography.models import City

EDITORS = (Role.FLEET_OPERATOR, Role.CITY_OFFICER)
VIEWERS = (*sorted(FLEET_STAFF), Role.CITY_OFFICER)
GEOJSON = "application/geo+json"
# Sets never change; names of hubs beside them may.
KEPT_S = 3600


class NotYourZones(Forbidden):
    code = "not_your_zones"
    message = _("You may look at these zones, but not change them.")


class ZonesView(ReadView):
    """GET /api/v1/zones"""

    permission_classes = [AllowAny]

    @extend_schema(
        parameters=[OpenApiParameter("city", str, description="Slug of a city.")],
        responses={(200, GEOJSON): OpenApiTypes.OBJECT},
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Service areas, bays, slow, no-ride and no-parking zones valid now, as GeoJSON in order of
        precedence; 304 while they are the ones that `If-None-Match` names."""
        at, city = clock.now(), request.query_params.get("city")
        if city is not None and not City.objects.filter(slug=city).exists():
            return HttpResponse(orjson.dumps(queries.NO_FEATURES), content_type=GEOJSON)
        words = (queries.zones_tag(at=at), translation.get_language() or "", city or "")
        etag = f'"zones-{blake2b("|".join(words).encode(), digest_size=12).hexdigest()}"'
        known = get_conditional_response(request._request, etag=etag)
        if known is not None:
            return _fresh(known, etag)
        body = cache.get_or_set(
            f"zones:{etag}",
            lambda: orjson.dumps(queries.zone_features(at=at, city_slug=city)),
            KEPT_S,
        )
        return _fresh(HttpResponse(body, content_type=GEOJSON), etag)


class ZoneSetViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """GET, POST /api/v1/fleet/zone-sets, GET, DELETE …/{id}, GET, PUT …/{id}/zones,
    GET …/{id}/check, POST …/{id}/publish|rollback"""

    queryset = ZoneSet.objects.all()
    serializer_class = wire.ZoneSetOut

    def get_permissions(self) -> list[Any]:
        """Operators and officers write; crews read."""
        reads = self.request.method in SAFE_METHODS
        return [HasRole(*(VIEWERS if reads else EDITORS))()]

    def get_queryset(self) -> QuerySet[Any]:
        """Visible sets with the number of their zones."""
        sets: Any = super().get_queryset()
        related = sets.select_related("organisation", "city", "based_on")
        counted: QuerySet[Any] = related.annotate(zones_total=Count("zones"))
        return counted

    @extend_schema(request=wire.NewSetRequest, responses={201: wire.ZoneSetOut})
    def create(self, request: Request) -> Response:
        """Begin a draft with what is in force, with another version, or with nothing."""
        wish = wire.NewSetRequest(data=request.data)
        wish.is_valid(raise_exception=True)
        fields, user, at = wish.validated_data, signed_in(request), clock.now()
        organisation_id = _own_organisation(user, slug=fields.get("organisation"))
        city_id = _city(fields.get("city"))
        own = ZoneSet.objects.of(organisation_id=organisation_id, city_id=city_id)
        source = None
        if fields.get("based_on"):
            source = own.filter(public_id=fields["based_on"]).first()
            if source is None:
                raise services.NoSuchSet
        elif not fields["empty"]:
            source = own.in_force(at).first()
        draft = services.create_draft(
            organisation_id=organisation_id,
            city_id=city_id,
            title=fields["title"],
            based_on=source.pk if source else None,
            at=at,
            by=user.principal,
        )
        return self._answer(draft, code=status.HTTP_201_CREATED)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, public_id: str) -> Response:
        """Throw a draft away."""
        services.discard_draft(
            set_id=self._own().pk, at=clock.now(), by=signed_in(request).principal
        )
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(responses={(200, GEOJSON): OpenApiTypes.OBJECT})
    def zones(self, request: Request, public_id: str) -> HttpResponse:
        """The zones of one version as GeoJSON, as they can be put back into a draft."""
        features = queries.set_features(zone_set=self.get_object())
        return HttpResponse(orjson.dumps(features), content_type=GEOJSON)

    @extend_schema(request=wire.ZonesRequest, responses=wire.CheckOut)
    def replace(self, request: Request, public_id: str) -> Response:
        """Put these zones in the place of all that the draft had; the answer is the check."""
        draft = self._own()
        body = wire.ZonesRequest(data=request.data)
        body.is_valid(raise_exception=True)
        drawing = wire.read_drawing(fields=body.validated_data, city_id=draft.city_id)
        services.replace_zones(
            set_id=draft.pk,
            zones=drawing.zones,
            global_rules=drawing.global_rules,
            seen=drawing.seen,
            at=clock.now(),
            by=signed_in(request).principal,
        )
        return Response(_check(draft))

    @extend_schema(responses=wire.CheckOut)
    def check(self, request: Request, public_id: str) -> Response:
        """What is wrong or strange with the zones, errors first."""
        return Response(_check(self.get_object()))

    @extend_schema(request=wire.PublishRequest, responses=wire.ZoneSetOut)
    def publish(self, request: Request, public_id: str) -> Response:
        """Put a draft into force, now or later; errors are refused, warnings want a word."""
        draft = self._own()
        wish = wire.PublishRequest(data=request.data)
        wish.is_valid(raise_exception=True)
        return self._put_into_force(
            services.publish,
            set_id=draft.pk,
            starts_at=wish.validated_data.get("starts_at"),
            acknowledged=wish.validated_data["acknowledge_warnings"],
        )

    @extend_schema(request=wire.StartRequest, responses=wire.ZoneSetOut)
    def rollback(self, request: Request, public_id: str) -> Response:
        """Publish what this version said as a new one."""
        older = self._own()
        wish = wire.StartRequest(data=request.data)
        wish.is_valid(raise_exception=True)
        return self._put_into_force(
            services.rollback, set_id=older.pk, starts_at=wish.validated_data.get("starts_at")
        )

    def _put_into_force(self, service: Any, **wish: Any) -> Response:
        user = signed_in(self.request)
        try:
            published = service(**wish, at=clock.now(), by=user.principal)
        except (services.ZonesHaveErrors, services.ZonesHaveWarnings) as refusal:
            return _refused(refusal)
        return self._answer(published)

    def _own(self) -> ZoneSet:
        """A visible set that this person may also change."""
        zone_set: ZoneSet = self.get_object()
        own = ZoneSet.objects.run_by(signed_in(self.request), *EDITORS)
        if not own.filter(pk=zone_set.pk).exists():
            raise NotYourZones
        return zone_set

    def _answer(self, zone_set: ZoneSet, *, code: int = status.HTTP_200_OK) -> Response:
        fresh = self.get_queryset().get(pk=zone_set.pk)
        return Response(wire.ZoneSetOut(fresh).data, status=code)


def _fresh(response: HttpResponseBase, etag: str) -> HttpResponseBase:
    response["ETag"] = etag
    response["Cache-Control"] = "public, max-age=60"
    return response


def _check(zone_set: ZoneSet) -> dict[str, Any]:
    revision = queries.revision_of(zone_set)
    findings = services.check_draft(zone_set=zone_set)
    return {"findings": [*map(wire.finding_body, findings)], "revision": revision}


def _refused(refusal: services.ZonesHaveErrors | services.ZonesHaveWarnings) -> Response:
    answer: DomainError = refusal
    answer.extra["findings"] = [wire.finding_body(finding) for finding in refusal.findings]
    return problem_response(answer)


def _own_organisation(user: User, *, slug: str | None) -> int:
    """The organisation to draw for: the one named, or the only one this person draws for."""
    own = Organisation.objects.filter(pk__in=user.organisations_as(*EDITORS))
    if user.is_superuser:
        own = Organisation.objects.all()
    chosen = list(own.filter(slug=slug) if slug else own[:2])
    if len(chosen) > 1:
        raise ValidationError({"organisation": [_("Say for which of your organisations.")]})
    if not chosen:
        raise NotYourZones
    return chosen[0].pk


def _city(slug: str | None) -> int:
    chosen = list(City.objects.filter(slug=slug) if slug else City.objects.all()[:2])
    if len(chosen) != 1:
        raise ValidationError({"city": [_("Say which city.")]})
    return chosen[0].pk
