"""The words of what is sent to strangers."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Failure(models.TextChoices):
    """Why an attempt came to nothing."""

    REFUSED = "refused", _("answered with an error")
    REDIRECTED = "redirected", _("answered with a redirect")
    TIMED_OUT = "timed_out", _("no answer in time")
    UNREACHABLE = "unreachable", _("could not be reached")
    UNKNOWN_HOST = "unknown_host", _("its name is not known")
    ADDRESS_FORBIDDEN = "address_forbidden", _("its address is not a public one")
    ENDPOINT_DISABLED = "endpoint_disabled", _("the endpoint was disabled")
