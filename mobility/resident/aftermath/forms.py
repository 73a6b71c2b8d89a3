"""Forms of what may follow a ride."""

from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from bookings.support.states import CaseKind
from bookings.trips.states import DisputeReason
from mobility.core.files.api import image_bytes
from mobility.resident.papers.forms import picture_field

LONGEST = 2000


def words_field(label: Any, **options: Any) -> forms.CharField:
    """Some lines of the person's own words."""
    usual: dict[str, Any] = {"max_length": LONGEST, "widget": forms.Textarea(attrs={"rows": 4})}
    return forms.CharField(label=label, **usual | options)


class DisputeForm(forms.Form):
    """What the rider objects to."""

    reason = forms.ChoiceField(label=_("What is wrong?"), choices=())
    text = words_field(_("What happened? (optional)"), required=False)
    photo = picture_field(_("A photo (optional)"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """The reasons in the reader's language, and as sentences begin."""
        super().__init__(*args, **kwargs)
        reason: Any = self.fields["reason"]
        reason.choices = [(one.value, capfirst(one.label)) for one in DisputeReason]

    def pictures(self) -> list[bytes]:
        """What was sent with it; raises `FileTooLarge`."""
        photo = self.cleaned_data["photo"]
        return [image_bytes(photo)] if photo else []


class PhotoForm(forms.Form):
    """A photo of the parked vehicle."""

    photo = picture_field(_("Photo of the parked vehicle"))


class AppealForm(forms.Form):
    """Why what staff said about a photo is wrong."""

    text = words_field(_("Why is it wrong?"), max_length=1000)


class CaseForm(forms.Form):
    """What is wrong, in the person's own words, and what it is about."""

    kind = forms.ChoiceField(label=_("What is it about?"), choices=CaseKind.choices)
    text = words_field(_("Tell us"))
    photo = picture_field(_("A photo (optional)"), required=False)
    trip = forms.UUIDField(required=False, widget=forms.HiddenInput)
    recharge = forms.UUIDField(required=False, widget=forms.HiddenInput)
    payment = forms.UUIDField(required=False, widget=forms.HiddenInput)


class WordForm(forms.Form):
    """A further word in a case."""

    text = words_field(_("Your message"))
    photo = picture_field(_("A photo (optional)"), required=False)
