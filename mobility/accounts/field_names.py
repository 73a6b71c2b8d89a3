"""Names of form fields for people who hear a form: Django's admin shows some without saying what they are.

A table of child rows has its labels in the head only, and a field of two inputs (a day and an hour, a
beginning and an end) has one label for both.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.postgres.forms import RangeWidget
from django.forms import BaseInlineFormSet, Field, MultiWidget, RadioSelect
from django.forms.formsets import DELETION_FIELD_NAME
from django.utils.text import format_lazy
from django.utils.translation import get_language_info
from django.utils.translation import gettext_lazy as _

from mobility.core.texts import LANGUAGES, LocalizedWidget

ENDS = (_("from (included)"), _("until (excluded)"))
DAY_AND_HOUR = (_("day"), _("hour"))
NAME = "aria-label"


def name_parts(fields: Mapping[str, Field]) -> None:
    """Give each input of a field that has two a name of its own."""
    for field in fields.values():
        widget = field.widget
        if isinstance(widget, MultiWidget):
            parts = _parts(widget)
            for part, name in zip(widget.widgets, parts, strict=False):
                part.attrs.setdefault(NAME, format_lazy("{}, {}", field.label or "", name))


def _parts(widget: MultiWidget) -> Sequence[Any]:
    if isinstance(widget, LocalizedWidget):
        return [get_language_info(language)["name_local"] for language in LANGUAGES]
    return ENDS if isinstance(widget, RangeWidget) else DAY_AND_HOUR


class NamedFormSet(BaseInlineFormSet[Any, Any, Any]):
    """Child rows in a table, each input named as the head of its column is."""

    def add_fields(self, form: Any, index: int | None) -> None:
        """Name what the row has, the box that takes it away included."""
        super().add_fields(form, index)
        name_parts(form.fields)
        for name, field in form.fields.items():
            label = _("Delete?") if name == DELETION_FIELD_NAME else field.label
            # Boxes to tick have labels of their own, which a name of all of them would hide.
            if label and not isinstance(field.widget, (MultiWidget, RadioSelect)):
                field.widget.attrs.setdefault(NAME, label)
