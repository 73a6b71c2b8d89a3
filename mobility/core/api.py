"""Base classes of API doors: scope, pages, and `Idempotency-Key` on every writing call."""

import functools
import re
from collections.abc import Callable, Collection
from contextlib import ExitStack
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from rest_framework import viewsets
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.serializers import Serializer
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from mobility.core import clock, idempotency
from mobility.core.principals import Principal

KEY_HEADER = "Idempotency-Key"
# The same where a request keeps it: `headers` makes a table of all of them first.
KEY_META = "HTTP_IDEMPOTENCY_KEY"
_DIGITS = re.compile(r"[0-9]{1,40}")

Method = TypeVar("Method", bound=Callable[..., Any])


def spans_transactions(method: Method) -> Method:
    """Mark a view's method that asks somebody outside, and so commits before and after it asks.

    With a key or without one, its body runs outside of any transaction.
    """
    method.spans_transactions = True  # type: ignore[attr-defined]
    return method


def answers_secret(method: Method) -> Method:
    """Mark a view's method whose answer shows a secret, this once.

    A repeated call gets it again, but what is kept for that is sealed: a copy of the database does not
    give it away.
    """
    method.answers_secret = True  # type: ignore[attr-defined]
    return method


class CursorPages(CursorPagination):
    """Pages by descending id: stable while rows are added, and as fast on page 1,000 as on page 1."""

    ordering = "-id"
    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 200

    def decode_cursor(self, request: Request) -> Cursor | None:
        """The place to go on from; the base class takes anything, the database only an id."""
        try:
            cursor: Cursor | None = super().decode_cursor(request)
        except NotFound as problem:
            raise ValidationError({"cursor": [self.invalid_cursor_message]}) from problem
        position = None if cursor is None else cursor.position
        if position is not None and not _DIGITS.fullmatch(str(position)):
            raise ValidationError({"cursor": [self.invalid_cursor_message]})
        return cursor

    def get_page_size(self, request: Request) -> int | None:
        """How many rows, from 1 to 200; what is no such number is refused rather than guessed at."""
        given = request.query_params.get(self.page_size_query_param)
        if given is None:
            return self.page_size
        if not _DIGITS.fullmatch(given) or not 1 <= int(given) <= self.max_page_size:
            words = _("Give a number from 1 to %(most)d.") % {"most": self.max_page_size}
            raise ValidationError({self.page_size_query_param: [words]})
        return int(given)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """The page's parameters, with the bounds of `limit`."""
        parameters: list[dict[str, Any]] = super().get_schema_operation_parameters(view)
        for parameter in parameters:
            if parameter["name"] == self.page_size_query_param:
                bounds = {"minimum": 1, "maximum": self.max_page_size, "default": self.page_size}
                parameter["schema"] |= bounds
        return parameters


def query_choice(request: Request, name: str, choices: Collection[str]) -> str | None:
    """The query parameter `name` if it was given; raises 400 if it is none of `choices`."""
    given: str | None = request.query_params.get(name)
    if given is not None and given not in choices:
        words = _("Give one of: %(choices)s.") % {"choices": ", ".join(sorted(choices))}
        raise ValidationError({name: [words]})
    return given


def read(form: type[Serializer[Any]], data: Any) -> Any:
    """What a body says in the fields of `form`; raises `ValidationError`, 400.

    For forms that know nothing of the request: made once, and used for every call. DRF copies each
    field of a form anew for each body it reads.
    """
    try:
        return _form(form).run_validation(data)
    except ValidationError as refusal:
        if isinstance(refusal.detail, list):  # nothing was sent at all
            raise ValidationError({api_settings.NON_FIELD_ERRORS_KEY: refusal.detail}) from refusal
        raise


@functools.cache
def _form(form: type[Serializer[Any]]) -> Serializer[Any]:
    return form()


class _Replay(Exception):
    """The key already has an answer; not an error, only the way out of DRF's dispatch."""

    def __init__(self, answer: idempotency.StoredAnswer) -> None:
        super().__init__()
        self.answer = answer


