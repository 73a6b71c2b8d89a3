"""Admin pages of webhooks: who listens, and what became of every delivery."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from mobility.accounts.scoped_admin import ReadOnly, ScopedAdmin, ScopedInline, act_on_each
from mobility.core import clock
from mobility.webhooks import mapping, services
from mobility.webhooks.models import KEEPERS, WebhookDelivery, WebhookEndpoint, WebhookSecret


class EndpointForm(forms.ModelForm[WebhookEndpoint]):
    """An endpoint, with the rules of the API."""

    kinds = forms.MultipleChoiceField(
        label=_("kinds of facts"),
        choices=[(kind, kind) for kind in mapping.kinds()],
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = WebhookEndpoint
        fields = ("organisation", "url", "description", "kinds")

    def clean_url(self) -> str:
        """Only addresses to which something may be sent."""
        url: str = self.cleaned_data["url"]
        try:
            services.require_target(url)
        except services.UrlRefused as refusal:
            raise forms.ValidationError(refusal.detail) from refusal
        return url


class SecretInline(ReadOnly, ScopedInline):
    """Since when secrets sign, and how long; the secrets themselves are nowhere."""

    model = WebhookSecret
    viewers = KEEPERS
    fields = ("created_at", "expires_at")
    readonly_fields = fields


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ScopedAdmin[WebhookEndpoint]):
    """Endpoints."""

    form = EndpointForm
    viewers = KEEPERS
    editors = KEEPERS
    list_display = ("url", "organisation", "state", "failures", "failing_since", "description")
    list_filter = ("state",)
    list_select_related = ("organisation",)
    search_fields = ("url", "description")
    readonly_fields = ("state", "created_at", "failures", "failing_since", "disabled_reason")
    inlines = (SecretInline,)
    actions = ("pause", "resume", "ping", "rotate", "remove")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Whose it is stays as it is."""
        return self.readonly_fields if obj is None else ("organisation", *self.readonly_fields)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        """Through the services; a new endpoint's secret is shown this once."""
        person: Any = request.user
        given: dict[str, Any] = form.cleaned_data
        deed: dict[str, Any] = {"at": clock.now(), "by": person.principal}
        words = {name: given[name] for name in ("url", "kinds", "description")}
        if change:
            services.change_endpoint(endpoint=obj, **words, **deed)
            return
        endpoint, secret = services.add_endpoint(
            organisation_id=given["organisation"].pk, **words, **deed
        )
        obj.pk, obj.public_id, obj.created_at = endpoint.pk, endpoint.public_id, endpoint.created_at
        self._show(request, secret)

    @admin.action(description=_("Pause"), permissions=["change"])
    def pause(self, request: HttpRequest, rows: QuerySet[WebhookEndpoint]) -> None:
        """Hold facts back."""
        act_on_each(
            request, rows, lambda row, **deed: services.pause_endpoint(endpoint=row, **deed)
        )

    @admin.action(description=_("Resume"), permissions=["change"])
    def resume(self, request: HttpRequest, rows: QuerySet[WebhookEndpoint]) -> None:
        """Let facts go again."""
        act_on_each(
            request, rows, lambda row, **deed: services.resume_endpoint(endpoint=row, **deed)
        )

    @admin.action(description=_("Send a ping"), permissions=["change"])
    def ping(self, request: HttpRequest, rows: QuerySet[WebhookEndpoint]) -> None:
        """Try the endpoint."""
        act_on_each(request, rows, lambda row, **deed: services.ping(endpoint=row, **deed))

    @admin.action(description=_("Give a new secret"), permissions=["change"])
    def rotate(self, request: HttpRequest, rows: QuerySet[WebhookEndpoint]) -> None:
        """The old one signs for another day."""
        act_on_each(
            request,
            rows,
            lambda row, **deed: self._show(
                request, services.rotate_secret(endpoint=row, **deed)[0]
            ),
        )

    @admin.action(description=_("Remove"), permissions=["change"])
    def remove(self, request: HttpRequest, rows: QuerySet[WebhookEndpoint]) -> None:
        """With secrets and deliveries."""
        act_on_each(
            request, rows, lambda row, **deed: services.remove_endpoint(endpoint=row, **deed)
        )

    @staticmethod
    def _show(request: HttpRequest, secret: str) -> None:
        text = _("The secret, shown this once: %(secret)s") % {"secret": secret}
        messages.warning(request, text)


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnly, ScopedAdmin[WebhookDelivery]):
    """What became of each fact for each endpoint."""

    viewers = KEEPERS
    editors = KEEPERS
    list_display = (
        "created_at",
        "kind",
        "endpoint",
        "shown_state",
        "attempts",
        "last_status",
        "last_failure",
        "last_ms",
        "next_attempt_at",
    )
    list_filter = ("last_failure", ("delivered_at", admin.EmptyFieldListFilter), "message__kind")
    list_select_related = ("endpoint", "message")
    search_fields = ("message__event_id", "endpoint__url")
    date_hierarchy = "created_at"
    actions = ("send_again",)

    @admin.display(description=_("kind"), ordering="message__kind")
    def kind(self, delivery: WebhookDelivery) -> str:
        """The kind of the fact."""
        return delivery.message.kind

    @admin.display(description=_("state"))
    def shown_state(self, delivery: WebhookDelivery) -> str:
        """Where it stands."""
        return str(delivery.state.label)

    @admin.action(description=_("Send again"), permissions=["view"])
    def send_again(self, request: HttpRequest, rows: QuerySet[WebhookDelivery]) -> None:
        """Under the same ids, to those of the person's own endpoints."""
        own = self.edited(request, rows).select_related("endpoint")
        act_on_each(
            request, own, lambda row, **deed: services.repeat_delivery(delivery=row, **deed)
        )
