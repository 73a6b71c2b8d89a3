"""The wallet at a glance, what is open in it, and fees."""

import uuid
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from bookings.passes.models import Pass
from bookings.passes.states import LIVE
from bookings.payments import services
from bookings.payments.documents.queries import shown_documents
from bookings.payments.models import Fee, Payment, PaymentMethod
from bookings.payments.providers import LOCAL, provider_for_new_cards
from bookings.payments.providers.local.cards import CARDS
from bookings.payments.queries import wallets_of
from bookings.payments.states import WALLET, FeeState
from mobility.core import clock
from mobility.core.errors import NotFound
from mobility.core.texts import pick
from mobility.resident.pages import OwnPage
from mobility.resident.wallet.forms import FeeForm

SHOWN = 5
OFFERED = ("demo-ok", "demo-declined", "demo-asks", "demo-first-capture-fails")


class WalletPage(OwnPage):
    """A page under the tab of the wallet."""

    tab = "wallet"

    def way_back(self) -> str:
        """The wallet, for what has no page of its own."""
        return reverse("resident:wallet")


class WalletView(WalletPage):
    """`/wallet/`: what is open, cards, credit, passes, fees, the last documents."""

    template = "resident/wallet/wallet.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Everything that pays, and what is to be paid."""
        person = self.person
        methods = list(PaymentMethod.objects.filter(user=person).usable())
        passes = Pass.objects.filter(user=person, state__in=LIVE).order_by("-id")
        papers = shown_documents().filter(payment__payer=person).order_by("-id")
        return self.show(
            due=list(Payment.objects.owed_by(person.pk).select_related("organisation")),
            cards=[one for one in methods if one.provider != WALLET],
            credit_methods={one.organisation_id: one for one in methods},
            wallets=wallets_of(user_id=person.pk),
            passes=[{"row": one, "title": pick(one.terms["title"])} for one in passes],
            fees=_fees(person.pk)[:SHOWN],
            papers=list(papers[:SHOWN]),
            demo_cards=_demo_cards(),
            hosted=provider_for_new_cards() != LOCAL,
        )


class PayDebtView(WalletPage):
    """`/wallet/pay/<payment>/`"""

    same_door = "api:payment-pay"

    def post(self, request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
        """Pay what is due with the default card."""
        payment = Payment.objects.filter(payer=self.person, public_id=public_id).first()
        if payment is None:
            raise NotFound
        services.pay_debt(payment_id=payment.pk, at=clock.now(), by=self.person.principal)
        return self.done(_("Your card is being asked. This takes a few seconds."), self.way_back())


class FeesView(WalletPage):
    """`/wallet/fees/`: fees that were announced, and the form to object to one."""

    template = "resident/wallet/fees.html"
    same_door = "api:fee-dispute"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Each with its reason, and until when one can object."""
        return self._page(FeeForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        """Object; nothing is charged before staff have decided."""
        form, rows = FeeForm(request.POST), _fees(self.person.pk)
        fee = next((one for one in rows if str(one.public_id) == request.POST.get("fee")), None)
        if fee is None:
            raise NotFound
        if not form.is_valid():
            return self._page(form, status=422)
        services.dispute_fee(
            fee_id=fee.public_id,
            text=form.cleaned_data["text"],
            at=clock.now(),
            by=self.person.principal,
        )
        return self.done(
            _("Thank you. Nothing is charged before somebody has looked at it."), request.path
        )

    def _page(self, form: FeeForm, *, status: int = 200) -> HttpResponse:
        return self.show(
            status=status, form=form, fees=_fees(self.person.pk), noticed=FeeState.NOTICED
        )

    def way_back(self) -> str:
        """The list of fees."""
        return self.request.path


def _fees(user_id: int) -> list[Fee]:
    """The person's fees; what was only proposed inside the house is no news."""
    rows = Fee.objects.select_related("kind", "payment").filter(user=user_id)
    return list(rows.exclude(state=FeeState.PROPOSED).order_by("-id")[:50])


def _demo_cards() -> list[dict[str, Any]]:
    if not settings.DEMO_PAYMENTS or provider_for_new_cards() != LOCAL:
        return []
    words = {
        "demo-ok": _("Demo card that pays"),
        "demo-declined": _("Demo card that is refused"),
        "demo-asks": _("Demo card whose bank asks you first"),
        "demo-first-capture-fails": _("Demo card that pays at the second try"),
    }
    return [{"token": one, "words": words[one]} for one in OFFERED if one in CARDS]
