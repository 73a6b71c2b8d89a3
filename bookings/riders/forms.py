"""Forms of staff: a verdict on a document."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from bookings.riders.states import DocumentState, RejectionReason
from mobility.accounts.models import User

VERIFY = "verify"
_LATER = ("", _("decide later"))


class VerdictForm(forms.ModelForm[Any]):
    """A document as it is, and what the reviewer says to it."""

    verdict = forms.ChoiceField(label=_("verdict"), required=False)
    remark = forms.CharField(
        label=_("note for staff"), required=False, max_length=300, widget=forms.Textarea
    )

    class Meta:
        fields: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the verdicts that are possible in the document's state."""
        super().__init__(*args, **kwargs)
        verdict: Any = self.fields["verdict"]
        turn_down = [(one.value, _("reject: %s") % one.label) for one in RejectionReason]
        accept = [(VERIFY, _("accept"))] if self.instance.state == DocumentState.SUBMITTED else []
        verdict.choices = [_LATER, *accept, *turn_down]


class BlockForm(forms.ModelForm[Any]):
    """A new block: whom, why, until when."""

    email = forms.EmailField(label=_("e-mail address of the person"), max_length=254)

    class Meta:
        fields = ("organisation", "reason", "note", "until")

    def clean_email(self) -> User:
        """The person behind the address."""
        address = self.cleaned_data["email"]
        person = User.objects.filter(email__iexact=address, is_active=True).first()
        if person is None:
            raise forms.ValidationError(_("There is no account with this address."))
        return person
