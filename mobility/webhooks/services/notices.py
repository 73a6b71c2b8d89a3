"""Telling the keepers of an endpoint that nothing goes to it any more."""

import datetime

from django.conf import settings
from django.core.mail import send_mail
from django.utils import translation
from django.utils.translation import gettext as _

from mobility.accounts.models import User
from mobility.webhooks.models import KEEPERS, WebhookEndpoint


def warn_keepers(*, endpoint_id: str, at: datetime.datetime) -> int:
    """A mail to everybody who may resume the endpoint, in their language; returns to how many."""
    endpoint = WebhookEndpoint.objects.filter(public_id=endpoint_id).first()
    if endpoint is None:
        return 0
    keepers = User.objects.filter(
        memberships__organisation=endpoint.organisation_id,
        memberships__role__in=KEEPERS,
        is_active=True,
    ).distinct()
    for keeper in keepers:
        with translation.override(keeper.language):
            _send(keeper.email, endpoint)
    return len(keepers)


def _send(address: str, endpoint: WebhookEndpoint) -> None:
    text = _(
        "The webhook endpoint %(url)s did not take anything for days, so nothing is sent to it any more.\n"
        "When it works again, resume it and have what it missed sent again:\n%(page)s"
    )
    page = f"{settings.PUBLIC_URL}/admin/mobility/webhookendpoint/{endpoint.pk}/change/"
    subject = _("A webhook endpoint was disabled")
    send_mail(subject, text % {"url": endpoint.url, "page": page}, None, [address])
