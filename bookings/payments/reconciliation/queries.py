"""Figures of reconciliation for `/metrics`."""

from collections.abc import Iterable

from django.db.models import Count, Max
from prometheus_client.core import GaugeMetricFamily, Metric

from bookings.payments.models import Anomaly, ProviderWebhook, Reconciliation
from bookings.payments.reconciliation.states import AnomalyKind, AnomalyState, WebhookState
from mobility.core.health import metric_source


@metric_source
def money_figures() -> Iterable[Metric]:
    """Open anomalies by kind, webhooks that nobody has heard, and when books were last compared."""
    found = dict(
        Anomaly.objects.filter(state=AnomalyState.OPEN)
        .values_list("kind")
        .annotate(count=Count("id"))
    )
    anomalies = GaugeMetricFamily(
        "mobility_money_anomalies_open", "Disagreements about money.", labels=["kind"]
    )
    for kind in AnomalyKind.values:
        anomalies.add_metric([kind], found.get(kind, 0))
    yield anomalies
    waiting = ProviderWebhook.objects.filter(
        state__in=[WebhookState.RECEIVED, WebhookState.UNMATCHED]
    ).count()
    yield GaugeMetricFamily(
        "mobility_payment_webhooks_waiting", "Events of providers not matched yet.", value=waiting
    )
    compared = GaugeMetricFamily(
        "mobility_money_reconciled_timestamp_seconds",
        "When a provider's statement was last compared.",
        labels=["provider"],
    )
    for provider, ran_at in Reconciliation.objects.values_list("provider").annotate(Max("ran_at")):
        compared.add_metric([provider], ran_at.timestamp())
    yield compared
