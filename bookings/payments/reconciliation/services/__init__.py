"""Writes of reconciliation, one file per verb."""

from bookings.payments.reconciliation.services.anomalies import (
    NoteMissing,
    explain_anomaly,
    report_anomaly,
    resolve_anomaly,
)

__all__ = ["NoteMissing", "explain_anomaly", "report_anomaly", "resolve_anomaly"]
