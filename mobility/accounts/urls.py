"""Addresses of accounts below /api/v1/."""

from django.urls import path

from mobility.accounts import api

urlpatterns = [
    path("auth/token", api.SignInView.as_view(), name="sign-in"),
    path("me", api.MeView.as_view(), name="me"),
    path("me/export", api.ArchiveView.as_view(), name="me-export"),
    path("me/erase", api.EraseView.as_view(), name="me-erase"),
    path("me/consents", api.ConsentsView.as_view(), name="me-consents"),
]
