"""Pages of drivers without an account: the price, the start, the live charge, the receipt.

Plain forms and a page that comes again by itself: they work on any phone, without script and
cookie-less but for the form's own protection. What opens a charge is the secret in its address.
"""

import dataclasses
from contextlib import suppress
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import formats, translation
from django.utils.translation import gettext as _
from django.views.generic import View

from bookings.payments.documents.pdf import render_pdf
from bookings.payments.documents.sheet import sheet_of
from bookings.payments.providers import LOCAL, provider_for_new_cards
from bookings.payments.providers.local.cards import CARDS
from bookings.payments.queries import ReceiptNotReady, receipt_of
from bookings.payments.states import PaymentState
from bookings.recharges import forms, rules, services
from bookings.recharges.models import Recharge
from bookings.recharges.queries import (
    connector_by_code,
    cost_so_far,
    offer,
    recharge_by_secret,
)
from bookings.recharges.states import ACTIVE, RechargeState
from bookings.recharges.texts import CHARGER_STATUS, LINE_NAMES
from charging.stations.models import Connector
from charging.tariffs.rules import Restrictions, when_words
from mobility.accounts.models import User
from mobility.core import clock, ids
from mobility.core.errors import DomainError
from mobility.core.limits import refuse_too_many
from mobility.core.money import format_money
from mobility.core.texts import pick

SALT = "recharges.guest"
# Long enough to fetch the card from the car; the page brings a new one when it is over.
FORM_LASTS_S = 3600
REFRESH_S = 5


class GuestPage(View):
    """A page that nobody may keep, frame or pass on, and that bears only so many calls a minute."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Count the call, answer it, and turn refusals into sentences."""
        try:
            refuse_too_many(request)
            response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        except DomainError as refusal:
            response = self.sorry(refusal.detail, refusal.status)
        response["Cache-Control"] = "no-store"
        # With "no-referrer" a browser says of its own forms that they come from nowhere, which is refused.
        response["Referrer-Policy"] = "same-origin"
        response["X-Robots-Tag"] = "noindex"
        return response

    def sorry(self, sentence: str, status: int) -> HttpResponse:
        """A page that says why not."""
        return render(self.request, "recharges/sorry.html", {"sentence": sentence}, status=status)


class GuestStartView(GuestPage):
    """`/charge/<code>/`: what it costs, and the button."""

    def get(self, request: HttpRequest, code: str) -> HttpResponse:
        """Prices first, then the form; a connector that cannot be used says so."""
        return self._page(code, forms.GuestOrderForm(initial={"attempt": _new_attempt()}))

    def post(self, request: HttpRequest, code: str) -> HttpResponse:
        """Start, or let the provider's page ask for the card first."""
        form = forms.GuestOrderForm(request.POST)
        if not form.is_valid():
            return self._page(code, form, status=422)
        secret = _read_attempt(form.cleaned_data["attempt"])
        if secret is None:
            return self._page(code, _renewed(form), status=422)
        order = form.order(code=code, language=translation.get_language() or "it")
        try:
            if provider_for_new_cards() != LOCAL:
                return _ask_for_card(request, order, secret)
            services.start_guest_recharge(order=order, secret=secret, at=clock.now())
        except services.PaymentActionRequired:
            pass  # The charge's own page says what to do.
        except DomainError as refusal:
            form.add_error(None, refusal.detail)
            return self._page(code, _renewed(form), status=refusal.status)
        return HttpResponseRedirect(reverse("recharges:guest-charge", args=[secret]))

    def _page(self, code: str, form: forms.GuestOrderForm, status: int = 200) -> HttpResponse:
        at = clock.now()
        connector = connector_by_code(code=code, at=at)
        told = offer(connector=connector, at=at)
        context = {
            "code": code,
            "form": form,
            "place": _place(connector),
            "prices": [_price_text(part, told["currency"]) for part in told["prices"]],
            "idle_after": told["idle_fee_after_minutes"],
            "estimate": {
                "kwh": told["estimate"]["energy_wh"] / 1000,
                "minutes": told["estimate"]["minutes"],
                "money": format_money(told["estimate"]["cents"], told["currency"]),
            },
            "preauth": format_money(told["preauth_cents"], told["currency"]),
            "preauth_release": told["preauth_release"],
            "least": rules.LEAST_LIMIT_CENTS // 100,
            "most": rules.MOST_LIMIT_CENTS // 100,
            "usable": told["usable"],
            "why": CHARGER_STATUS.get(told["connector_status"], ""),
            "cards": [(token, card.label) for token, card in CARDS.items()] if _demo() else [],
        }
        return render(self.request, "recharges/start.html", context, status=status)


