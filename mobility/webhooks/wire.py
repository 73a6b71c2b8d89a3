"""What the API of webhooks says and hears."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from mobility.core.courier import Failure
from mobility.webhooks import mapping
from mobility.webhooks.models import WebhookDelivery, WebhookEndpoint
from mobility.webhooks.states import DeliveryState, EndpointState


class ChangeEndpointIn(serializers.Serializer[Any]):
    """What may be changed of an endpoint."""

    url = serializers.CharField(
        max_length=500, required=False, help_text="A public https address: `https://…`."
    )
    kinds = serializers.ListField(
        child=serializers.ChoiceField(choices=list(mapping.kinds())),
        min_length=1,
        max_length=100,
        required=False,
        help_text="The kinds of facts to hear of.",
    )
    description = serializers.CharField(max_length=200, required=False, allow_blank=True)


class AddEndpointIn(ChangeEndpointIn):
    """A new endpoint."""

    organisation = serializers.SlugField(
        required=False, help_text="Needed only by who works for several."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("url", "kinds"):
            self.fields[name].required = True


class EndpointOut(serializers.ModelSerializer[WebhookEndpoint]):
    """An endpoint; its secret is shown only when it is made."""

    id = serializers.UUIDField(source="public_id")
    organisation = serializers.CharField(source="organisation.slug")
    kinds = serializers.ListField(child=serializers.CharField())
    state = serializers.ChoiceField(choices=EndpointState.choices)

    class Meta:
        model = WebhookEndpoint
        fields: tuple[str, ...] = (
            "id",
            "organisation",
            "url",
            "description",
            "kinds",
            "state",
            "created_at",
            "failures",
            "failing_since",
            "disabled_reason",
        )
        read_only_fields = fields


class NewEndpointOut(EndpointOut):
    """An endpoint with its secret, this once."""

    secret = serializers.SerializerMethodField(
        help_text="`whsec_…`; keep it, it is not shown again."
    )

    class Meta(EndpointOut.Meta):
        fields = (*EndpointOut.Meta.fields, "secret")

    def get_secret(self, endpoint: WebhookEndpoint) -> str:
        """What the service has just given out."""
        return str(self.context["secret"])


class NewSecretOut(serializers.Serializer[Any]):
    """A new secret, and how long the old one signs beside it."""

    secret = serializers.CharField()
    old_secret_signs_until = serializers.DateTimeField()


class DeliveryOut(serializers.ModelSerializer[WebhookDelivery]):
    """What became of one fact on its way to one endpoint."""

    id = serializers.UUIDField(source="public_id")
    webhook_id = serializers.UUIDField(source="message.event_id")
    kind = serializers.CharField(source="message.kind")
    happened_at = serializers.DateTimeField(source="message.at")
    state = serializers.ChoiceField(choices=DeliveryState.choices)
    last_failure = serializers.ChoiceField(choices=Failure.choices, allow_blank=True)

    class Meta:
        model = WebhookDelivery
        fields = (
            "id",
            "webhook_id",
            "kind",
            "happened_at",
            "state",
            "attempts",
            "last_attempt_at",
            "next_attempt_at",
            "last_status",
            "last_failure",
            "last_ms",
            "delivered_at",
            "given_up_at",
        )
        read_only_fields = fields


class DeliveryQuery(serializers.Serializer[Any]):
    """Which deliveries."""

    state = serializers.ChoiceField(choices=DeliveryState.choices, required=False)
    kind = serializers.ChoiceField(choices=[*mapping.kinds(), mapping.PING], required=False)


class RangeIn(serializers.Serializer[Any]):
    """A time, its end not included."""

    since = serializers.DateTimeField()
    until = serializers.DateTimeField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The end comes after the beginning."""
        if attrs["until"] <= attrs["since"]:
            raise serializers.ValidationError({"until": [_("The end comes after the beginning.")]})
        return attrs


class RepeatedOut(serializers.Serializer[Any]):
    """How many facts are on their way again."""

    facts = serializers.IntegerField()
