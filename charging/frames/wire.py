"""Frames and leniency as operators' programs see them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from charging.frames.models import QuirkCount
from charging.frames.states import Direction


class FrameOut(serializers.Serializer[Any]):
    """One frame, in plain words and as it was."""

    at = serializers.DateTimeField()
    direction = serializers.ChoiceField(choices=Direction.choices)
    version = serializers.CharField()
    connection = serializers.IntegerField(source="epoch", help_text="Which connection it was on.")
    kind = serializers.IntegerField(
        help_text="2 call, 3 result, 4 error, 5 result error, 6 send; 0 for what is no message.",
    )
    message_id = serializers.CharField()
    action = serializers.CharField()
    words = serializers.CharField()
    body = serializers.CharField(help_text="Passwords gone, cards by their last four signs.")
    size = serializers.IntegerField(help_text="Bytes, before anything was left out.")


class QuirkOut(serializers.ModelSerializer[QuirkCount]):
    """What was forgiven to a station."""

    words = serializers.CharField(source="get_quirk_display")

    class Meta:
        model = QuirkCount
        fields = ("quirk", "words", "times", "first_at", "last_at", "example")
