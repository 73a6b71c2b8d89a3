"""The page on which a demonstration bank asks the person whether it was them."""

from typing import Any

from django.conf import settings
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import TemplateView

from bookings.payments.models import ProviderOperation
from bookings.payments.providers.local import notices, operations
from bookings.payments.providers.local.cards import Deed
from bookings.payments.providers.wire import EventKind
from bookings.payments.states import Outcome
from mobility.core import clock
from mobility.core.money import format_money

LINK_LASTS_S = 900


# The signed address is the permission, as it is on a real bank's page; there is no session.
@method_decorator(csrf_exempt, name="dispatch")
class BankPage(TemplateView):
    """Approve or refuse one promise."""

    template_name = "payments/bank.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The promise and what has become of it."""
        promise = self._promise()
        amount = format_money(promise.cents, promise.currency)
        return super().get_context_data(
            promise=promise, amount=amount, waiting=promise.outcome == Outcome.ACTION, **kwargs
        )

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The person's answer; only the first one counts."""
        promise, approved = self._promise(), request.POST.get("answer") == "approve"
        if promise.outcome == Outcome.ACTION:
            outcome = Outcome.OK if approved else Outcome.DECLINED
            ProviderOperation.objects.filter(pk=promise.pk).update(
                failure="" if approved else "authentication_failed"
            )
            if operations.settle(promise, outcome=outcome, at=clock.now()):
                kind = EventKind.AUTHORISED if approved else EventKind.FAILED
                notices.write(promise, kind, at=clock.now())
        return self.get(request, *args, **kwargs)

    def _promise(self) -> ProviderOperation:
        if not settings.DEMO_PAYMENTS:
            raise Http404
        try:
            reference = signing.loads(
                self.kwargs["token"], salt=notices.BANK_SALT, max_age=LINK_LASTS_S
            )
        except signing.BadSignature as problem:
            raise Http404 from problem
        promise = ProviderOperation.objects.filter(reference=reference, deed=Deed.AUTHORISE).first()
        if promise is None:
            raise Http404
        return promise
