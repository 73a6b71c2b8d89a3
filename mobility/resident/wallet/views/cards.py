"""Cards on file, and which of them pays."""

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from bookings.payments import services
from bookings.payments.models import PaymentMethod
from bookings.payments.providers import LOCAL, provider_for_new_cards
from mobility.accounts.models import User
from mobility.core import clock
from mobility.core.errors import NotFound
from mobility.resident.wallet.views.overview import WalletPage


class AddCardView(WalletPage):
    """`/wallet/cards/`: put a card on file."""

    same_door = "api:payment-methods"

    def post(self, request: HttpRequest) -> HttpResponse:
        """A demonstration card at once; a real one on the provider's own page."""
        if provider_for_new_cards() != LOCAL:
            return self._ask_provider()
        _keep(self.person, request.POST.get("token", ""))
        return self.done(_("The card is saved."), self.way_back())

    def _ask_provider(self) -> HttpResponse:
        """A page with the way there: a redirect after a form would leave our own origin."""
        back = self.request.build_absolute_uri(reverse("resident:card-back"))
        setup = services.begin_card_setup(user_id=self.person.pk, return_url=back, at=clock.now())
        context = {"tab": self.tab, "url": setup.url}
        return render(self.request, "resident/wallet/card_page.html", context)


class CardBackView(WalletPage):
    """`/wallet/cards/back/?setup=`: back from the provider's page."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Keep what was put on file there; without anything, back to the wallet."""
        token = request.GET.get("setup", "")
        if not token:
            return self.done(_("Nothing was saved."), self.way_back())
        _keep(self.person, token)
        return self.done(_("The card is saved."), self.way_back())


class CardView(WalletPage):
    """`/wallet/cards/<id>/`: pay with this one from now on, or take it off the file."""

    same_door = "api:payment-methods"

    def post(self, request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
        """Which of the two, the button says."""
        mine = PaymentMethod.objects.filter(user=self.person, public_id=public_id).usable().first()
        if mine is None:
            raise NotFound
        deed: Any = {"method_id": mine.pk, "at": clock.now(), "by": self.person.principal}
        if "remove" in request.POST:
            services.remove_payment_method(**deed)
            return self.done(_("The card is removed."), self.way_back())
        services.choose_default(**deed)
        return self.done(_("From now on this one pays."), self.way_back())


def _keep(person: User, token: str) -> None:
    """Keep the card behind the token; the provider says whether it is this person's."""
    services.add_payment_method(
        user_id=person.pk, token=token[:255], at=clock.now(), by=person.principal
    )
