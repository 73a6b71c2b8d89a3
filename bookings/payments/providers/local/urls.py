"""Addresses of the demonstration bank's pages."""

from django.urls import path

from bookings.payments.providers.local import views

urlpatterns = [path("<str:token>/", views.BankPage.as_view(), name="demo-bank")]
