"""The door of who pays a debt without an account: the secret in the address is all that opens it."""

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from bookings.payments import services
from bookings.payments.wire import DebtSerializer, PayByLinkSerializer, debt_body
from mobility.core import clock
from mobility.core.api import WriteView, spans_transactions

# Nobody shall keep the page, nor pass its address on.
PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


class PayLinkView(WriteView):
    """GET, POST /api/v1/pay/{token}"""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(responses=DebtSerializer, auth=[])
    def get(self, request: Request, token: str) -> Response:
        """What is to be paid, and to whom; nothing about the person."""
        payment = services.payment_of_link(token=token, at=clock.now())
        return Response(debt_body(payment), headers=PRIVATE)

    @extend_schema(request=PayByLinkSerializer, responses=DebtSerializer, auth=[])
    @spans_transactions
    def post(self, request: Request, token: str) -> Response:
        """Pay it with a card, which is not kept; look again in a few seconds."""
        form = PayByLinkSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        at = clock.now()
        services.pay_by_link(token=token, card=form.validated_data["card"], at=at)
        payment = services.payment_of_link(token=token, at=at)
        return Response(debt_body(payment), headers=PRIVATE)
