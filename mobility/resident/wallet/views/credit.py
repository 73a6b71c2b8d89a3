"""Credit: bought with a card, spent on rides and charges."""

import uuid

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from bookings.payments import services
from bookings.payments.models import Payment, PaymentMethod
from bookings.payments.queries import policy_of, wallet_movements, wallets_of
from bookings.payments.states import WALLET, PaymentState
from mobility.accounts.models import Organisation
from mobility.accounts.states import OrganisationKind
from mobility.core import clock
from mobility.core.errors import DomainError, NotFound
from mobility.core.money import format_money
from mobility.resident.pages import SeeOther, new_attempt
from mobility.resident.wallet.forms import TopUpForm
from mobility.resident.wallet.views.overview import WalletPage

MOVEMENTS = 100


class CreditView(WalletPage):
    """`/wallet/credit/`: top up, at one of the operators."""

    template = "resident/wallet/credit.html"
    same_door = "api:wallet-top-ups"

    def get(self, request: HttpRequest) -> HttpResponse:
        """What there is, and the form."""
        return self._page(TopUpForm(initial={"organisation": request.GET.get("with")}))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Buy credit; two taps buy once. The bank may want to hear from the person first."""
        form = TopUpForm(request.POST)
        if not form.is_valid():
            return self._page(form, status=422)
        try:
            return self.once(lambda: self._buy(form))
        except DomainError as refusal:
            form.add_error(None, _words(refusal))
            return self._page(form, status=refusal.status)

    def _buy(self, form: TopUpForm) -> str:
        person, told = self.person, form.cleaned_data
        seller = _sellers().filter(public_id=told["organisation"]).first()
        if seller is None:
            raise NotFound
        method = services.own_method(user_id=person.pk, public_id=told["method"])
        try:
            payment = services.top_up(
                user_id=person.pk,
                organisation_id=seller.pk,
                cents=form.cents,
                method_id=method,
                at=clock.now(),
                by=person.principal,
            )
        except services.PaymentActionRequired as question:
            # It waits for the person's word; a second tap must not open another one.
            return reverse("resident:top-up", args=[question.extra["payment"]])
        return reverse("resident:top-up", args=[payment.public_id])

    def _page(self, form: TopUpForm, *, status: int = 200) -> HttpResponse:
        methods = PaymentMethod.objects.filter(user=self.person).usable().exclude(provider=WALLET)
        sellers = [{"row": one, "policy": policy_of(organisation_id=one.pk)} for one in _sellers()]
        return self.show(
            status=status,
            form=form,
            attempt=new_attempt(),
            sellers=sellers,
            cards=list(methods),
            wallets=wallets_of(user_id=self.person.pk),
        )

    def way_back(self) -> str:
        """The form."""
        return self.request.path


class TopUpView(WalletPage):
    """`/wallet/credit/<payment>/`: how a top-up stands; the bank's question, where it has one."""

    template = "resident/wallet/top_up.html"
    same_door = "api:payment-confirm"

    def get(self, request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
        """Waiting for the bank, being collected, there, or refused."""
        payment = self._payment(public_id)
        waiting = payment.state in {PaymentState.AUTHORISED, PaymentState.CAPTURING}
        return self.show(
            payment=payment,
            cents=payment.amount_cents or payment.authorised_cents,
            asks=payment.state == PaymentState.OPENING and payment.action,
            waiting=waiting,
            there=payment.state == PaymentState.CAPTURED,
        )

    def post(self, request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
        """Go on after the bank has asked."""
        payment = self._payment(public_id)
        services.confirm_payment(payment_id=payment.pk, at=clock.now(), by=self.person.principal)
        return SeeOther(request.path)

    def way_back(self) -> str:
        """This page."""
        return self.request.path

    def _payment(self, public_id: uuid.UUID) -> Payment:
        found = Payment.objects.filter(payer=self.person, public_id=public_id).first()
        if found is None:
            raise NotFound
        return found


class MovementsView(WalletPage):
    """`/wallet/credit/at/<organisation>/`: every movement of the credit at one operator."""

    template = "resident/wallet/movements.html"

    def get(self, request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
        """Newest first."""
        organisation = get_object_or_404(Organisation.objects.all(), public_id=public_id)
        rows = wallet_movements(user_id=self.person.pk, organisation_id=organisation.pk)
        names = _deeds()
        movements = [
            {
                "at": row.transaction.at,
                "name": names.get(row.transaction.deed, row.transaction.deed),
                # The ledger has credit as a negative.
                "cents": -row.cents,
            }
            for row in rows.order_by("-id")[:MOVEMENTS]
        ]
        return self.show(organisation=organisation, movements=movements)


def _sellers() -> "QuerySet[Organisation]":
    """Who runs vehicles or chargers here."""
    runs = [OrganisationKind.FLEET_OPERATOR, OrganisationKind.CHARGE_POINT_OPERATOR]
    return Organisation.objects.filter(kind__in=runs).order_by("-kind", "slug")


def _words(refusal: DomainError) -> str:
    """The limits of a top-up in euros: nobody counts in cents."""
    if isinstance(refusal, services.TopUpOutOfRange):
        told = {name: format_money(int(cents)) for name, cents in refusal.params.items()}
        return _("You can top up between %(least)s and %(most)s.") % told
    return refusal.detail


def _deeds() -> dict[str, str]:
    return {
        "sale": _("Topped up"),
        "promise": _("Set aside for a ride"),
        "promise_raised": _("Set aside for a ride"),
        "capture": _("Paid"),
        "release": _("Set free"),
        "refund": _("Given back"),
        "refund_hold": _("Paid out"),
    }
