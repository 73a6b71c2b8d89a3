"""Records, statements, signed values and keys as programs see them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from charging.sessions.models import ChargeRecord, MeterKey, SignedValue


class RecordOut(serializers.ModelSerializer[ChargeRecord]):
    """A charge detail record: cents gross and net, lines, VAT, periods, tariff and place as it was.

    A credit carries the figures of what it takes back with the sign turned.
    """

    id = serializers.UUIDField(source="public_id")
    session = serializers.UUIDField(source="session.public_id")
    credits = serializers.UUIDField(source="credits.public_id", allow_null=True, default=None)

    class Meta:
        model = ChargeRecord
        fields = (
            "id", "number", "kind", "credits", "reason", "session", "issued_at", "started_at",
            "ended_at", "energy_wh", "charging_s", "idle_s", "currency", "gross_cents", "net_cents",
            "lines", "vat", "periods", "tariff", "place", "meter", "signature",
        )  # fmt: skip


class CreditIn(serializers.Serializer[Any]):
    """Why a record is taken back."""

    reason = serializers.CharField(max_length=200)


class SessionCorrectionIn(serializers.Serializer[Any]):
    """Why a session is billed again; `energy_wh` replaces what the meter says."""

    reason = serializers.CharField(max_length=200)
    energy_wh = serializers.IntegerField(min_value=0, max_value=10**9, required=False)


class MonthQuery(serializers.Serializer[Any]):
    """`month` as 2026-05; `organisation` (its slug) where one operates for several."""

    month = serializers.CharField(max_length=7)
    organisation = serializers.SlugField(required=False)


class RecordsQuery(MonthQuery):
    """A month, and what for."""

    shape = serializers.ChoiceField(choices=["csv", "ocpi"], default="csv")


class SumsOut(serializers.Serializer[Any]):
    """Charges and credits together; cents, Wh, seconds."""

    charges = serializers.IntegerField()
    credits = serializers.IntegerField()
    energy_wh = serializers.IntegerField()
    idle_s = serializers.IntegerField()
    net_cents = serializers.IntegerField()
    vat_cents = serializers.IntegerField()
    gross_cents = serializers.IntegerField()
    idle_cents = serializers.IntegerField()
    credited_cents = serializers.IntegerField()


class RateOut(serializers.Serializer[Any]):
    """The share of one VAT rate."""

    rate = serializers.CharField()
    net_cents = serializers.IntegerField()
    vat_cents = serializers.IntegerField()
    gross_cents = serializers.IntegerField()


class SiteSumsOut(SumsOut):
    """The share of one site."""

    site = serializers.CharField()


class StatementOut(serializers.Serializer[Any]):
    """A month in one currency."""

    currency = serializers.CharField()
    total = SumsOut()
    vat = RateOut(many=True)
    sites = SiteSumsOut(many=True)


class SignedValueOut(serializers.ModelSerializer[SignedValue]):
    """A signed reading: what came, character for character, and what came of verifying it."""

    id = serializers.UUIDField(source="public_id")
    key = serializers.CharField(source="key.public_key", allow_null=True, default=None)

    class Meta:
        model = SignedValue
        fields = (
            "id", "at", "context", "signed_data", "public_key", "signing_method", "encoding_method",
            "state", "checked_at", "key", "register_wh", "meter_serial", "details",
        )  # fmt: skip


class MeterKeyIn(serializers.Serializer[Any]):
    """A meter's public key (PEM, or DER in hexadecimal or base64), of one EVSE or the station."""

    public_key = serializers.CharField(max_length=4000)
    evse = serializers.IntegerField(min_value=1, required=False)


class MeterKeyOut(serializers.ModelSerializer[MeterKey]):
    """A meter's key; `source` says who vouches for it."""

    id = serializers.UUIDField(source="public_id")
    evse = serializers.IntegerField(source="evse.number", allow_null=True, default=None)

    class Meta:
        model = MeterKey
        fields = (
            "id", "evse", "public_key", "fingerprint", "curve", "source", "valid_from",
            "valid_until",
        )  # fmt: skip
