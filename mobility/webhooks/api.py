"""Doors of webhooks: endpoints, their secrets, what became of each delivery, and sending again."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from mobility.accounts.models import Organisation, User
from mobility.accounts.permissions import HasRole, signed_in
from mobility.core import clock
from mobility.core.api import ReadView, ScopedViewSet, answers_secret
from mobility.webhooks import mapping, queries, services
from mobility.webhooks.models import KEEPERS, WebhookDelivery, WebhookEndpoint
from mobility.webhooks.wire import (
    AddEndpointIn,
    ChangeEndpointIn,
    DeliveryOut,
    DeliveryQuery,
    EndpointOut,
    NewEndpointOut,
    NewSecretOut,
    RangeIn,
    RepeatedOut,
)


class KindsOut(serializers.Serializer[Any]):
    """The kinds of facts there are."""

    kinds = serializers.ListField(child=serializers.CharField())


class KindsView(ReadView):
    """GET /api/v1/webhook-kinds"""

    permission_classes = (AllowAny,)

    @extend_schema(responses=KindsOut)
    def get(self, request: Request) -> Response:
        """Every kind of fact that an endpoint can ask for."""
        return Response({"kinds": list(mapping.kinds())})


class EndpointViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, ScopedViewSet
):
    """/api/v1/webhook-endpoints[/{id}[/pause|resume|rotate|ping|replay]]"""

    permission_classes = (HasRole(*sorted(KEEPERS)),)
    queryset = WebhookEndpoint.objects.select_related("organisation")
    serializer_class = EndpointOut

    @extend_schema(request=AddEndpointIn, responses={201: NewEndpointOut})
    @answers_secret
    def create(self, request: Request) -> Response:
        """Tell facts of these kinds to an address from now on; the answer carries the secret, this once."""
        wish = AddEndpointIn(data=request.data)
        wish.is_valid(raise_exception=True)
        person, asked = signed_in(request), wish.validated_data
        endpoint, secret = services.add_endpoint(
            organisation_id=_own_organisation(person, slug=asked.get("organisation")),
            url=asked["url"],
            kinds=asked["kinds"],
            description=asked.get("description", ""),
            at=clock.now(),
            by=person.principal,
        )
        body = NewEndpointOut(endpoint, context={"secret": secret}).data
        return Response(body, status=status.HTTP_201_CREATED)

    @extend_schema(request=ChangeEndpointIn, responses=EndpointOut)
    def partial_update(self, request: Request, public_id: str) -> Response:
        """Change the address, the kinds or the description."""
        own = self.get_object()
        wish = ChangeEndpointIn(data=request.data)
        wish.is_valid(raise_exception=True)
        endpoint = services.change_endpoint(
            endpoint=own, at=clock.now(), by=self._by(), **wish.validated_data
        )
        return Response(EndpointOut(endpoint).data)

    def perform_destroy(self, instance: WebhookEndpoint) -> None:
        """With its deliveries."""
        services.remove_endpoint(endpoint=instance, at=clock.now(), by=self._by())

    @extend_schema(request=None, responses=EndpointOut)
    def pause(self, request: Request, public_id: str) -> Response:
        """Hold facts back; they wait until the endpoint is resumed."""
        endpoint = services.pause_endpoint(
            endpoint=self.get_object(), at=clock.now(), by=self._by()
        )
        return Response(EndpointOut(endpoint).data)

    @extend_schema(request=None, responses=EndpointOut)
    def resume(self, request: Request, public_id: str) -> Response:
        """Let facts go again, after a pause or after the endpoint was disabled."""
        endpoint = services.resume_endpoint(
            endpoint=self.get_object(), at=clock.now(), by=self._by()
        )
        return Response(EndpointOut(endpoint).data)

    @extend_schema(request=None, responses=NewSecretOut)
    @answers_secret
    def rotate(self, request: Request, public_id: str) -> Response:
        """A new secret; for a day the old one signs beside it."""
        secret, until = services.rotate_secret(
            endpoint=self.get_object(), at=clock.now(), by=self._by()
        )
        return Response({"secret": secret, "old_secret_signs_until": until})

    @extend_schema(request=None, responses={202: DeliveryOut})
    def ping(self, request: Request, public_id: str) -> Response:
        """Send a `webhook.ping`; look at the delivery a moment later."""
        delivery = services.ping(endpoint=self.get_object(), at=clock.now(), by=self._by())
        return Response(DeliveryOut(delivery).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(request=RangeIn, responses={202: RepeatedOut})
    def replay(self, request: Request, public_id: str) -> Response:
        """Send again what happened in a time, whether it was heard or not; up to 1,000 facts."""
        own = self.get_object()
        wish = RangeIn(data=request.data)
        wish.is_valid(raise_exception=True)
        facts = services.repeat_range(
            endpoint=own, **wish.validated_data, at=clock.now(), by=self._by()
        )
        return Response({"facts": facts}, status=status.HTTP_202_ACCEPTED)

    @extend_schema(parameters=[DeliveryQuery], responses=DeliveryOut(many=True))
    def deliveries(self, request: Request, public_id: str) -> Response:
        """What became of each fact for this endpoint, newest first."""
        rows = queries.deliveries(endpoint=self.get_object())
        query = DeliveryQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        if "state" in query.validated_data:
            rows = rows.in_state(query.validated_data["state"])
        if "kind" in query.validated_data:
            rows = rows.filter(message__kind=query.validated_data["kind"])
        page: Any = self.paginate_queryset(rows)
        return self.get_paginated_response(DeliveryOut(page, many=True).data)

    def _by(self) -> Any:
        return signed_in(self.request).principal


class DeliveryViewSet(mixins.RetrieveModelMixin, ScopedViewSet):
    """/api/v1/webhook-deliveries/{id}[/replay]"""

    permission_classes = (HasRole(*sorted(KEEPERS)),)
    queryset: QuerySet[Any] = WebhookDelivery.objects.select_related("message", "endpoint")
    serializer_class = DeliveryOut

    @extend_schema(request=None, responses={202: DeliveryOut})
    def replay(self, request: Request, public_id: str) -> Response:
        """Send one fact again, under the same `webhook-id`."""
        delivery = services.repeat_delivery(
            delivery=self.get_object(), at=clock.now(), by=signed_in(request).principal
        )
        return Response(DeliveryOut(delivery).data, status=status.HTTP_202_ACCEPTED)


def _own_organisation(person: User, *, slug: str | None) -> int:
    """The organisation to listen for: the one named, or the only one this person keeps webhooks of."""
    own = Organisation.objects.run_by(person, *KEEPERS)
    if slug is not None:
        own = own.filter(slug=slug)
    found = list(own.values_list("pk", flat=True)[:2])
    if len(found) != 1:
        problem = {"organisation": [_("Say for which of your organisations.")]}
        raise serializers.ValidationError(problem)
    return found[0]
