"""The shapes of support cases in the API."""

from typing import Any

from rest_framework import serializers

from bookings.support.models import CaseMessage, SupportCase
from bookings.support.states import CaseKind, Resolution

MOST_CENTS = 1_000_000


class CaseIn(serializers.Serializer[Any]):
    """What is wrong, and with what; everything named must be the person's own."""

    kind = serializers.ChoiceField(choices=CaseKind.choices)
    text = serializers.CharField(max_length=2000)
    trip = serializers.UUIDField(required=False)
    recharge = serializers.UUIDField(required=False)
    payment = serializers.UUIDField(required=False)
    fault = serializers.UUIDField(required=False, help_text="A fault report of one's own.")


class MessageIn(serializers.Serializer[Any]):
    """A word in a case."""

    text = serializers.CharField(max_length=2000)


class ResolveIn(MessageIn):
    """How a case ends; `refund_cents` goes with `refunded` and with nothing else."""

    resolution = serializers.ChoiceField(
        choices=[c for c in Resolution.choices if c[0] != Resolution.WITHDRAWN]
    )
    refund_cents = serializers.IntegerField(min_value=0, max_value=MOST_CENTS, default=0)


class CaseMessageOut(serializers.ModelSerializer[CaseMessage]):
    """Something that was said; who of the staff said it stays inside. Pictures are at /api/v1/files/{id}."""

    photos = serializers.ListField(child=serializers.UUIDField())

    class Meta:
        model = CaseMessage
        fields: tuple[str, ...] = ("from_staff", "text", "photos", "at")
        read_only_fields: tuple[str, ...] = fields


class CaseOut(serializers.ModelSerializer[SupportCase]):
    """A case, loaded with its story."""

    id = serializers.UUIDField(source="public_id")
    answered_by = serializers.CharField(source="organisation.__str__")
    trip = serializers.UUIDField(source="trip.public_id", default=None, allow_null=True)
    recharge = serializers.UUIDField(source="recharge.public_id", default=None, allow_null=True)
    payment = serializers.UUIDField(source="payment.public_id", default=None, allow_null=True)
    fault_number = serializers.CharField(source="fault.case_number", default=None, allow_null=True)
    refund_cents = serializers.IntegerField(source="refund.cents", default=None, allow_null=True)
    refund_state = serializers.CharField(source="refund.state", default=None, allow_null=True)
    resolution = serializers.ChoiceField(choices=Resolution.choices, allow_blank=True)
    messages = CaseMessageOut(many=True)

    class Meta:
        model = SupportCase
        fields: tuple[str, ...] = (
            "id", "case_number", "kind", "state", "answered_by", "trip", "recharge", "payment",
            "fault_number", "opened_at", "due_at", "answered_at", "resolved_at", "resolution",
            "refund_cents", "refund_state", "messages",
        )  # fmt: skip
        read_only_fields: tuple[str, ...] = fields


class ProblemOut(serializers.Serializer[Any]):
    """Anything a person told us is wrong: a case, an objection to a trip, a fault of a vehicle."""

    id = serializers.UUIDField()
    what = serializers.ChoiceField(choices=["case", "dispute", "fault"])
    case_number = serializers.CharField()
    kind = serializers.CharField()
    state = serializers.CharField()
    over = serializers.BooleanField()
    opened_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(allow_null=True)
