"""Doors of notifications: a person's devices, what they want to hear of, what they were told."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from mobility.accounts.models import User
from mobility.accounts.permissions import signed_in
from mobility.core import clock
from mobility.core.api import ReadView, WriteView
from mobility.notifications import keys, queries, rules, services
from mobility.notifications.models import Notification, PushDevice
from mobility.notifications.states import Channel, Topic

MOST = 50


class KeysSerializer(serializers.Serializer[Any]):
    """The keys of a subscription as the browser's `toJSON` names them."""

    p256dh = serializers.CharField(max_length=100)
    auth = serializers.CharField(max_length=40)


class SubscriptionSerializer(serializers.Serializer[Any]):
    """A `PushSubscription` of the browser."""

    endpoint = serializers.CharField(max_length=1000)
    keys = KeysSerializer()


class DeviceSerializer(serializers.Serializer[Any]):
    """A device that shows notifications."""

    id = serializers.UUIDField(source="public_id")
    name = serializers.CharField()
    added_at = serializers.DateTimeField()
    reached_at = serializers.DateTimeField(allow_null=True)


class DevicesSerializer(serializers.Serializer[Any]):
    """One's devices, and the key with which a browser subscribes; empty where push is not set up."""

    application_key = serializers.CharField(allow_blank=True)
    results = DeviceSerializer(many=True)


class ChoiceSerializer(serializers.Serializer[Any]):
    """Whether a person wants to hear of something in one way; what is `always` told cannot be turned off."""

    topic = serializers.ChoiceField(choices=Topic.choices)
    channel = serializers.ChoiceField(choices=Channel.choices)
    wanted = serializers.BooleanField()
    always = serializers.BooleanField(read_only=True)


class ChoicesSerializer(serializers.Serializer[Any]):
    """Every topic and way."""

    results = ChoiceSerializer(many=True)


class ToldSerializer(serializers.Serializer[Any]):
    """Something that the person was told."""

    id = serializers.UUIDField(source="public_id")
    topic = serializers.ChoiceField(choices=Topic.choices)
    title = serializers.CharField()
    body = serializers.CharField()
    path = serializers.CharField()
    at = serializers.DateTimeField()


class AllToldSerializer(serializers.Serializer[Any]):
    """What the person was told lately, newest first."""

    results = ToldSerializer(many=True)


class NotificationsView(ReadView):
    """GET /api/v1/me/notifications"""

    @extend_schema(responses=AllToldSerializer)
    def get(self, request: Request) -> Response:
        """What one was told in the last 30 days, the newest 50."""
        rows = Notification.objects.visible_to(signed_in(request)).order_by("-at", "-id")[:MOST]
        return Response({"results": ToldSerializer(rows, many=True).data})


class ChoicesView(WriteView):
    """GET, PUT /api/v1/me/notification-choices"""

    @extend_schema(responses=ChoicesSerializer)
    def get(self, request: Request) -> Response:
        """Every topic and way, and whether one is told."""
        return Response(_choices(signed_in(request)))

    @extend_schema(request=ChoicesSerializer, responses=ChoicesSerializer)
    def put(self, request: Request) -> Response:
        """Choose some of them; those not named stay as they are, and what is always told stays on."""
        form = ChoicesSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        named = form.validated_data["results"]
        wanted = {(one["topic"], one["channel"]): one["wanted"] for one in named}
        user = signed_in(request)
        services.choose(user=user, wanted=wanted)
        return Response(_choices(user))


def _choices(user: User) -> dict[str, Any]:
    chosen = queries.choices_of(user)
    return {
        "results": [
            {
                "topic": topic,
                "channel": channel,
                "wanted": rules.is_wanted(topic, channel, chosen),
                "always": (topic, channel) in rules.REQUIRED,
            }
            for topic in Topic.values
            for channel in Channel.values
        ]
    }


class DevicesView(WriteView):
    """GET, POST /api/v1/me/push-devices"""

    @extend_schema(responses=DevicesSerializer)
    def get(self, request: Request) -> Response:
        """One's devices, newest first."""
        rows = PushDevice.objects.visible_to(signed_in(request)).order_by("-added_at", "-id")
        body = {
            "application_key": keys.application_key(),
            "results": DeviceSerializer(rows, many=True).data,
        }
        return Response(body)

    @extend_schema(request=SubscriptionSerializer, responses={201: DeviceSerializer})
    def post(self, request: Request) -> Response:
        """Be told on this browser; the same subscription again is the same device."""
        form = SubscriptionSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        device = services.add_device(
            user=signed_in(request),
            endpoint=form.validated_data["endpoint"],
            **form.validated_data["keys"],
            agent=request.headers.get("User-Agent", ""),
            at=clock.now(),
        )
        return Response(DeviceSerializer(device).data, status=status.HTTP_201_CREATED)


class DeviceView(WriteView):
    """DELETE /api/v1/me/push-devices/{id}"""

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request, public_id: str) -> Response:
        """Be told nothing on this device any more."""
        own = PushDevice.objects.visible_to(signed_in(request))
        device = get_object_or_404(own, public_id=public_id)
        services.remove_device(device=device)
        return Response(status=status.HTTP_204_NO_CONTENT)