class IdempotentWrites(APIView):
    """Runs a writing request with an `Idempotency-Key` in one transaction together with its key.

    A raised error rolls everything back and keeps no answer. An answer that is returned, 2xx or a
    deliberate refusal, commits and is replayed byte for byte when the key comes again. A method that
    `spans_transactions` holds its key by a lock instead; what it has committed stays when it fails.
    """

    _failed = False
    # Who claimed the key in this request, once somebody has.
    _claimed_by: Principal | None = None
    # What a call that spans transactions holds until its answer is kept.
    _held: ExitStack | None = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Wrap DRF's dispatch; without a key it is left alone."""
        if request.method in SAFE_METHODS or KEY_META not in request.META:
            return super().dispatch(request, *args, **kwargs)
        # Read now: DRF's parsers consume the stream, and the fingerprint needs the bytes.
        self._fingerprint = idempotency.fingerprint(
            method=str(request.method),
            path=request.get_full_path(),
            body=self.fingerprint_body(request),
        )
        handler = getattr(self, str(request.method).lower(), None)
        if getattr(handler, "spans_transactions", False):
            with ExitStack() as self._held:
                response = super().dispatch(request, *args, **kwargs)
                if not self._failed and self._claimed_by is not None:
                    self._remember(self._claimed_by, request, response)
            return response
        with transaction.atomic():
            response = super().dispatch(request, *args, **kwargs)
            if self._failed:
                transaction.set_rollback(True)
            elif self._claimed_by is not None:
                self._remember(self._claimed_by, request, response)
        return response

    def fingerprint_body(self, request: HttpRequest) -> bytes:
        """What of the body tells this request from another one under the same key."""
        return request.body

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """After authentication and permission: claim the key or leave with the remembered answer."""
        super().initial(request, *args, **kwargs)
        principal = getattr(request.user, "principal", None)
        if principal is None or not hasattr(self, "_fingerprint"):
            return
        remembered = self._claim(principal, request.META[KEY_META])
        if remembered is not None:
            raise _Replay(remembered)
        self._claimed_by = principal

    def _claim(self, principal: Principal, key: str) -> idempotency.StoredAnswer | None:
        if self._held is None:
            return idempotency.begin(
                principal=principal, key=key, request_hash=self._fingerprint, at=clock.now()
            )
        self._held.enter_context(idempotency.turn(principal=principal, key=key))
        return idempotency.recall(principal=principal, key=key, request_hash=self._fingerprint)

    def handle_exception(self, exc: Exception) -> HttpResponseBase:  # type: ignore[override]
        """A replay answers; everything else is a failure that must leave nothing behind."""
        if isinstance(exc, _Replay):
            answer = exc.answer
            response = HttpResponse(
                answer.body, status=answer.status, content_type=answer.content_type
            )
            response["Idempotency-Replayed"] = "true"
            return response
        self._failed = True
        return super().handle_exception(exc)

    def _remember(
        self, principal: Principal, request: HttpRequest, response: HttpResponseBase
    ) -> None:
        if hasattr(response, "render"):
            response.render()
        key = request.META[KEY_META]
        handler = getattr(self, str(request.method).lower(), None)
        answer = idempotency.StoredAnswer(
            status=response.status_code,
            body=getattr(response, "content", b""),
            content_type=response.headers.get("Content-Type", ""),
            secret=getattr(handler, "answers_secret", False),
        )
        if self._held is None:
            idempotency.finish(principal=principal, key=key, answer=answer)
        else:
            idempotency.remember(
                principal=principal,
                key=key,
                request_hash=self._fingerprint,
                answer=answer,
                at=clock.now(),
            )


class ReadView(APIView):
    """A door that only reads."""


class WriteView(IdempotentWrites):
    """A door that writes."""


class ScopedViewSet(IdempotentWrites, viewsets.GenericViewSet[Any]):
    """Rows of one model, of which a person reaches only those visible to them."""

    lookup_field = "public_id"
    pagination_class = CursorPages

    def get_queryset(self) -> QuerySet[Model]:
        """Only what `visible_to` lets this person see; there is no second way in."""
        queryset: Any = super().get_queryset()
        scoped: QuerySet[Model] = queryset.visible_to(self.request.user)
        return scoped
