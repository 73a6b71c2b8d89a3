"""Pages of the profile: particulars, consents, a copy of one's data, erasure, language."""

import datetime
from typing import Any

from allauth.account.authentication import get_authentication_records
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _later

from bookings.riders import services
from bookings.riders.models import RiderProfile
from mobility.accounts import consents, rights
from mobility.accounts.models import PrivacyRequest
from mobility.accounts.states import ConsentTopic, PrivacyKind
from mobility.core import clock
from mobility.core.errors import DomainError, NotFound
from mobility.resident.pages import OwnPage, SeeOther, sentences
from mobility.resident.profile.forms import AboutForm, EraseForm

ARCHIVES_SHOWN = 5
CONSENT_WORDS: dict[str, Any] = {
    ConsentTopic.MARKETING: _later("We write to you about news and offers, by e-mail."),
    ConsentTopic.RESEARCH: _later(
        "Your trips, without your name, help to study how the city moves."
    ),
    ConsentTopic.REDUCED_MOBILITY: _later("We keep that you told us, and give you more time."),
}


class ProfilePage(OwnPage):
    """A page under the tab of the profile."""

    tab = "profile"


class ProfileView(ProfilePage):
    """`/profile/`: the way to everything about oneself."""

    template = "resident/profile/profile.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """A list of ways."""
        return self.show()


class AboutMeView(ProfilePage):
    """`/profile/about/`"""

    template = "resident/profile/about.html"
    same_door = "api:profile"

    def get(self, request: HttpRequest) -> HttpResponse:
        """As it is kept."""
        kept = RiderProfile.objects.filter(user=self.person).first() or RiderProfile()
        fields = ("birth_date", "phone", "reduced_mobility")
        return self.show(form=AboutForm(initial={name: getattr(kept, name) for name in fields}))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Keep it; a date of birth that was verified stays."""
        form = AboutForm(request.POST)
        if not form.is_valid():
            return self.show(form=form, status=422)
        person, at = self.person, clock.now()
        try:
            if form.cleaned_data["reduced_mobility"]:
                consents.give_consent(
                    user=person,
                    topic=ConsentTopic.REDUCED_MOBILITY,
                    version=consents.CONSENT_VERSION,
                    at=at,
                )
            services.update_profile(
                user=person, changes=form.cleaned_data, at=at, by=person.principal
            )
        except (services.BirthDateVerified, services.BirthDateImplausible) as refusal:
            form.add_error("birth_date", refusal.detail)
            return self.show(form=form, status=refusal.status)
        return self.done(_("Saved."), reverse("resident:profile"))


class ConsentsView(ProfilePage):
    """`/profile/consents/`: what one agrees to, and the button that takes it back."""

    template = "resident/profile/consents.html"
    same_door = "api:me-consents"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Every topic; none of them is needed to ride."""
        standing = consents.standing_of(user=self.person)
        rows = [
            {
                "topic": topic.value,
                "title": capfirst(topic.label),
                "words": CONSENT_WORDS[topic],
                "given_at": standing.get(topic),
            }
            for topic in ConsentTopic
        ]
        return self.show(rows=rows, version=consents.CONSENT_VERSION)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Agree, or agree no longer."""
        topic, at = request.POST.get("topic", ""), clock.now()
        if topic not in ConsentTopic.values:
            raise NotFound
        if "withdraw" in request.POST:
            consents.withdraw_consent(user=self.person, topic=topic, at=at)
            return self.done(_("Taken back."), request.path)
        version = request.POST.get("version", "")
        consents.give_consent(user=self.person, topic=topic, version=version, at=at)
        return self.done(_("Thank you."), request.path)


class DataView(ProfilePage):
    """`/profile/data/`: ask for a copy of everything, and download it."""

    template = "resident/profile/data.html"
    same_door = "api:me-export"

    def get(self, request: HttpRequest) -> HttpResponse:
        """The copies that were asked for."""
        asked = PrivacyRequest.objects.visible_to(self.person).filter(kind=PrivacyKind.EXPORT)
        rows = asked.select_related("file").order_by("-pk")[:ARCHIVES_SHOWN]
        return self.show(rows=list(rows))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Ask for one; asking again before it is there is asking once."""
        rights.ask_for_archive(user=self.person, at=clock.now())
        words = _("We put it together, and write to you when it is ready.")
        return self.done(words, request.path)


class EraseView(ProfilePage):
    """`/profile/erase/`: close the account and erase the data, for good."""

    template = "resident/profile/erase.html"
    same_door = "api:me-erase"

    def get(self, request: HttpRequest) -> HttpResponse:
        """What goes, what the law makes us keep, and the form."""
        return self._page(EraseForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        """Erase; or say what must be finished first."""
        form, person, at = EraseForm(request.POST), self.person, clock.now()
        if not form.is_valid():
            return self._page(form, status=422)
        try:
            rights.confirm_person(
                user=person,
                password=form.cleaned_data["password"],
                proved_at=self._proved_at(),
                at=at,
            )
            rights.erase_person(user=person, at=at, by=person.principal)
        except DomainError as refusal:
            for sentence in sentences(refusal):
                form.add_error(None, sentence)
            return self._page(form, status=refusal.status)
        logout(request)
        messages.success(request, _("Your account is closed, and your data is erased."))
        return SeeOther(reverse("account_login"))

    def _page(self, form: EraseForm, *, status: int = 200) -> HttpResponse:
        return self.show(form=form, kept=rights.kept_after_erasure(), status=status)

    def _proved_at(self) -> datetime.datetime | None:
        """When this browser last saw who it is; None for who can prove it by a password."""
        if self.person.has_usable_password():
            return None
        proofs = [one["at"] for one in get_authentication_records(self.request, self.person)]
        return datetime.datetime.fromtimestamp(max(proofs), tz=datetime.UTC) if proofs else None
