"""Admin pages of certificates, the wishes for them, and security events."""

from __future__ import annotations

from django.contrib import admin

from charging.certificates.models import CertificateRequest, SecurityEvent, StationCertificate
from charging.stations.admin import OPERATORS
from mobility.accounts.scoped_admin import ReadOnly, ScopedAdmin


@admin.register(StationCertificate)
class StationCertificateAdmin(ReadOnly, ScopedAdmin[StationCertificate]):
    """What our authority signed."""

    viewers = OPERATORS
    list_display = ("station", "kind", "state", "serial", "valid_until", "used_at")
    list_filter = ("state", "kind")
    list_select_related = ("station",)
    search_fields = ("station__identity", "serial")
    ordering = ("valid_until",)


@admin.register(CertificateRequest)
class CertificateRequestAdmin(ReadOnly, ScopedAdmin[CertificateRequest]):
    """What stations asked to be signed."""

    viewers = OPERATORS
    list_display = ("asked_at", "station", "kind", "state", "reason", "key_type")
    list_filter = ("state", "kind")
    list_select_related = ("station",)
    search_fields = ("station__identity",)
    ordering = ("-id",)


@admin.register(SecurityEvent)
class SecurityEventAdmin(ReadOnly, ScopedAdmin[SecurityEvent]):
    """What stations noticed about their own safety."""

    viewers = OPERATORS
    list_display = ("at", "station", "kind", "critical", "info")
    list_filter = ("critical", "kind")
    list_select_related = ("station",)
    search_fields = ("station__identity", "kind")
    ordering = ("-received_at",)
