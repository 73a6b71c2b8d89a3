"""Pages of documents and rules: what is known, what is missing, and the forms to send it."""

from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _later

from bookings.riders import registry, services
from bookings.riders.queries import documents_of, newest_document, obstacles, texts_in_force
from bookings.riders.rules import Obstacle
from bookings.riders.states import DocumentState, PaperKind
from fleet.vehicles.states import Kind
from mobility.accounts.models import Organisation
from mobility.accounts.states import OrganisationKind
from mobility.core import clock
from mobility.core.errors import DomainError
from mobility.resident.pages import OwnPage
from mobility.resident.papers.forms import IdentityForm, LicenceForm, PaperForm, RulesForm

# Where an obstacle is put right, by the first word of its code.
WAYS: dict[str, tuple[str, Any]] = {
    "licence": ("resident:licence", _later("Send your licence")),
    "identity": ("resident:identity", _later("Send a document")),
    "birth": ("resident:about-me", _later("Tell your date of birth")),
    "acknowledgement": ("resident:rules", _later("Read the rules")),
    "debt": ("resident:wallet", _later("See what is open")),
}


class PapersView(OwnPage):
    """`/profile/papers/`: what I may ride, and where my documents stand."""

    template = "resident/papers/papers.html"
    tab = "profile"

    def get(self, request: HttpRequest) -> HttpResponse:
        """By kind of vehicle and operator, with the way to whatever is missing."""
        at = clock.now()
        papers = [
            {
                "kind": kind,
                "title": kind.label,
                "address": reverse(f"resident:{kind}"),
                "newest": sent[-1] if sent else None,
                "in_force": next(
                    (one for one in sent if one.state == DocumentState.VERIFIED), None
                ),
            }
            for kind in (PaperKind.LICENCE, PaperKind.IDENTITY)
            for sent in [self._sent(kind)]
        ]
        operators = list(Organisation.objects.filter(kind=OrganisationKind.FLEET_OPERATOR))
        standing = [
            {"operator": operator, "kind": kind, "title": kind.label, "found": found}
            for operator in sorted(operators, key=lambda one: one.slug)
            for further in [registry.further_obstacles(**self._whose(operator), at=at)]
            for kind in (Kind.CAR, Kind.SCOOTER, Kind.BICYCLE)
            for found in [self._found(operator, kind, further, at=at)]
        ]
        return self.show(papers=papers, standing=standing, several=len(operators) > 1)

    def _sent(self, kind: PaperKind) -> list[Any]:
        documents = documents_of(kind).filter(user=self.person)
        return list(documents.select_related("organisation").order_by("pk"))

    def _found(
        self, operator: Organisation, kind: Kind, further: tuple[Obstacle, ...], *, at: Any
    ) -> list[dict[str, Any]]:
        found = obstacles(**self._whose(operator), kind=kind, at=at)
        return [with_way(one) for one in (*found, *further)]

    def _whose(self, operator: Organisation) -> dict[str, Any]:
        return {"user_id": self.person.pk, "organisation_id": operator.pk}


class PaperView(OwnPage):
    """A form for one document."""

    tab = "profile"
    template = "resident/papers/send.html"
    form_class: ClassVar[type[PaperForm]]
    kind: ClassVar[PaperKind]

    def get(self, request: HttpRequest) -> HttpResponse:
        """The form, and what was sent before."""
        return self._page(self.form_class())

    def post(self, request: HttpRequest) -> HttpResponse:
        """Send it to be checked."""
        form = self.form_class(request.POST, request.FILES)
        if not form.is_valid():
            return self._page(form, status=422)
        try:
            self._submit(form)
        except DomainError as refusal:
            form.add_error(None, refusal.detail)
            return self._page(form, status=refusal.status)
        return self.done(
            _("Thank you. We check the document and write to you."), reverse("resident:papers")
        )

    def _submit(self, form: PaperForm) -> None:
        deeds: Any = {
            PaperKind.LICENCE: services.submit_licence,
            PaperKind.IDENTITY: services.submit_identity,
        }
        person = self.person
        deeds[self.kind](user_id=person.pk, **form.told(), at=clock.now(), by=person.principal)

    def _page(self, form: PaperForm, *, status: int = 200) -> HttpResponse:
        newest = newest_document(user_id=self.person.pk, kind=self.kind)
        return self.show(form=form, kind=self.kind, newest=newest, status=status)


class LicenceView(PaperView):
    """`/profile/papers/licence/`"""

    form_class = LicenceForm
    kind = PaperKind.LICENCE
    same_door = "api:licence"


class IdentityView(PaperView):
    """`/profile/papers/identity/`"""

    form_class = IdentityForm
    kind = PaperKind.IDENTITY
    same_door = "api:identity"


class RulesView(OwnPage):
    """`/profile/rules/`: the rules in force, and the button that says "I have read them"."""

    tab = "profile"
    template = "resident/papers/rules.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Each with when it was confirmed."""
        read = dict(self.person.acknowledgements.values_list("text_id", "at"))
        texts = list(texts_in_force(at=clock.now()))
        rows = [{"text": text, "read_at": read.get(text.pk)} for text in texts]
        return self.show(rows=rows, unread=[one for one in rows if one["read_at"] is None])

    def post(self, request: HttpRequest) -> HttpResponse:
        """Confirm those that were shown."""
        at = clock.now()
        form = RulesForm(request.POST, texts=list(texts_in_force(at=at)))
        if not form.is_valid():
            raise services.TextUnknown
        services.acknowledge(user_id=self.person.pk, texts=form.cleaned_data["texts"], at=at)
        return self.done(_("Thank you. You have confirmed the rules."), reverse("resident:papers"))


def with_way(obstacle: Any) -> dict[str, Any]:
    """An obstacle in words, with the page on which it can be put right."""
    what, _underscore, how = obstacle.code.partition("_")
    # Nothing to be done about what is being checked.
    name, words = ("", "") if how == "pending" else WAYS.get(what, ("", ""))
    return {
        "message": obstacle.message,
        "hint": obstacle.hint,
        "blocking": obstacle.blocking,
        "address": reverse(name) if name else "",
        "words": str(words),
    }
