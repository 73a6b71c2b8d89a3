"""Forms of the profile."""

from django import forms
from django.utils.translation import gettext_lazy as _

from bookings.riders.wire import PHONE
from mobility.resident.papers.forms import day_field


class AboutForm(forms.Form):
    """What a person tells of themselves."""

    birth_date = day_field(
        _("Date of birth"), required=False, help_text=_("Cars are for adults only.")
    )
    phone = forms.RegexField(
        PHONE,
        label=_("Phone"),
        required=False,
        help_text=_(
            "With the country's number, such as +39 …; for the case that a ride goes wrong."
        ),
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
    )
    reduced_mobility = forms.BooleanField(
        label=_("I move with difficulty, and agree that you keep this"),
        required=False,
        help_text=_("Free reservations last longer for you. Untick it, and we forget it."),
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        """People write numbers with spaces."""
        data = args[0] if args else None
        if hasattr(data, "copy"):
            told = data.copy()
            told["phone"] = "".join(str(told.get("phone", "")).split())
            args = (told, *args[1:])
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]


class EraseForm(forms.Form):
    """That it is really the person, and that they mean it."""

    password = forms.CharField(
        label=_("Your password"),
        max_length=200,
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        help_text=_("Leave it empty if you signed in without one in the last 15 minutes."),
    )
    sure = forms.BooleanField(label=_("I know that this cannot be undone"))
