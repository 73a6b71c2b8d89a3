"""Addresses of private files below /api/v1/."""

from django.urls import path

from mobility.core.files import api

urlpatterns = [path("files/<uuid:public_id>", api.FileView.as_view(), name="file")]
