"""Certificates and security as operators' programs see them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from charging.certificates.models import (
    CertificateRequest,
    InstalledCertificate,
    SecurityEvent,
    StationCertificate,
)


class CertificateOut(serializers.ModelSerializer[StationCertificate]):
    """A certificate our authority signed."""

    id = serializers.UUIDField(source="public_id")
    station = serializers.UUIDField(source="station.public_id")
    identity = serializers.CharField(source="station.identity")

    class Meta:
        model = StationCertificate
        fields = (
            "id",
            "station",
            "identity",
            "kind",
            "state",
            "serial",
            "subject",
            "valid_from",
            "valid_until",
            "issued_at",
            "used_at",
        )


class RequestOut(serializers.ModelSerializer[CertificateRequest]):
    """A wish for a certificate."""

    id = serializers.UUIDField(source="public_id")

    class Meta:
        model = CertificateRequest
        fields = ("id", "kind", "state", "reason", "key_type", "asked_at", "finished_at")


class InstalledOut(serializers.ModelSerializer[InstalledCertificate]):
    """A certificate the station says it holds."""

    class Meta:
        model = InstalledCertificate
        fields = (
            "use",
            "hash_algorithm",
            "issuer_name_hash",
            "issuer_key_hash",
            "serial",
            "seen_at",
        )


class SecurityEventOut(serializers.ModelSerializer[SecurityEvent]):
    """Something a station noticed about its own safety."""

    class Meta:
        model = SecurityEvent
        fields = ("kind", "at", "received_at", "info", "critical")


class SecurityOut(serializers.Serializer[Any]):
    """How safe a station's connection is, and what speaks of it."""

    security_profile = serializers.IntegerField()
    ordered_profile = serializers.IntegerField(allow_null=True)
    password_change_open = serializers.BooleanField()
    requests = RequestOut(many=True)
    installed = InstalledOut(many=True)
    events = SecurityEventOut(many=True)


class ProfileIn(serializers.Serializer[Any]):
    """The profile a station shall rise to."""

    profile = serializers.IntegerField(min_value=1, max_value=3)
