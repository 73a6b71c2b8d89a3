"""Days of the week as people name them."""

from typing import Final

from django.utils.translation import gettext_lazy as _

# ISO 8601: 1 is Monday.
WEEKDAYS: Final = (
    (1, _("Monday")),
    (2, _("Tuesday")),
    (3, _("Wednesday")),
    (4, _("Thursday")),
    (5, _("Friday")),
    (6, _("Saturday")),
    (7, _("Sunday")),
)
