"""What a document is called."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

TITLES: Mapping[str, str | Promise] = {
    "receipt": _("Receipt"),
    "invoice": _("Courtesy copy of the invoice"),
    "credit_note": _("Credit note"),
}
