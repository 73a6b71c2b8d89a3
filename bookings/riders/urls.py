"""Addresses of riders below /api/v1/."""

from django.urls import path

from bookings.riders import api

urlpatterns = [
    path("me/eligibility", api.EligibilityView.as_view(), name="eligibility"),
    path("me/profile", api.ProfileView.as_view(), name="profile"),
    path("me/documents", api.DocumentsView.as_view(), name="documents"),
    path("me/identity", api.IdentityView.as_view(), name="identity"),
    path("me/licence", api.LicenceView.as_view(), name="licence"),
    path("me/acknowledgements", api.AcknowledgementsView.as_view(), name="acknowledgements"),
]
