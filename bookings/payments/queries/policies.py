"""What an organisation has decided about its money."""

from bookings.payments.models import PaymentPolicy


def policy_of(*, organisation_id: int) -> PaymentPolicy:
    """The organisation's limits, or those that hold where it has set none (unsaved)."""
    found = PaymentPolicy.objects.filter(organisation_id=organisation_id).first()
    return found or PaymentPolicy(organisation_id=organisation_id)
