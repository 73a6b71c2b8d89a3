"""What the resident's own pages have in common: a frame, a tab, refusals as sentences.

Plain forms that work without a script. A deed that costs money carries a number of its own, so that
two taps are one deed; a refusal brings the person back with the sentence that the API would answer.
"""

from collections.abc import Callable
from typing import Any, ClassVar, cast

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.generic import View

from mobility.accounts.models import User
from mobility.core import clock, idempotency, ids
from mobility.core.errors import DomainError
from mobility.core.files.api import refuse_long
from mobility.core.limits import TooManyCalls, client_address, wait_s


class SeeOther(HttpResponseRedirect):
    """Go there and look; what was sent is not sent again."""

    status_code = 303


class OwnPage(LoginRequiredMixin, View):
    """A page about one's own things, under one of the tabs."""

    template: ClassVar[str] = ""
    tab: ClassVar[str] = ""
    # The door of the API that does the same: a form here counts towards the same limit.
    same_door: ClassVar[str] = ""

    @property
    def person(self) -> User:
        """Whoever is signed in; nobody else comes this far."""
        return cast("User", self.request.user)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Count a writing call, answer, and turn a refusal into sentences."""
        try:
            if request.method == "POST" and request.user.is_authenticated:
                refuse_long(request)
                self._refuse_too_many()
            response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        except DomainError as refusal:
            response = self.refused(refusal)
        response["Cache-Control"] = "private, no-store"
        return response

    def show(self, *, status: int = 200, **context: Any) -> HttpResponse:
        """The page with its tab."""
        return render(self.request, self.template, {"tab": self.tab, **context}, status=status)

    def done(self, sentence: str, address: str) -> HttpResponse:
        """Say what has happened, at the page that shows it."""
        messages.success(self.request, sentence)
        return SeeOther(address)

    def refused(self, refusal: DomainError) -> HttpResponse:
        """A page that was asked for says why not; a deed leads back to where it was asked for."""
        if self.request.method == "POST":
            for sentence in sentences(refusal):
                messages.error(self.request, sentence)
            return SeeOther(self.way_back())
        context = {"tab": self.tab, "sentences": sentences(refusal)}
        return render(self.request, "resident/sorry.html", context, status=refusal.status)

    def way_back(self) -> str:
        """Where a refused deed leads; the page of the form by default."""
        return self.request.path

    def once(self, deed: Callable[[], str]) -> HttpResponse:
        """Do what the form asks for the first time it is sent; later go where the first one led."""
        key = f"page:{self.request.POST.get('attempt', '')[:64]}"
        mark = idempotency.fingerprint(method="POST", path=self.request.path, body=b"")
        who = self.person.principal
        with idempotency.turn(principal=who, key=key):
            known = idempotency.recall(principal=who, key=key, request_hash=mark)
            if known is not None:
                return SeeOther(known.body.decode())
            address = deed()
            answer = idempotency.StoredAnswer(
                status=SeeOther.status_code, body=address.encode(), content_type="text/plain"
            )
            idempotency.remember(
                principal=who, key=key, request_hash=mark, answer=answer, at=clock.now()
            )
        return SeeOther(address)

    def _refuse_too_many(self) -> None:
        waiting = wait_s(
            door=f"POST {self.same_door}",
            person=self.person.principal,
            address=client_address(self.request),
        )
        if waiting:
            raise TooManyCalls


def new_attempt() -> str:
    """The number of a deed to be, for a hidden field of its form."""
    return ids.secret()


def sentences(refusal: DomainError) -> list[str]:
    """What a refusal says to a person: its sentence, and every reason that it names in words."""
    reasons = refusal.extra.get("reasons") or []
    told = [one for one in reasons if isinstance(one, dict)]
    words = [" ".join(filter(None, (one["message"], one.get("hint", "")))) for one in told]
    return [refusal.detail, *words]
