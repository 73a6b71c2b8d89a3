"""Doors of riders: may I ride, who am I, my documents, the rules I confirmed."""

import datetime
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from bookings.riders import queries, registry, services
from bookings.riders.models import RiderProfile
from bookings.riders.states import PaperKind
from bookings.riders.wire import (
    AcknowledgeSerializer,
    DocumentsSerializer,
    EligibilityListSerializer,
    EligibilityQuerySerializer,
    IdentitySerializer,
    LicenceSerializer,
    ProfileSerializer,
    RuleTextsSerializer,
    SubmitIdentitySerializer,
    SubmitLicenceSerializer,
    documents_body,
    text_body,
)
from mobility.accounts.models import Organisation, User
from mobility.accounts.permissions import signed_in
from mobility.accounts.states import OrganisationKind
from mobility.core import clock
from mobility.core.api import ReadView, WriteView
from mobility.core.errors import NotFound
from mobility.core.files.api import UploadView, image_bytes
from mobility.core.texts import pick

SIDES = ("front", "back", "selfie")


class EligibilityView(ReadView):
    """GET /api/v1/me/eligibility"""

    @extend_schema(parameters=[EligibilityQuerySerializer], responses=EligibilityListSerializer)
    def get(self, request: Request) -> Response:
        """Whether you may ride this kind of vehicle, with each operator, and what to do if not."""
        form = EligibilityQuerySerializer(data=request.query_params)
        form.is_valid(raise_exception=True)
        told, person, at = form.validated_data, signed_in(request), clock.now()
        operators = [
            _eligibility(person, operator, told, at)
            for operator in _operators(told.get("organisation"))
        ]
        return Response({"results": operators})


class ProfileView(WriteView):
    """GET, PATCH /api/v1/me/profile"""

    @extend_schema(responses=ProfileSerializer)
    def get(self, request: Request) -> Response:
        """What you have told of yourself."""
        profile = RiderProfile.objects.filter(user=signed_in(request)).first() or RiderProfile()
        return Response(ProfileSerializer(profile).data)

    @extend_schema(request=ProfileSerializer, responses=ProfileSerializer)
    def patch(self, request: Request) -> Response:
        """Change some of it; a date of birth that was verified stays."""
        form = ProfileSerializer(data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        person = signed_in(request)
        profile = services.update_profile(
            user=person, changes=form.validated_data, at=clock.now(), by=person.principal
        )
        return Response(ProfileSerializer(profile).data)


class DocumentsView(ReadView):
    """GET /api/v1/me/documents"""

    @extend_schema(responses=DocumentsSerializer)
    def get(self, request: Request) -> Response:
        """Where your identity document and your driving licence stand."""
        user_id, body = signed_in(request).pk, {}
        for kind in PaperKind:
            body[kind.value] = queries.newest_document(user_id=user_id, kind=kind)
            body[f"{kind.value}_in_force"] = queries.verified_document(user_id=user_id, kind=kind)
        return Response(documents_body(**body))  # type: ignore[arg-type]


class IdentityView(UploadView):
    """POST /api/v1/me/identity"""

    @extend_schema(
        request={"multipart/form-data": SubmitIdentitySerializer},
        responses={201: IdentitySerializer},
    )
    def post(self, request: Request) -> Response:
        """Send an identity document; one that still waits is replaced."""
        form = SubmitIdentitySerializer(data=request.data)
        form.is_valid(raise_exception=True)
        check = services.submit_identity(**_submission(request, form.validated_data))
        return Response(IdentitySerializer(check).data, status=status.HTTP_201_CREATED)


class LicenceView(UploadView):
    """POST /api/v1/me/licence"""

    @extend_schema(
        request={"multipart/form-data": SubmitLicenceSerializer},
        responses={201: LicenceSerializer},
    )
    def post(self, request: Request) -> Response:
        """Send your driving licence, both sides; one that still waits is replaced."""
        form = SubmitLicenceSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        licence = services.submit_licence(**_submission(request, form.validated_data))
        return Response(LicenceSerializer(licence).data, status=status.HTTP_201_CREATED)


class AcknowledgementsView(WriteView):
    """GET, POST /api/v1/me/acknowledgements"""

    @extend_schema(responses=RuleTextsSerializer)
    def get(self, request: Request) -> Response:
        """The rules in force, and when you confirmed them."""
        return Response(_texts(signed_in(request), at=clock.now()))

    @extend_schema(request=AcknowledgeSerializer, responses=RuleTextsSerializer)
    def post(self, request: Request) -> Response:
        """Confirm that you have read some of them."""
        form = AcknowledgeSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        person, at = signed_in(request), clock.now()
        services.acknowledge(user_id=person.pk, texts=form.validated_data["texts"], at=at)
        return Response(_texts(person, at=at))


def _operators(slug: str | None) -> list[Organisation]:
    operators = Organisation.objects.filter(kind=OrganisationKind.FLEET_OPERATOR).order_by("slug")
    if slug is None:
        return list(operators)
    return [_operator(slug)]


def _operator(slug: str) -> Organisation:
    operator = Organisation.objects.filter(slug=slug, kind=OrganisationKind.FLEET_OPERATOR).first()
    if operator is None:
        raise NotFound
    return operator


def _eligibility(
    person: User, operator: Organisation, told: dict[str, Any], at: datetime.datetime
) -> dict[str, Any]:
    found = [
        *queries.obstacles(
            user_id=person.pk,
            organisation_id=operator.pk,
            kind=told["kind"],
            at=at,
            ends_at=told.get("ends_at"),
        ),
        *registry.further_obstacles(user_id=person.pk, organisation_id=operator.pk, at=at),
    ]
    return {
        "organisation": operator.slug,
        "organisation_name": pick(operator.name),
        "kind": told["kind"],
        "eligible": not any(one.blocking for one in found),
        "obstacles": [one.as_json() for one in found],
    }


def _submission(request: Request, told: dict[str, Any]) -> dict[str, Any]:
    """Arguments of a submitting service out of a checked form."""
    person = signed_in(request)
    pictures = {side: image_bytes(told.pop(side)) for side in SIDES if side in told}
    slug = told.pop("organisation", None)
    return {
        **told,
        "user_id": person.pk,
        "pictures": pictures,
        "organisation": _operator(slug) if slug else None,
        "at": clock.now(),
        "by": person.principal,
    }


def _texts(person: User, *, at: datetime.datetime) -> dict[str, Any]:
    read = dict(person.acknowledgements.values_list("text_id", "at"))
    rows = queries.texts_in_force(at=at)
    return {"results": [text_body(text, read.get(text.pk)) for text in rows]}
