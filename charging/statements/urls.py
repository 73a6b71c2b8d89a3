"""Addresses of records, statements and signed values."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from charging.statements import api

router = SimpleRouter(trailing_slash=False)
router.register("charging/records", api.RecordViewSet, basename="charging-record")

SESSION = "charging/sessions/<uuid:public_id>"

urlpatterns = [
    path("charging/records-file", api.RecordsFileView.as_view(), name="charging-records-file"),
    path("charging/statements", api.StatementView.as_view(), name="charging-statements"),
    path(
        "charging/statements-file",
        api.StatementPdfView.as_view(),
        name="charging-statements-file",
    ),
    path("charging/my-records", api.MyRecordsView.as_view(), name="charging-my-records"),
    path(
        f"{SESSION}/signed-values",
        api.SignedValuesView.as_view(),
        name="charging-signed-values",
    ),
    path(
        f"{SESSION}/signed-values-file",
        api.TransparencyView.as_view(),
        name="charging-signed-values-file",
    ),
    path(f"{SESSION}/correction", api.CorrectionView.as_view(), name="charging-correction"),
    path(f"{SESSION}/verification", api.VerificationView.as_view(), name="charging-verification"),
    path(
        "charging/stations/<uuid:public_id>/meter-keys",
        api.MeterKeysView.as_view(),
        name="charging-meter-keys",
    ),
    path(
        "charging/connectors/<uuid:public_id>/tariff",
        api.TariffCommandView.as_view(),
        name="charging-connector-tariff",
    ),
    *router.urls,
]
