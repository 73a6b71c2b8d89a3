"""The support console: find a person, see what there is to see, and put it right.

Every look at somebody's data leaves a row in the audit trail, and so does every search.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin, messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from bookings.payments import services as payments
from bookings.payments.models import MONEY_READERS, Payment, Refund
from bookings.payments.services.refund import REFUNDABLE
from bookings.payments.states import RefundState
from bookings.recharges.models import Recharge
from bookings.support.models import ANSWERERS, SupportCase
from bookings.support.services import answer_case, resolve_case
from bookings.trips.models import Trip
from mobility.core import audit, clock, idempotency, ids
from mobility.core.errors import DomainError
from mobility.desk.access import for_roles
from mobility.desk.shell import person, shell
from mobility.desk.support import queries
from mobility.desk.support.forms import SETTLED, AnswerForm, DecisionForm, RefundForm, SearchForm

if TYPE_CHECKING:
    from collections.abc import Callable

    from mobility.accounts.models import User

# Where what is older is listed, and which column says whose it is.
LISTS: dict[str, tuple[type[Model], str]] = {
    "trips": (Trip, "user"),
    "recharges": (Recharge, "user"),
    "payments": (Payment, "payer"),
    "refunds": (Refund, "payment__payer"),
    "cases": (SupportCase, "user"),
}
WORDS = {
    "requested": gettext_lazy("Asked for"),
    "stretch_running": gettext_lazy("Riding"),
    "stretch_paused": gettext_lazy("Paused"),
    "end_refused": gettext_lazy("Tried to end and could not"),
    "end_requested": gettext_lazy("Asked to end"),
    "ended": gettext_lazy("Ended"),
    "deed": gettext_lazy("Recorded"),
    "alarm": gettext_lazy("Alarm"),
}


@for_roles(*ANSWERERS)
def search(request: HttpRequest) -> HttpResponse:
    """`/admin/support/`: find a person."""
    staff, form, found = person(request), SearchForm(request.GET or None), None
    if form.is_valid():
        words = form.cleaned_data["q"]
        found = queries.found(staff=staff, words=words)
        _note(request, staff, action="search", changes={"words": words, "found": len(found)})
    waiting = SupportCase.objects.answered_by(staff).underway().select_related("user")
    context = {"form": form, "found": found, "waiting": waiting.order_by("due_at")[:50]}
    return _private(shell(request, "desk/support/search.html", context=context))


@for_roles(*ANSWERERS)
def console(request: HttpRequest, public_id: str) -> HttpResponse:
    """`/admin/support/<person>/`: rides, charges, payments, refunds and cases on one page."""
    staff, whom = person(request), _whom(request, public_id)
    _note(request, whom, action="look", changes={"page": "support"})
    dealings = queries.dealings(staff=staff, person=whom)
    context = {
        "whom": whom,
        "dealings": dealings,
        "older": {name: _list_of(name, request, whom) for name in dealings.cut},
        "attempt": ids.secret(),
        "me": staff.principal,
        "refundable": REFUNDABLE,
        "settled": SETTLED,
        "now": clock.now(),
        "profile": getattr(whom, "rider_profile", None),
    }
    return _private(shell(request, "desk/support/console.html", context=context))


@for_roles(*ANSWERERS)
def trip(request: HttpRequest, public_id: str, trip_id: str) -> HttpResponse:
    """`/admin/support/<person>/trips/<trip>/`: the ride again on the map, with what happened."""
    staff, whom = person(request), _whom(request, public_id)
    trips = Trip.objects.visible_to(staff).with_story().filter(user=whom)
    one = get_object_or_404(trips, public_id=trip_id)
    _note(request, one, action="look", changes={"page": "replay"})
    story = queries.replay(trip=one, at=clock.now())
    moments = [
        {"at": told.at, "what": WORDS.get(told.what, told.what), "words": told.words}
        for told in story.moments
    ]
    return _private(
        shell(
            request,
            "desk/support/trip.html",
            context={
                "whom": whom,
                "trip": one,
                "moments": moments,
                "commands": story.commands,
                "pictures": queries.pictures(trip=one),
            },
            points=story.points,
        )
    )


@require_POST
@for_roles(*MONEY_READERS)
def refund(request: HttpRequest, public_id: str) -> HttpResponse:
    """Give money back; above the limit of the organisation a second person has to agree."""
    staff, whom = person(request), _whom(request, public_id)
    form = RefundForm(request.POST)
    if not form.is_valid():
        for told in form.errors.values():
            messages.error(request, " ".join(map(str, told)))
        return _back(whom)
    theirs = Payment.objects.visible_to(staff).filter(payer=whom)
    payment = get_object_or_404(theirs, public_id=form.cleaned_data["payment"])

    def deed() -> None:
        made = payments.request_refund(
            payment_id=payment.pk,
            cents=form.cents,
            reason=form.cleaned_data["reason"],
            at=clock.now(),
            by=staff.principal,
        )
        waits = made.state == RefundState.PROPOSED
        messages.success(
            request,
            _("Above the limit: a second person has to approve it.")
            if waits
            else _("The money goes back."),
        )

    return _try(request, whom, deed, attempt=form.cleaned_data["attempt"])


@require_POST
@for_roles(*MONEY_READERS)
def decide(request: HttpRequest, public_id: str, refund_id: str) -> HttpResponse:
    """A second person's word on a refund; whoever asked for it is refused."""
    staff, whom = person(request), _whom(request, public_id)
    theirs = Refund.objects.visible_to(staff).filter(payment__payer=whom)
    one = get_object_or_404(theirs, public_id=refund_id)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Say whether it goes out."))
        return _back(whom)

    def deed() -> None:
        now: dict[str, Any] = {"refund_id": one.pk, "at": clock.now(), "by": staff.principal}
        if form.cleaned_data["verdict"] == "approve":
            payments.approve_refund(**now)
            messages.success(request, _("Approved: the money goes back."))
        else:
            payments.reject_refund(reason=form.cleaned_data["reason"] or "rejected", **now)
            messages.success(request, _("Refused: nothing goes back."))

    return _try(request, whom, deed)


