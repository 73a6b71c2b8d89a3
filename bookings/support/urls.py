"""Addresses of residents' reports and cases below /api/v1/."""

from django.urls import path

from bookings.support import api

_DEEDS = {"messages": "say", "withdraw": "withdraw", "answer": "answer", "resolve": "resolve"}

urlpatterns = [
    path("vehicles/<str:ref>/faults", api.VehicleFaultsView.as_view(), name="vehicle-faults"),
    path("problems", api.OwnProblemsView.as_view(), name="own-problems"),
    path("cases", api.CaseViewSet.as_view({"get": "list", "post": "create"}), name="cases"),
    path("cases/<uuid:public_id>", api.CaseViewSet.as_view({"get": "retrieve"}), name="case"),
    *(
        path(
            f"cases/<uuid:public_id>/{word}",
            api.CaseViewSet.as_view({"post": deed}),
            name=f"case-{word}",
        )
        for word, deed in _DEEDS.items()
    ),
]