class GuestCardView(GuestPage):
    """`/charge/card/<order>/`: back from the provider's page, with the card on file there."""

    def get(self, request: HttpRequest, order: str) -> HttpResponse:
        """Start with it; the signed order in the address says what was wanted."""
        try:
            told = signing.loads(order, salt=SALT, max_age=FORM_LASTS_S)
        except signing.BadSignature:
            return self.sorry(_("This link is not valid any more."), 410)
        guest = User.objects.filter(pk=told["guest"]).first()
        if guest is None:
            return self.sorry(_("This link is not valid any more."), 410)
        # The provider appends under which name it keeps the card.
        card = request.GET.get("setup", "")[:255]
        wanted = services.GuestOrder(**{**told["order"], "card_token": card})
        # Where the bank has a question, the charge's own page says what to do.
        with suppress(services.PaymentActionRequired):
            services.start_guest_recharge(
                order=wanted, secret=told["secret"], guest=guest, at=clock.now()
            )
        return HttpResponseRedirect(reverse("recharges:guest-charge", args=[told["secret"]]))


class GuestChargeView(GuestPage):
    """`/charge/go/<secret>/`: one charge, live; it turns by itself while something can change."""

    def get(self, request: HttpRequest, secret: str) -> HttpResponse:
        """Energy, cost, and the one thing that can be done now."""
        recharge = recharge_by_secret(secret=secret)
        return render(request, "recharges/charge.html", _story(recharge, secret))

    def post(self, request: HttpRequest, secret: str) -> HttpResponse:
        """Go on with a start, after the bank's question was answered."""
        recharge = recharge_by_secret(secret=secret)
        if recharge.half_started:
            services.continue_start(recharge=recharge, at=clock.now())
        return HttpResponseRedirect(reverse("recharges:guest-charge", args=[secret]))


class GuestStopView(GuestPage):
    """`/charge/go/<secret>/stop/`"""

    def post(self, request: HttpRequest, secret: str) -> HttpResponse:
        """Ask the charger to stop, and go back to look."""
        recharge = recharge_by_secret(secret=secret)
        services.stop_recharge(recharge=recharge, at=clock.now(), by=recharge.user.principal)
        return HttpResponseRedirect(reverse("recharges:guest-charge", args=[secret]))


class GuestPayView(GuestPage):
    """`/charge/go/<secret>/pay/`: another card, where the first one refused in the end."""

    def post(self, request: HttpRequest, secret: str) -> HttpResponse:
        """Hand in the card; the collector comes in seconds."""
        recharge = recharge_by_secret(secret=secret)
        token = request.POST.get("card", "")[:255]
        services.pay_guest_debt(recharge=recharge, card_token=token, at=clock.now())
        return HttpResponseRedirect(reverse("recharges:guest-charge", args=[secret]))


class GuestReceiptView(GuestPage):
    """`/charge/go/<secret>/receipt/`"""

    def get(self, request: HttpRequest, secret: str) -> HttpResponse:
        """The document, as it stands in the books."""
        receipt = receipt_of(payment=recharge_by_secret(secret=secret).payment)
        issuer = receipt.organisation
        context = {
            "secret": secret,
            "receipt": receipt,
            "issuer": issuer.legal_name or str(issuer),
            "lines": [
                {
                    "name": LINE_NAMES.get(line["kind"], line["kind"]),
                    "quantity": line["quantity"],
                    "unit": line["unit"],
                    "money": format_money(line["cents"], receipt.currency),
                }
                for line in receipt.lines
            ],
            "vat": [
                {
                    "rate": formats.number_format(Decimal(part["rate"]) * 100, decimal_pos=0),
                    "net": format_money(part["net_cents"], receipt.currency),
                    "vat": format_money(part["vat_cents"], receipt.currency),
                }
                for part in receipt.vat
            ],
            "total": format_money(receipt.total_cents, receipt.currency),
        }
        return render(request, "recharges/receipt.html", context)


