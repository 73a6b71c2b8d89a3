"""Addresses of the operators' doors to certificates and security."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from charging.certificates.api import (
    CertificateViewSet,
    RevocationsView,
    StationPasswordView,
    StationProfileView,
    StationSecurityView,
)

router = SimpleRouter(trailing_slash=False)
router.register("charging/certificates", CertificateViewSet, basename="charging-certificate")

urlpatterns = [
    path("charging/authority/revoked.crl", RevocationsView.as_view(), name="charging-revocations"),
    path(
        "charging/stations/<uuid:public_id>/security",
        StationSecurityView.as_view(),
        name="charging-station-security",
    ),
    path(
        "charging/stations/<uuid:public_id>/password",
        StationPasswordView.as_view(),
        name="charging-station-password",
    ),
    path(
        "charging/stations/<uuid:public_id>/security-profile",
        StationProfileView.as_view(),
        name="charging-station-security-profile",
    ),
    *router.urls,
]