@require_POST
@for_roles(*ANSWERERS)
def answer(request: HttpRequest, public_id: str, case_id: str) -> HttpResponse:
    """A word in a case, or the last one; nobody answers their own."""
    staff, whom = person(request), _whom(request, public_id)
    case = get_object_or_404(
        SupportCase.objects.answered_by(staff).filter(user=whom), public_id=case_id
    )
    form = AnswerForm(request.POST)
    if not form.is_valid():
        wrong = form.errors.get("amount", [_("Write an answer first.")])
        messages.error(request, " ".join(map(str, wrong)))
        return _back(whom)
    text, resolution = form.cleaned_data["text"], form.cleaned_data["resolution"]

    def deed() -> None:
        said: dict[str, Any] = {"case": case, "text": text, "by": staff.principal}
        if not resolution:
            answer_case(at=clock.now(), **said)
            messages.success(request, _("Answered."))
            return
        resolve_case(resolution=resolution, refund_cents=form.cents, at=clock.now(), **said)
        messages.success(request, _("Settled; the person is told."))

    return _try(request, whom, deed)


def _whom(request: HttpRequest, public_id: str) -> User:
    """The person, if they have dealt with the reader's organisations."""
    return get_object_or_404(queries.people_of(staff=person(request)), public_id=public_id)


def _note(request: HttpRequest, row: Model, *, action: str, changes: dict[str, Any]) -> None:
    audit.record(
        by=person(request).principal, action=action, row=row, at=clock.now(), changes=changes
    )


def _try(
    request: HttpRequest, whom: User, deed: Callable[[], None], *, attempt: str = ""
) -> HttpResponse:
    """Do it, once for each number of an attempt; a refusal is a sentence at the page."""
    try:
        if attempt:
            _once(request, deed, attempt=attempt)
        else:
            deed()
    except DomainError as refusal:
        messages.error(request, str(refusal.detail))
    return _back(whom)


def _once(request: HttpRequest, deed: Callable[[], None], *, attempt: str) -> None:
    who, key = person(request).principal, f"desk:{attempt}"
    mark = idempotency.fingerprint(method="POST", path=request.path, body=b"")
    with idempotency.turn(principal=who, key=key):
        if idempotency.recall(principal=who, key=key, request_hash=mark) is not None:
            return
        deed()
        done = idempotency.StoredAnswer(status=303, body=b"", content_type="text/plain")
        idempotency.remember(principal=who, key=key, request_hash=mark, answer=done, at=clock.now())


def _back(whom: User) -> HttpResponse:
    address = reverse("desk:support-person", args=[whom.public_id])
    return cast("HttpResponse", HttpResponseRedirect(address))


def _private(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "private, no-store"
    return response


def _list_of(name: str, request: HttpRequest, whom: User) -> str:
    """The address of the list with all of this person's rows; empty where the reader has no such list."""
    model, person_column = LISTS[name]
    if not admin.site.get_model_admin(model).has_view_permission(request):
        return ""
    meta = model._meta
    page = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    return f"{page}?{person_column}__exact={whom.pk}"
