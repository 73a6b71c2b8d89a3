"""Doors of accounts: sign in for a token, see oneself."""

import datetime
from typing import Any

from allauth.account.authentication import get_authentication_records
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from mobility.accounts import consents, rights, services
from mobility.accounts.models import ApiToken, PrivacyRequest
from mobility.accounts.permissions import signed_in
from mobility.accounts.states import ConsentTopic, PrivacyKind, PrivacyState
from mobility.core import clock
from mobility.core.api import ReadView, WriteView
from mobility.core.texts import pick


class SignInSerializer(serializers.Serializer[Any]):
    """E-mail address and password, and a code of the second factor where there is one."""

    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(max_length=200, trim_whitespace=False)
    code = serializers.CharField(
        max_length=20,
        required=False,
        default="",
        help_text="A one-time or recovery code, of who has a second factor.",
    )


class TokenSerializer(serializers.Serializer[Any]):
    """A token, shown this once."""

    token = serializers.CharField()
    expires_at = serializers.DateTimeField(allow_null=True)


class RoleSerializer(serializers.Serializer[Any]):
    """A role in an organisation."""

    organisation = serializers.CharField()
    organisation_name = serializers.CharField()
    role = serializers.CharField()


class MeSerializer(serializers.Serializer[Any]):
    """The person behind the request."""

    id = serializers.UUIDField()
    email = serializers.EmailField()
    name = serializers.CharField()
    language = serializers.CharField()
    roles = RoleSerializer(many=True)


class ArchiveSerializer(serializers.Serializer[Any]):
    """A copy of one's data: asked for, or ready to be downloaded."""

    id = serializers.UUIDField(source="public_id")
    state = serializers.ChoiceField(choices=PrivacyState.choices)
    asked_at = serializers.DateTimeField()
    done_at = serializers.DateTimeField(allow_null=True)
    file = serializers.UUIDField(
        source="file.public_id",
        default=None,
        allow_null=True,
        help_text="Download it once, within seven days, at /api/v1/files/{id}.",
    )


class ArchivesSerializer(serializers.Serializer[Any]):
    """The copies one has asked for, newest first."""

    results = ArchiveSerializer(many=True)


class EraseSerializer(serializers.Serializer[Any]):
    """That it is really the person; without a password the log-in must be of the last 15 minutes."""

    password = serializers.CharField(
        max_length=200, trim_whitespace=False, required=False, default=""
    )


class ErasedSerializer(serializers.Serializer[Any]):
    """That the account is closed, and what the law makes us keep."""

    erased_at = serializers.DateTimeField()
    kept = serializers.ListField(child=serializers.CharField())


class ConsentSerializer(serializers.Serializer[Any]):
    """Whether the person agrees to something, to which version of its text."""

    topic = serializers.ChoiceField(choices=ConsentTopic.choices)
    given = serializers.BooleanField()
    version = serializers.CharField(max_length=20)
    given_at = serializers.DateTimeField(allow_null=True, read_only=True)


class ConsentsSerializer(serializers.Serializer[Any]):
    """Every topic, agreed to or not, with the version of the text in force."""

    results = ConsentSerializer(many=True)


class SignInView(WriteView):
    """POST /api/v1/auth/token"""

    permission_classes = (AllowAny,)
    authentication_classes = ()

    @extend_schema(request=SignInSerializer, responses={201: TokenSerializer})
    def post(self, request: Request) -> Response:
        """Sign in with e-mail and password; the answer carries a token for `Authorization: Bearer`."""
        form = SignInSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        token, secret = services.sign_in(**form.validated_data, at=clock.now())
        return Response(
            {"token": secret, "expires_at": token.expires_at}, status=status.HTTP_201_CREATED
        )


class MeView(ReadView):
    """GET /api/v1/me"""

    @extend_schema(responses=MeSerializer)
    def get(self, request: Request) -> Response:
        """The person behind the request, with their roles."""
        user = signed_in(request)
        memberships = user.memberships.select_related("organisation").order_by(
            "organisation__slug", "role"
        )
        return Response(
            {
                "id": user.public_id,
                "email": user.email,
                "name": user.name,
                "language": user.language,
                "roles": [
                    {
                        "organisation": membership.organisation.slug,
                        "organisation_name": pick(membership.organisation.name),
                        "role": membership.role,
                    }
                    for membership in memberships
                ],
            }
        )


class ArchiveView(WriteView):
    """GET, POST /api/v1/me/export"""

    @extend_schema(responses=ArchivesSerializer)
    def get(self, request: Request) -> Response:
        """The copies of your data that you have asked for."""
        asked = PrivacyRequest.objects.visible_to(signed_in(request))
        newest = asked.filter(kind=PrivacyKind.EXPORT).select_related("file").order_by("-pk")[:20]
        return Response({"results": ArchiveSerializer(newest, many=True).data})

    @extend_schema(request=None, responses={202: ArchiveSerializer})
    def post(self, request: Request) -> Response:
        """Ask for a copy of everything that is known of you; a mail tells when it is ready."""
        asked = rights.ask_for_archive(user=signed_in(request), at=clock.now())
        return Response(ArchiveSerializer(asked).data, status=status.HTTP_202_ACCEPTED)


def _proved_at(request: Request) -> datetime.datetime | None:
    """When this very token or browser last saw who it is; None for who can prove it by a password.

    The account's last log-in says nothing: it may have been on another device.
    """
    if isinstance(request.auth, ApiToken):
        return request.auth.created_at
    person = signed_in(request)
    if person.has_usable_password():
        return None
    proofs = [proof["at"] for proof in get_authentication_records(request, person)]
    return datetime.datetime.fromtimestamp(max(proofs), tz=datetime.UTC) if proofs else None


class EraseView(WriteView):
    """POST /api/v1/me/erase"""

    @extend_schema(request=EraseSerializer, responses=ErasedSerializer)
    def post(self, request: Request) -> Response:
        """Close your account and erase your data, for good. 409 says what must be finished first."""
        form = EraseSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        person, at = signed_in(request), clock.now()
        rights.confirm_person(
            user=person,
            password=form.validated_data["password"],
            proved_at=_proved_at(request),
            at=at,
        )
        rights.erase_person(user=person, at=at, by=person.principal)
        return Response({"erased_at": at, "kept": rights.kept_after_erasure()})


class ConsentsView(WriteView):
    """GET, POST /api/v1/me/consents"""

    @extend_schema(responses=ConsentsSerializer)
    def get(self, request: Request) -> Response:
        """What you have agreed to."""
        return Response(self._body(request))

    @extend_schema(request=ConsentSerializer, responses=ConsentsSerializer)
    def post(self, request: Request) -> Response:
        """Agree to something, or withdraw it."""
        form = ConsentSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        told, person, at = form.validated_data, signed_in(request), clock.now()
        if told["given"]:
            consents.give_consent(user=person, topic=told["topic"], version=told["version"], at=at)
        else:
            consents.withdraw_consent(user=person, topic=told["topic"], at=at)
        return Response(self._body(request))

    def _body(self, request: Request) -> dict[str, Any]:
        standing = consents.standing_of(user=signed_in(request))
        return {
            "results": [
                {
                    "topic": topic.value,
                    "given": topic in standing,
                    "version": consents.CONSENT_VERSION,
                    "given_at": standing.get(topic),
                }
                for topic in ConsentTopic
            ]
        }
