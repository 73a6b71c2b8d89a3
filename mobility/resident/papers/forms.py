"""Forms for documents; what they mean is judged by the riders' services."""

import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from bookings.riders.rules import CATEGORIES
from bookings.riders.states import IdentityPaper
from mobility.core.files.api import image_bytes

PICTURES = "image/jpeg,image/png,image/webp"
# What a resident's licence may carry; lorries and buses are nobody's business here.
OFFERED = tuple(one for one in CATEGORIES if one[0] in "AB")


def day_field(label: Any, **options: Any) -> forms.DateField:
    """A day, chosen by the browser's own calendar."""
    return forms.DateField(
        label=label, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **options
    )


def picture_field(label: Any, **options: Any) -> forms.FileField:
    """A picture, from the camera or the gallery."""
    return forms.FileField(
        label=label, widget=forms.FileInput(attrs={"accept": PICTURES}), **options
    )


class PaperForm(forms.Form):
    """What every document is sent with."""

    country = forms.RegexField(
        r"^[A-Za-z]{2}$",
        label=_("Country that issued it"),
        initial="IT",
        help_text=_("Two letters, such as IT."),
        widget=forms.TextInput(attrs={"maxlength": 2, "autocapitalize": "characters"}),
    )
    valid_until = day_field(_("Valid until"))
    front = picture_field(
        _("Photo of the front"), help_text=_("The whole document, in focus and without glare.")
    )

    def clean_country(self) -> str:
        """Capital letters, as the standard has them."""
        return str(self.cleaned_data["country"]).upper()

    def told(self) -> dict[str, Any]:
        """Arguments for the service, pictures read; raises `FileTooLarge`."""
        fields = dict(self.cleaned_data)
        sides = {name: fields.pop(name) for name in ("front", "back", "selfie") if name in fields}
        pictures = {name: image_bytes(sent) for name, sent in sides.items() if sent}
        return {**fields, "pictures": pictures}


class LicenceForm(PaperForm):
    """A driving licence, both sides."""

    number = forms.RegexField(
        r"^[A-Za-z0-9 ./-]{5,25}$",
        label=_("Number of the licence"),
        help_text=_("Field 5 on the front. We keep only a fingerprint and the last three signs."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    categories = forms.MultipleChoiceField(
        label=_("Categories"),
        choices=[(one, one) for one in OFFERED],
        initial=["B"],
        widget=forms.CheckboxSelectMultiple,
    )
    held_since = day_field(_("Held since"), help_text=_("The date beside the category."))
    back = picture_field(_("Photo of the back"))
    field_order = ("number", "country", "categories", "held_since", "valid_until", "front", "back")


class IdentityForm(PaperForm):
    """An identity document; a picture of the person where there is one."""

    paper = forms.ChoiceField(label=_("Document"), choices=IdentityPaper.choices)
    back = picture_field(_("Photo of the back, if it has one"), required=False)
    selfie = picture_field(_("Photo of yourself (optional)"), required=False)
    field_order = ("paper", "country", "valid_until", "front", "back", "selfie")


class RulesForm(forms.Form):
    """Which rules the person has read."""

    texts = forms.TypedMultipleChoiceField(choices=())

    def __init__(self, *args: Any, texts: list[Any], **kwargs: Any) -> None:
        """Only rules in force can be confirmed."""
        super().__init__(*args, **kwargs)
        choices: Any = self.fields["texts"]
        choices.choices = [(str(one.public_id), str(one.pk)) for one in texts]


def days_left(day: datetime.date, *, today: datetime.date) -> int:
    """Days until the end of the last one; negative when it is over."""
    return (day - today).days
