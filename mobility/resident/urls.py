"""Addresses of the resident's pages."""

from django.urls import path

from mobility.resident import views
from mobility.resident.aftermath import views as aftermath
from mobility.resident.ahead import views as ahead
from mobility.resident.notices import views as notices
from mobility.resident.papers import views as papers
from mobility.resident.profile import views as profile
from mobility.resident.wallet.views import cards, credit, overview, passes, rewards
from mobility.resident.wallet.views import papers as documents

app_name = "resident"

urlpatterns = [
    path("", views.MapView.as_view(), name="map"),
    path("book/<slug:vehicle>/", views.MapView.as_view(), name="book"),
    path("trip/<uuid:id>/", views.TripView.as_view(), name="trip"),
    path("receipt/<uuid:id>/", views.TripReceiptView.as_view(), name="trip-receipt"),
    path("charge/at/<slug:station>/", views.MapView.as_view(), name="charge-at"),
    path("charge/<uuid:id>/", views.RechargeView.as_view(), name="recharge"),
    path("charge/<uuid:id>/receipt/", views.RechargeReceiptView.as_view(), name="recharge-receipt"),
    path("worker.js", views.worker, name="worker"),
    path("offline/", views.OfflineView.as_view(), name="offline"),
    path("account/", views.AccountView.as_view(), name="account"),
    path("rides/<uuid:public_id>/", aftermath.RideView.as_view(), name="ride"),
    path("rides/<uuid:public_id>/photo/", aftermath.RidePhotoView.as_view(), name="ride-photo"),
    path(
        "rides/<uuid:public_id>/photos/<uuid:photo>/appeal/",
        aftermath.PhotoAppealView.as_view(),
        name="photo-appeal",
    ),
    path("help/", aftermath.HelpView.as_view(), name="help"),
    path("help/new/", aftermath.NewCaseView.as_view(), name="new-case"),
    path("help/<uuid:public_id>/", aftermath.CaseView.as_view(), name="case"),
    path("bookings/", ahead.BookingsView.as_view(), name="bookings"),
    path("bookings/new/", ahead.FindCarView.as_view(), name="find-car"),
    path("bookings/car/<slug:code>/", ahead.CarCalendarView.as_view(), name="car-calendar"),
    path("bookings/offer/", ahead.OfferView.as_view(), name="offer"),
    path("bookings/<uuid:public_id>/", ahead.BookingView.as_view(), name="booking"),
    path("bookings/<uuid:public_id>/photos/", ahead.FoundView.as_view(), name="booking-photos"),
    path(
        "bookings/<uuid:public_id>/cancel/",
        ahead.CancelBookingView.as_view(),
        name="cancel-booking",
    ),
    path("wallet/", overview.WalletView.as_view(), name="wallet"),
    path("wallet/pay/<uuid:public_id>/", overview.PayDebtView.as_view(), name="pay-debt"),
    path("wallet/fees/", overview.FeesView.as_view(), name="fees"),
    path("wallet/cards/", cards.AddCardView.as_view(), name="add-card"),
    path("wallet/cards/back/", cards.CardBackView.as_view(), name="card-back"),
    path("wallet/cards/<uuid:public_id>/", cards.CardView.as_view(), name="card"),
    path("wallet/credit/", credit.CreditView.as_view(), name="credit"),
    path("wallet/credit/<uuid:public_id>/", credit.TopUpView.as_view(), name="top-up"),
    path("wallet/credit/at/<uuid:public_id>/", credit.MovementsView.as_view(), name="movements"),
    path("wallet/passes/", passes.PassesView.as_view(), name="passes"),
    path("wallet/passes/<uuid:public_id>/", passes.PassView.as_view(), name="pass"),
    path("wallet/codes/", passes.RedeemView.as_view(), name="redeem"),
    path("wallet/rewards/", rewards.RewardsView.as_view(), name="rewards"),
    path("wallet/rewards/<uuid:public_id>/", rewards.RewardView.as_view(), name="reward"),
    path("wallet/receipts/", documents.ReceiptsView.as_view(), name="receipts"),
    path(
        "wallet/receipts/<uuid:public_id>/invoice/", documents.InvoiceView.as_view(), name="invoice"
    ),
    path("wallet/billing/", documents.BillingView.as_view(), name="billing"),
    path("profile/", profile.ProfileView.as_view(), name="profile"),
    path("profile/about/", profile.AboutMeView.as_view(), name="about-me"),
    path("profile/papers/", papers.PapersView.as_view(), name="papers"),
    path("profile/papers/licence/", papers.LicenceView.as_view(), name="licence"),
    path("profile/papers/identity/", papers.IdentityView.as_view(), name="identity"),
    path("profile/rules/", papers.RulesView.as_view(), name="rules"),
    path("profile/consents/", profile.ConsentsView.as_view(), name="consents"),
    path("profile/data/", profile.DataView.as_view(), name="data"),
    path("profile/notifications/", notices.NotificationsView.as_view(), name="notifications"),
    path(
        "profile/notifications/devices/<uuid:public_id>/",
        notices.DeviceView.as_view(),
        name="push-device",
    ),
    path("profile/erase/", profile.EraseView.as_view(), name="erase"),
]
