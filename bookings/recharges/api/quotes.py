"""The door where anybody learns what charging costs."""

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from bookings.recharges.queries import connector_by_code, connector_by_id, offer
from bookings.recharges.wire.quotes import QuoteQuery, RechargeQuoteSerializer
from bookings.recharges.wire.recharges import connector_body
from mobility.core import clock
from mobility.core.api import ReadView


class RechargeQuoteView(ReadView):
    """GET /api/v1/recharge-quotes"""

    permission_classes = [AllowAny]

    @extend_schema(parameters=[QuoteQuery], responses=RechargeQuoteSerializer)
    def get(self, request: Request) -> Response:
        """Prices at a connector, an estimate, and what is promised on the card; no sign-in needed."""
        query = QuoteQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        wish, at = query.validated_data, clock.now()
        connector = (
            connector_by_id(public_id=wish["connector"])
            if "connector" in wish
            else connector_by_code(code=wish["code"], at=at)
        )
        kwh = wish.get("kwh")
        body = offer(
            connector=connector,
            energy_wh=None if kwh is None else int(kwh * 1000),
            minutes=wish.get("minutes"),
            user_id=getattr(request.user, "pk", None),
            at=at,
        )
        shown = {**body, "connector": connector_body(connector)}
        return Response(RechargeQuoteSerializer(shown).data)
