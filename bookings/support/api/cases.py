"""Doors of support cases: for who has a problem, and for the staff who answer."""

from typing import Any, cast

from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from bookings.support import services
from bookings.support.models import SupportCase, SupportCaseQuerySet
from bookings.support.queries import about_own, problems_of
from bookings.support.states import UNDERWAY, CaseState
from bookings.support.wire import CaseIn, CaseOut, MessageIn, ProblemOut, ResolveIn
from mobility.accounts.permissions import signed_in
from mobility.core import clock
from mobility.core.api import ReadView, ScopedViewSet, query_choice
from mobility.core.errors import NotFound


class CaseViewSet(ScopedViewSet):
    """Cases of the person behind the request, and those that their organisation answers."""

    queryset = SupportCase.objects.all()
    serializer_class = CaseOut

    @extend_schema(request=CaseIn, responses={201: CaseOut})
    def create(self, request: Request) -> Response:
        """Tell us what is wrong; the answer has the case number and by when we answer."""
        form = CaseIn(data=request.data)
        form.is_valid(raise_exception=True)
        told, person = dict(form.validated_data), signed_in(request)
        kind, text = told.pop("kind"), told.pop("text")
        about = about_own(user=person, **told)
        case = services.open_case(user=person, kind=kind, text=text, about=about, at=clock.now())
        return self._shown(case, status=status.HTTP_201_CREATED)

    @extend_schema(
        parameters=[
            OpenApiParameter("state", description="One state, `underway`, or `overdue`."),
            OpenApiParameter("mine", bool, description="Only one's own, for staff who ride too."),
        ],
        responses=CaseOut(many=True),
    )
    def list(self, request: Request) -> Response:
        """Cases, newest first."""
        cases, at = cast("SupportCaseQuerySet", self.get_queryset()), clock.now()
        wanted = query_choice(request, "state", {"overdue", "underway", *CaseState.values})
        if wanted == "overdue":
            cases = cases.overdue(at)
        elif wanted:
            cases = cases.filter(state__in=UNDERWAY if wanted == "underway" else [wanted])
        if request.query_params.get("mine") in {"true", "1"}:
            cases = cases.filter(user=signed_in(request))
        page: Any = self.paginate_queryset(cases)
        return self.get_paginated_response(CaseOut(page, many=True).data)

    @extend_schema(responses=CaseOut)
    def retrieve(self, request: Request, public_id: str) -> Response:
        """One case with all that was said."""
        return Response(CaseOut(self.get_object()).data)

    @extend_schema(request=MessageIn, responses=CaseOut)
    def say(self, request: Request, public_id: str) -> Response:
        """A further word of the person; a resolved case is open again for two weeks."""
        case = services.add_message(case=self._own(), text=self._text(request), at=clock.now())
        return self._shown(case)

    @extend_schema(request=None, responses=CaseOut)
    def withdraw(self, request: Request, public_id: str) -> Response:
        """It has settled itself."""
        return self._shown(services.withdraw_case(case=self._own(), at=clock.now()))

    @extend_schema(request=MessageIn, responses=CaseOut)
    def answer(self, request: Request, public_id: str) -> Response:
        """A word of staff."""
        case = services.answer_case(
            case=self._answerable(),
            text=self._text(request),
            at=clock.now(),
            by=signed_in(request).principal,
        )
        return self._shown(case)

    @extend_schema(request=ResolveIn, responses=CaseOut)
    def resolve(self, request: Request, public_id: str) -> Response:
        """Settle a case, with a refund where that is the answer."""
        case, form = self._answerable(), ResolveIn(data=request.data)
        form.is_valid(raise_exception=True)
        done = services.resolve_case(
            case=case, **form.validated_data, at=clock.now(), by=signed_in(request).principal
        )
        return self._shown(done)

    def get_queryset(self) -> Any:
        """Visible ones, with their story."""
        return cast("Any", super().get_queryset()).with_story()

    def _own(self) -> SupportCase:
        case: SupportCase = self.get_object()
        if case.user_id != signed_in(self.request).pk:
            raise NotFound
        return case

    def _answerable(self) -> SupportCase:
        """Nobody answers their own case, nor one of another organisation."""
        case: SupportCase = self.get_object()
        if not SupportCase.objects.answered_by(signed_in(self.request)).filter(pk=case.pk).exists():
            raise NotFound
        return case

    @staticmethod
    def _text(request: Request) -> str:
        form = MessageIn(data=request.data)
        form.is_valid(raise_exception=True)
        return str(form.validated_data["text"])

    @staticmethod
    def _shown(case: SupportCase, *, status: int = status.HTTP_200_OK) -> Response:
        fresh = SupportCase.objects.with_story().get(pk=case.pk)
        return Response(CaseOut(fresh).data, status=status)


class OwnProblemsView(ReadView):
    """GET /api/v1/problems"""

    @extend_schema(responses=inline_serializer("OwnProblems", {"results": ProblemOut(many=True)}))
    def get(self, request: Request) -> Response:
        """All that one told us is wrong, on one list: cases, objections to trips, faults."""
        told = problems_of(user=signed_in(request))
        return Response({"results": ProblemOut(told, many=True).data})
