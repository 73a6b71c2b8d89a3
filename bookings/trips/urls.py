"""Addresses of trips below /api/v1/."""

from django.urls import path

from bookings.trips.api.aftermath import (
    DisputeViewSet,
    PhotoViewSet,
    TripDisputesView,
    TripPhotosView,
    TripVersionsView,
)
from bookings.trips.api.before import BookingPhotosView, ReservationPhotosView
from bookings.trips.api.offers import (
    AcceptOfferView,
    OffersView,
    RewardViewSet,
    TripOffersView,
    TripRewardView,
)
from bookings.trips.api.staff import IncidentViewSet, StaffDisputeViewSet, StaffTripViewSet
from bookings.trips.api.trips import TripViewSet

# What a rider does to a trip under way: address and method.
VERBS = {
    "pause": "pause",
    "resume": "resume",
    "end": "end",
    "broken": "broken",
    "not-mine": "not_mine",
    "confirm-payment": "confirm_payment",
}
_TRIP = "trips/<uuid:public_id>"

urlpatterns = [
    path(
        "reservations/<uuid:public_id>/photos",
        ReservationPhotosView.as_view(),
        name="reservation-photos",
    ),
    path("bookings/<uuid:public_id>/photos", BookingPhotosView.as_view(), name="booking-photos"),
    path("trips", TripViewSet.as_view({"get": "list", "post": "create"}), name="trips"),
    path(_TRIP, TripViewSet.as_view({"get": "retrieve"}), name="trip"),
    *(
        path(f"{_TRIP}/{verb}", TripViewSet.as_view({"post": method}), name=f"trip-{verb}")
        for verb, method in VERBS.items()
    ),
    path(f"{_TRIP}/offers", TripOffersView.as_view(), name="trip-offers"),
    path(f"{_TRIP}/reward", TripRewardView.as_view(), name="trip-reward"),
    path("offers", OffersView.as_view(), name="offers"),
    path("offers/<uuid:public_id>/accept", AcceptOfferView.as_view(), name="offer-accept"),
    path("rewards", RewardViewSet.as_view({"get": "list"}), name="rewards"),
    path(
        "rewards/<uuid:public_id>/drop",
        RewardViewSet.as_view({"post": "drop"}),
        name="reward-drop",
    ),
    path(f"{_TRIP}/receipt", TripViewSet.as_view({"get": "receipt"}), name="trip-receipt"),
    path(f"{_TRIP}/photo", TripPhotosView.as_view(), name="trip-photo"),
    path(f"{_TRIP}/disputes", TripDisputesView.as_view(), name="trip-disputes"),
    path(f"{_TRIP}/versions", TripVersionsView.as_view(), name="trip-versions"),
    path(
        f"{_TRIP}/force-end",
        StaffTripViewSet.as_view({"post": "force_end"}),
        name="trip-force-end",
    ),
    path(
        f"{_TRIP}/corrections",
        StaffTripViewSet.as_view({"post": "propose"}),
        name="trip-corrections",
    ),
    *(
        path(
            f"{_TRIP}/corrections/{verb}",
            StaffTripViewSet.as_view({"post": verb}),
            name=f"trip-correction-{verb}",
        )
        for verb in ("apply", "reject")
    ),
    path(
        "trip-photos/<uuid:public_id>/appeal",
        PhotoViewSet.as_view({"post": "appeal"}),
        name="trip-photo-appeal",
    ),
    path("trip-disputes", DisputeViewSet.as_view({"get": "list"}), name="trip-dispute-list"),
    path(
        "trip-disputes/<uuid:public_id>",
        DisputeViewSet.as_view({"get": "retrieve"}),
        name="trip-dispute",
    ),
    *(
        path(
            f"trip-disputes/<uuid:public_id>/{verb}",
            StaffDisputeViewSet.as_view({"post": verb}),
            name=f"trip-dispute-{verb}",
        )
        for verb in ("accept", "reject")
    ),
    path(
        "trip-incidents",
        IncidentViewSet.as_view({"get": "list", "post": "create"}),
        name="trip-incidents",
    ),
    path(
        "trip-incidents/<uuid:public_id>/close",
        IncidentViewSet.as_view({"post": "close"}),
        name="trip-incident-close",
    ),
]
