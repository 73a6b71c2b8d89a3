"""Doors of passes and codes."""

from typing import Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from bookings.passes import services
from bookings.passes.models import Pass, PassProduct, PromoRedemption
from bookings.passes.wire import (
    BuyPassSerializer,
    PassSerializer,
    ProductQuerySerializer,
    ProductsSerializer,
    RedeemSerializer,
    RedemptionSerializer,
    RenewalSerializer,
    pass_body,
    product_body,
    redemption_body,
)
from mobility.accounts.models import User
from mobility.core import clock
from mobility.core.api import ReadView, ScopedViewSet, WriteView
from mobility.core.errors import NotFound


class PassProductsView(ReadView):
    """The passes on offer; for everybody, like all prices."""

    permission_classes = (AllowAny,)

    @extend_schema(parameters=[ProductQuerySerializer], responses=ProductsSerializer)
    def get(self, request: Request) -> Response:
        """Passes one may buy now, the cheapest first."""
        form = ProductQuerySerializer(data=request.query_params)
        form.is_valid(raise_exception=True)
        products = PassProduct.objects.on_sale().select_related("organisation")
        kind = form.validated_data.get("kind")
        if kind:
            products = products.filter(vehicle_kinds__contains=[kind])
        ordered = products.order_by("price_cents", "id")
        return Response({"results": [product_body(product) for product in ordered]})


class PassViewSet(ScopedViewSet):
    """The person's passes."""

    queryset = Pass.objects.select_related("payment", "product")
    serializer_class = PassSerializer

    @extend_schema(responses=PassSerializer(many=True))
    def list(self, request: Request) -> Response:
        """The person's own passes, newest first."""
        mine = Pass.objects.filter(user=cast("User", request.user)).select_related("payment")
        page: Any = self.paginate_queryset(mine)
        return self.get_paginated_response([pass_body(row) for row in page])

    @extend_schema(request=BuyPassSerializer, responses={201: PassSerializer})
    def create(self, request: Request) -> Response:
        """Buy a pass with the default card; it is active as soon as the money has come, in seconds."""
        form = BuyPassSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user = cast("User", request.user)
        bought = services.buy_pass(
            product_id=form.validated_data["product"],
            auto_renew=form.validated_data["auto_renew"],
            user=user,
            at=clock.now(),
            by=user.principal,
        )
        return Response(pass_body(bought), status=status.HTTP_201_CREATED)

    @extend_schema(responses=PassSerializer)
    def retrieve(self, request: Request, public_id: str) -> Response:
        """One pass."""
        return Response(pass_body(self.get_object()))

    @extend_schema(request=RenewalSerializer, responses=PassSerializer)
    def renewal(self, request: Request, public_id: str) -> Response:
        """Have the pass renew itself at its end, or not any more."""
        form = RenewalSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user = cast("User", request.user)
        bought = services.set_auto_renew(
            bought=self._own(user),
            on=form.validated_data["auto_renew"],
            at=clock.now(),
            by=user.principal,
        )
        return Response(pass_body(bought))

    @extend_schema(request=None, responses=PassSerializer)
    def give_back(self, request: Request, public_id: str) -> Response:
        """Give an unused pass back within 14 days; its whole price is refunded."""
        user = cast("User", request.user)
        bought = services.return_pass(bought=self._own(user), at=clock.now(), by=user.principal)
        return Response(pass_body(bought))

    def _own(self, user: User) -> Pass:
        bought: Pass = self.get_object()
        if bought.user_id != user.pk:
            raise NotFound
        return bought


class RedeemView(WriteView):
    """Codes are typed in here."""

    @extend_schema(request=RedeemSerializer, responses={201: RedemptionSerializer})
    def post(self, request: Request) -> Response:
        """Redeem a code; it counts with the next ride it is good for."""
        form = RedeemSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user = cast("User", request.user)
        redemption = services.redeem_code(
            code=form.validated_data["code"], user=user, at=clock.now()
        )
        return Response(redemption_body(redemption), status=status.HTTP_201_CREATED)


class RedemptionViewSet(ScopedViewSet):
    """The codes that the person redeemed."""

    queryset = PromoRedemption.objects.all()
    serializer_class = RedemptionSerializer

    @extend_schema(responses=RedemptionSerializer(many=True))
    def list(self, request: Request) -> Response:
        """The person's own redeemed codes, newest first."""
        mine = PromoRedemption.objects.filter(user=cast("User", request.user))
        page: Any = self.paginate_queryset(mine.select_related("promo"))
        return self.get_paginated_response([redemption_body(row) for row in page])
