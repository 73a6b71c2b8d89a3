"""The page on which a debt is paid without an account: a plain form, for any phone."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.generic import View

from bookings.payments import services
from bookings.payments.models import Payment
from bookings.payments.providers import LOCAL, provider_for_new_cards
from bookings.payments.providers.local.cards import CARDS
from bookings.payments.states import PaymentState
from mobility.core import clock
from mobility.core.errors import DomainError
from mobility.core.limits import TooManyCalls, refuse_too_many
from mobility.core.money import format_money

REFRESH_S = 5


class PayPage(View):
    """`/pay/<token>/`: what is to be paid, to whom, and with which card."""

    def dispatch(self, request: HttpRequest, *args: str, **kwargs: str) -> HttpResponseBase:
        """Count the call, answer it, and let nobody keep the page or pass its address on."""
        try:
            refuse_too_many(request)
        except TooManyCalls as refusal:
            told = {"refusal": refusal.detail}
            response: HttpResponseBase = render(
                request, "payments/pay.html", told, status=refusal.status
            )
        else:
            response = super().dispatch(request, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        # With "no-referrer" a browser says of its own forms that they come from nowhere, which is refused.
        response["Referrer-Policy"] = "same-origin"
        response["X-Robots-Tag"] = "noindex"
        return response

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        """The debt; back from the provider's page, the card entered there pays it."""
        card = request.GET.get("setup", "")[:80]
        return self._pay(token, card) if card else self._show(token)

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        """Pay with a demonstration card, or go to the provider's page to enter one."""
        if provider_for_new_cards() == LOCAL:
            return self._pay(token, request.POST.get("card", "")[:80])
        try:
            url = services.card_page_of_link(
                token=token,
                return_url=request.build_absolute_uri(request.path),
                at=clock.now(),
            )
        except DomainError as refusal:
            return self._show(token, refusal)
        # A page and no redirect: a form may lead to our own origin only.
        return self._show(token, card_page=url)

    def _pay(self, token: str, card: str) -> HttpResponse:
        try:
            services.pay_by_link(token=token, card=card, at=clock.now())
        except services.NothingDue:
            pass  # Paid already, or being collected: the page says so.
        except DomainError as refusal:
            return self._show(token, refusal)
        return HttpResponseRedirect(reverse("payments:pay", args=[token]))

    def _show(
        self, token: str, refusal: DomainError | None = None, card_page: str = ""
    ) -> HttpResponse:
        payment: Payment | None = None
        try:
            payment = services.payment_of_link(token=token, at=clock.now())
        except DomainError as problem:
            refusal = problem
        demo = settings.DEMO_PAYMENTS and provider_for_new_cards() == LOCAL
        context = {
            "payment": payment,
            "amount": payment and format_money(payment.amount_cents, payment.currency),
            "due": payment is not None and payment.state == PaymentState.DUE,
            "collecting": payment is not None and payment.state == PaymentState.CAPTURING,
            "paid": payment is not None and payment.state == PaymentState.CAPTURED,
            "refresh_s": REFRESH_S,
            "refusal": refusal.detail if refusal else "",
            "cards": [(name, card.label) for name, card in CARDS.items()] if demo else [],
            "card_page": card_page,
        }
        status = refusal.status if refusal else 200
        return render(self.request, "payments/pay.html", context, status=status)