class GuestPaperView(GuestPage):
    """`/charge/go/<secret>/receipt.pdf`"""

    def get(self, request: HttpRequest, secret: str) -> HttpResponse:
        """The receipt as a file to keep."""
        receipt = receipt_of(payment=recharge_by_secret(secret=secret).payment)
        answer = HttpResponse(render_pdf(sheet_of(receipt)), content_type="application/pdf")
        name = receipt.number.replace("/", "-")
        answer["Content-Disposition"] = f'inline; filename="{name}.pdf"'
        return answer


def _ask_for_card(request: HttpRequest, order: services.GuestOrder, secret: str) -> HttpResponse:
    """A page with the way to the provider: a redirect after a form would leave our own origin."""
    at = clock.now()
    services.refuse_unusable(connector=connector_by_code(code=order.code, at=at), at=at)
    guest = services.welcome_guest(language=order.language, at=at)
    told = {"order": dataclasses.asdict(order), "secret": secret, "guest": guest.pk}
    back = reverse("recharges:guest-card", args=[signing.dumps(told, salt=SALT, compress=True)])
    url = services.card_page(guest=guest, return_url=request.build_absolute_uri(back), at=at)
    return render(request, "recharges/card.html", {"url": url})


def _story(recharge: Recharge, secret: str) -> dict[str, Any]:
    at, currency = clock.now(), recharge.terms.get("currency", "EUR")
    session, payment = recharge.session, recharge.payment
    energy_wh = recharge.energy_wh if recharge.energy_wh is not None else 0
    if recharge.energy_wh is None and session is not None:
        energy_wh = session.energy_wh
    action = payment.action if payment is not None and recharge.half_started else None
    return {
        "secret": secret,
        "recharge": recharge,
        "place": _place(recharge.connector),
        "under_way": recharge.state in ACTIVE,
        "refresh_s": REFRESH_S if recharge.state in {*ACTIVE, RechargeState.PRICED} else None,
        "energy": formats.number_format(Decimal(energy_wh) / 1000, decimal_pos=2),
        "power": session.power_w / 1000 if session and session.power_w else None,
        "soc": session.soc_pct if session else None,
        "cost": format_money(cost_so_far(recharge=recharge, at=at), currency),
        "limit": format_money(recharge.limit_cents, currency),
        "action": action,
        "has_receipt": _has_receipt(recharge),
        "due": payment is not None and payment.state == PaymentState.DUE,
        "cards": [(token, card.label) for token, card in CARDS.items()] if _demo() else [],
    }


def _has_receipt(recharge: Recharge) -> bool:
    if recharge.price_cents is None:
        return False
    try:
        receipt_of(payment=recharge.payment)
    except ReceiptNotReady:
        return False
    return True


def _place(connector: Connector) -> dict[str, Any]:
    station = connector.evse.station
    return {
        "site": pick(station.site.name),
        "address": station.site.address,
        "operator": pick(station.site.organisation.name),
        "station": station.identity,
        "plug": connector.evse.number,
        "standard": connector.get_standard_display(),
        "kw": connector.max_power_w // 1000,
    }


def _price_text(part: dict[str, Any], currency: str) -> dict[str, str]:
    """A price of a tenth of a cent is shown as such, not rounded away."""
    euros = Decimal(part["unit_cents"]) / 100
    places = max(2, -int(euros.normalize().as_tuple().exponent))
    number = formats.number_format(euros, decimal_pos=min(places, 4), use_l10n=True)
    return {
        "name": str(LINE_NAMES[part["kind"]]),
        "money": f"{number} €" if currency == "EUR" else f"{number} {currency}",
        "unit": part["unit"],
        "when": when_words(Restrictions.from_json(part["when"])),
    }


def _new_attempt() -> str:
    """The secret of a charge to be, signed: two taps on one form are one charge."""
    return signing.dumps(ids.secret(), salt=SALT)


def _read_attempt(attempt: str) -> str | None:
    try:
        return str(signing.loads(attempt, salt=SALT, max_age=FORM_LASTS_S))
    except signing.BadSignature:
        return None


def _renewed(form: forms.GuestOrderForm) -> forms.GuestOrderForm:
    """The same form with a new attempt: the old one is used up or too old."""
    form.data = {**form.data.dict(), "attempt": _new_attempt()}  # type: ignore[attr-defined]
    return form


def _demo() -> bool:
    return bool(settings.DEMO_PAYMENTS) and provider_for_new_cards() == LOCAL
