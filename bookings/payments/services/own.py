"""Which of a person's own methods an address means."""

import uuid

from bookings.payments.models import PaymentMethod
from bookings.payments.services.open import PaymentMethodRequired


def own_method(*, user_id: int, public_id: uuid.UUID | None) -> int | None:
    """The id of a method by its public one, `None` for the default; raises `PaymentMethodRequired`."""
    if public_id is None:
        return None
    mine = PaymentMethod.objects.filter(user_id=user_id, public_id=public_id).usable()
    found = mine.values_list("pk", flat=True).first()
    if found is None:
        raise PaymentMethodRequired
    return found
