"""Doors of drivers without an account: the secret in the address is all that opens a charge."""

import hashlib
import hmac

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from bookings.payments.queries import receipt_of
from bookings.payments.wire import ReceiptSerializer, receipt_body
from bookings.recharges import services
from bookings.recharges.queries import recharge_by_secret
from bookings.recharges.wire.guests import GuestOrderSerializer, GuestRechargeSerializer
from bookings.recharges.wire.recharges import RechargeSerializer, recharge_body
from mobility.core import clock, ids
from mobility.core.api import KEY_HEADER, ReadView, WriteView, spans_transactions
from mobility.core.limits import client_address
from mobility.core.principals import Principal

# Nobody shall keep a page that only its driver may see, nor pass its address on.
PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


class GuestCaller(AnonymousUser):
    """Nobody we know, but the same one when the very same order comes again."""

    def __init__(self, principal: Principal) -> None:
        super().__init__()
        self.principal = principal


class GuestAuthentication(BaseAuthentication):
    """Lets `Idempotency-Key` work without an account: a key belongs to one order from one place."""

    def authenticate(self, request: Request) -> tuple[GuestCaller, None]:
        """The order's own fingerprint as who is calling."""
        place = str(client_address(request)).encode()
        digest = hashlib.sha256(place + b"\x00" + request._request.body).hexdigest()
        return GuestCaller(Principal(f"guest:{digest[:40]}")), None


class GuestDoor(APIView):
    """What the doors of guests share."""

    permission_classes = [AllowAny]
    authentication_classes = [GuestAuthentication]


class GuestRechargesView(GuestDoor, WriteView):
    """POST /api/v1/ad-hoc-recharges"""

    @extend_schema(request=GuestOrderSerializer, responses={201: GuestRechargeSerializer}, auth=[])
    @spans_transactions
    def post(self, request: Request) -> Response:
        """Charge without an account at the connector with this code.

        The answer carries the secret that opens the charge again; it is shown only here.
        """
        form = GuestOrderSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        told, at, secret = form.validated_data, clock.now(), _secret(request)
        order = services.GuestOrder(
            code=told["code"],
            card_token=told["card"],
            limit_cents=told.get("limit_cents"),
            email=told["email"],
            language=told["language"],
        )
        recharge = services.start_guest_recharge(order=order, secret=secret, at=at)
        watch = reverse("recharges:guest-charge", args=[secret])
        body = {
            **recharge_body(recharge, at=at),
            "secret": secret,
            "watch_url": request.build_absolute_uri(watch),
        }
        return Response(body, status=status.HTTP_201_CREATED, headers=PRIVATE)


class GuestRechargeView(GuestDoor, ReadView):
    """GET /api/v1/ad-hoc-recharges/{secret}"""

    @extend_schema(responses=RechargeSerializer, auth=[])
    def get(self, request: Request, secret: str) -> Response:
        """The charge that this secret opens, live."""
        recharge = recharge_by_secret(secret=secret)
        return Response(recharge_body(recharge, at=clock.now()), headers=PRIVATE)


class GuestStopView(GuestDoor, WriteView):
    """POST /api/v1/ad-hoc-recharges/{secret}/stop"""

    @extend_schema(request=None, responses=RechargeSerializer, auth=[])
    def post(self, request: Request, secret: str) -> Response:
        """Ask the charger to stop."""
        at, recharge = clock.now(), recharge_by_secret(secret=secret)
        services.stop_recharge(recharge=recharge, at=at, by=recharge.user.principal)
        return Response(recharge_body(recharge, at=at), headers=PRIVATE)


class GuestContinueView(GuestDoor, WriteView):
    """POST /api/v1/ad-hoc-recharges/{secret}/continue"""

    @extend_schema(request=None, responses=RechargeSerializer, auth=[])
    @spans_transactions
    def post(self, request: Request, secret: str) -> Response:
        """Go on with a start, after the bank's question was answered."""
        at, recharge = clock.now(), recharge_by_secret(secret=secret)
        services.continue_start(recharge=recharge, at=at)
        return Response(recharge_body(recharge, at=at), headers=PRIVATE)


class GuestReceiptView(GuestDoor, ReadView):
    """GET /api/v1/ad-hoc-recharges/{secret}/receipt"""

    @extend_schema(responses=ReceiptSerializer, auth=[])
    def get(self, request: Request, secret: str) -> Response:
        """The receipt, as soon as the price is final."""
        receipt = receipt_of(payment=recharge_by_secret(secret=secret).payment)
        return Response(receipt_body(receipt), headers=PRIVATE)


def _secret(request: Request) -> str:
    """Random; with an `Idempotency-Key` the same for the same order, so that a repeat after a crash
    finds its own charge. Keyed with the installation's secret, and the order holds the card's token.
    """
    key = request.headers.get(KEY_HEADER)
    if key is None:
        return ids.secret()
    # The guests' authentication is the only one here; this narrows the type.
    assert isinstance(request.user, GuestCaller)
    text = f"guest-secret:{request.user.principal}:{key}"
    return hmac.new(settings.SECRET_KEY.encode(), text.encode(), "sha256").hexdigest()[:40]
