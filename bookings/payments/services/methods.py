"""Cards on file."""

import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from bookings.payments.models import PaymentMethod
from bookings.payments.providers import LOCAL, provider_named
from bookings.payments.providers.wire import TokenUnknown
from mobility.core import audit, locks
from mobility.core.errors import Invalid
from mobility.core.principals import Principal


class CardUnknown(Invalid):
    """The provider knows no such card."""

    code = "card_unknown"
    message = _("The payment provider does not know this card. Please check it or use another one.")


def add_payment_method(
    *, user_id: int, token: str, at: datetime.datetime, by: Principal, provider: str = LOCAL
) -> PaymentMethod:
    """Put a card on file and make it the default one; the same card twice is one row.

    Raises `CardUnknown` if the provider has no card behind the token, and `PaymentsNotSetUp`.
    """
    try:
        label = provider_named(provider).label(token=token)
    except TokenUnknown as problem:
        raise CardUnknown from problem
    with transaction.atomic():
        locks.advisory(f"payment_methods:{user_id}")
        mine = PaymentMethod.objects.filter(user_id=user_id, removed_at__isnull=True)
        mine.update(is_default=False)
        method, fresh = mine.get_or_create(
            provider=provider,
            token=token,
            defaults={"user_id": user_id, "label": label, "created_at": at, "is_default": True},
        )
        if not fresh:
            PaymentMethod.objects.filter(pk=method.pk).update(is_default=True)
            method.is_default = True
        audit.record(by=by, action="payment_method:added", row=method, at=at)
    return method


def remove_payment_method(*, method_id: int, at: datetime.datetime, by: Principal) -> None:
    """Take a card off the file; another one becomes the default. Doing it twice is doing it once."""
    with transaction.atomic():
        method = PaymentMethod.objects.get(pk=method_id)
        locks.advisory(f"payment_methods:{method.user_id}")
        mine = PaymentMethod.objects.filter(user_id=method.user_id, removed_at__isnull=True)
        if not mine.filter(pk=method_id).update(removed_at=at, is_default=False):
            return
        heir = mine.usable().first()
        if heir is not None and not heir.is_default:
            PaymentMethod.objects.filter(pk=heir.pk).update(is_default=True)
        audit.record(by=by, action="payment_method:removed", row=method, at=at)
