"""Addresses of the crews' pages; the worker stands at the root of its scope."""

from django.urls import path

from mobility.crew import views

app_name = "crew"
urlpatterns = [
    path("", views.route, name="route"),
    path("worker.js", views.worker, name="worker"),
    path("sheet/", views.sheet, name="sheet"),
    path("sheet.pdf", views.sheet_pdf, name="sheet-pdf"),
]
