"""Passes and codes: what makes rides cheaper."""

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from bookings.passes import services
from bookings.passes.models import Pass, PassProduct, PromoRedemption
from bookings.passes.states import PassState
from bookings.passes.wire import pass_body, product_body, redemption_body
from fleet.vehicles.states import Kind
from mobility.core import clock
from mobility.core.errors import DomainError, NotFound
from mobility.resident.pages import new_attempt
from mobility.resident.wallet.forms import BuyForm, CodeForm
from mobility.resident.wallet.views.overview import WalletPage

SHOWN = 30


class PassesPage(WalletPage):
    """The page of passes and codes, to which everything about them leads back."""

    template = "resident/wallet/passes.html"
    same_door = "api:passes"

    def page(self, form: CodeForm, *, status: int = 200) -> HttpResponse:
        """Passes and codes, with the form for a code."""
        person = self.person
        mine = Pass.objects.filter(user=person).select_related("payment", "product").order_by("-id")
        codes = PromoRedemption.objects.filter(user=person).select_related("promo").order_by("-id")
        products = PassProduct.objects.on_sale().select_related("organisation")
        return self.show(
            status=status,
            form=form,
            attempt=new_attempt(),
            mine=[_pass(one) for one in mine[:SHOWN]],
            codes=[_with_kinds(redemption_body(one)) | {"row": one} for one in codes[:SHOWN]],
            products=[
                _with_kinds(product_body(one)) for one in products.order_by("price_cents", "id")
            ],
            bought="bought" in self.request.GET,
        )

    def way_back(self) -> str:
        """The list."""
        return reverse("resident:passes")


class PassesView(PassesPage):
    """`/wallet/passes/`: one's own, those on offer, codes."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Mine first."""
        return self.page(CodeForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        """Buy one with the default card; two taps buy once."""
        form = BuyForm(request.POST)
        if not form.is_valid():
            raise services.PassNotOnSale
        person, here = self.person, reverse("resident:passes")

        def buy() -> str:
            services.buy_pass(
                product_id=form.cleaned_data["product"],
                auto_renew=form.cleaned_data["auto_renew"],
                user=person,
                at=clock.now(),
                by=person.principal,
            )
            return f"{here}?bought=1"

        return self.once(buy)


class PassView(PassesPage):
    """`/wallet/passes/<id>/`: renew it or not, or give it back unused."""

    def post(self, request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
        """Which of the two, the button says."""
        mine = Pass.objects.filter(user=self.person, public_id=public_id).first()
        if mine is None:
            raise NotFound
        deed: Any = {"bought": mine, "at": clock.now(), "by": self.person.principal}
        if "give_back" in request.POST:
            services.return_pass(**deed)
            return self.done(_("Given back: its whole price is refunded."), self.way_back())
        on = request.POST.get("auto_renew") == "on"
        services.set_auto_renew(**deed, on=on)
        words = _("It renews itself at its end.") if on else _("It ends by itself.")
        return self.done(words, self.way_back())


class RedeemView(PassesPage):
    """`/wallet/codes/`"""

    same_door = "api:promo-code-redeem"

    def post(self, request: HttpRequest) -> HttpResponse:
        """Redeem a code; it counts with the next ride it is good for."""
        form = CodeForm(request.POST)
        if not form.is_valid():
            return self.page(form, status=422)
        try:
            services.redeem_code(code=form.cleaned_data["code"], user=self.person, at=clock.now())
        except DomainError as refusal:
            form.add_error("code", refusal.detail)
            return self.page(form, status=refusal.status)
        return self.done(
            _("The code is yours. It counts with the next ride it is good for."), self.way_back()
        )


def _pass(row: Pass) -> dict[str, Any]:
    body = _with_kinds(pass_body(row))
    active = row.state == PassState.ACTIVE
    renewable = active and row.product.renewable
    return body | {"row": row, "active": active, "renewable": renewable}


def _with_kinds(body: dict[str, Any]) -> dict[str, Any]:
    return body | {"kinds": [str(Kind(one).label) for one in body["vehicle_kinds"]]}
