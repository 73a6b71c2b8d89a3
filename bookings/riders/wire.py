"""How the API spells riders."""

import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from bookings.riders.models import DrivingLicence, IdentityCheck, RiderProfile, RuleText
from bookings.riders.rules import CATEGORIES
from bookings.riders.states import DocumentState, IdentityPaper, RejectionReason, TextKind
from fleet.vehicles.states import Kind
from mobility.core.texts import pick

# ISO 3166-1 alpha-2.
COUNTRY = r"^[A-Z]{2}$"
# E.164.
PHONE = r"^\+[1-9][0-9]{6,14}$"


class ObstacleSerializer(serializers.Serializer[Any]):
    """Something in the way of a ride, and what to do about it."""

    code = serializers.CharField()
    message = serializers.CharField()
    hint = serializers.CharField()
    blocking = serializers.BooleanField(help_text="False: a warning; the ride may begin.")
    params = serializers.DictField()


class EligibilitySerializer(serializers.Serializer[Any]):
    """Whether one operator's vehicles of a kind are open to the person."""

    organisation = serializers.CharField()
    organisation_name = serializers.CharField()
    kind = serializers.ChoiceField(choices=Kind.choices)
    eligible = serializers.BooleanField()
    obstacles = ObstacleSerializer(many=True)


class EligibilityListSerializer(serializers.Serializer[Any]):
    """One entry per operator."""

    results = EligibilitySerializer(many=True)


class EligibilityQuerySerializer(serializers.Serializer[Any]):
    """For which kind of vehicle, whose, and when."""

    kind = serializers.ChoiceField(choices=Kind.choices)
    organisation = serializers.SlugField(required=False)
    ends_at = serializers.DateTimeField(required=False, help_text="The planned end of the ride.")

    def validate_ends_at(self, value: datetime.datetime) -> datetime.datetime:
        """A moment that has a day on the city's calendar, and that somebody may plan for."""
        if not 2000 <= value.year <= 2100:
            raise serializers.ValidationError(_("Give the planned end of a ride."))
        return value


class ProfileSerializer(serializers.ModelSerializer[RiderProfile]):
    """What a person tells of themselves."""

    birth_date = serializers.DateField(allow_null=True, required=False)
    phone = serializers.RegexField(PHONE, allow_blank=True, required=False)
    reduced_mobility = serializers.BooleanField(
        required=False, help_text="Needs the consent `reduced_mobility`; gives longer free holds."
    )

    class Meta:
        model = RiderProfile
        fields = ("birth_date", "phone", "reduced_mobility")


class DocumentSerializer(serializers.Serializer[Any]):
    """A document as its owner sees it: no picture, no number."""

    id = serializers.UUIDField(source="public_id")
    state = serializers.ChoiceField(choices=DocumentState.choices)
    country = serializers.CharField()
    valid_until = serializers.DateField()
    submitted_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)
    reason = serializers.ChoiceField(choices=RejectionReason.choices, allow_blank=True)
    reason_text = serializers.SerializerMethodField()
    reviewed_by = serializers.SerializerMethodField()

    @extend_schema_field(serializers.CharField())
    def get_reason_text(self, document: Any) -> str:
        """Why it was not accepted, in words; empty otherwise."""
        return str(document.get_reason_display()) if document.reason else ""

    @extend_schema_field(serializers.CharField())
    def get_reviewed_by(self, document: Any) -> str:
        """The operator whose staff look at it."""
        return pick(document.organisation.name)


class IdentitySerializer(DocumentSerializer):
    """An identity document."""

    paper = serializers.ChoiceField(choices=IdentityPaper.choices)


class LicenceSerializer(DocumentSerializer):
    """A driving licence."""

    number_last3 = serializers.CharField()
    categories = serializers.ListField(child=serializers.ChoiceField(choices=CATEGORIES))
    held_since = serializers.DateField()


class DocumentsSerializer(serializers.Serializer[Any]):
    """The person's documents: what was sent last, and what is in force."""

    identity = IdentitySerializer(allow_null=True)
    identity_in_force = IdentitySerializer(allow_null=True)
    licence = LicenceSerializer(allow_null=True)
    licence_in_force = LicenceSerializer(allow_null=True)


class SubmitDocumentSerializer(serializers.Serializer[Any]):
    """What identity documents and licences are sent with; pictures are JPEG, PNG or WebP."""

    country = serializers.RegexField(COUNTRY, help_text="ISO 3166-1 alpha-2, such as IT.")
    valid_until = serializers.DateField()
    organisation = serializers.SlugField(
        required=False, help_text="The operator to review it; without it we choose one."
    )
    front = serializers.FileField()
    back = serializers.FileField(required=False)


class SubmitIdentitySerializer(SubmitDocumentSerializer):
    """An identity document with its pictures."""

    paper = serializers.ChoiceField(choices=IdentityPaper.choices)
    selfie = serializers.FileField(required=False)


class SubmitLicenceSerializer(SubmitDocumentSerializer):
    """A driving licence with pictures of both sides."""

    number = serializers.RegexField(r"^[A-Za-z0-9 ./-]{5,25}$")
    categories = serializers.CharField(
        help_text="Separated by commas, such as `AM,B`.", max_length=60
    )
    held_since = serializers.DateField()
    back = serializers.FileField()

    def validate_categories(self, value: str) -> list[str]:
        """A list of categories; which of them exist, the service says."""
        return [one.strip().upper() for one in value.split(",") if one.strip()]


class RuleTextSerializer(serializers.Serializer[Any]):
    """Rules to be confirmed, in the reader's language."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=TextKind.choices)
    organisation = serializers.CharField(
        allow_blank=True, help_text="Empty: of the platform, for every operator without its own."
    )
    version = serializers.IntegerField()
    title = serializers.CharField()
    body = serializers.CharField()
    acknowledged_at = serializers.DateTimeField(allow_null=True)


class RuleTextsSerializer(serializers.Serializer[Any]):
    """All rules in force."""

    results = RuleTextSerializer(many=True)


class AcknowledgeSerializer(serializers.Serializer[Any]):
    """Which versions the person has read and confirms."""

    texts = serializers.ListField(child=serializers.UUIDField(), allow_empty=False, max_length=20)


def documents_body(
    *,
    identity: IdentityCheck | None,
    identity_in_force: IdentityCheck | None,
    licence: DrivingLicence | None,
    licence_in_force: DrivingLicence | None,
) -> dict[str, Any]:
    """The person's documents."""
    return {
        "identity": identity and IdentitySerializer(identity).data,
        "identity_in_force": identity_in_force and IdentitySerializer(identity_in_force).data,
        "licence": licence and LicenceSerializer(licence).data,
        "licence_in_force": licence_in_force and LicenceSerializer(licence_in_force).data,
    }


def text_body(text: RuleText, read_at: datetime.datetime | None) -> dict[str, Any]:
    """One text, with when the person confirmed it."""
    return {
        "id": str(text.public_id),
        "kind": text.kind,
        "organisation": text.organisation.slug if text.organisation else "",
        "version": text.version,
        "title": pick(text.title),
        "body": pick(text.body),
        "acknowledged_at": read_at,
    }
