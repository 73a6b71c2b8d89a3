"""One of everything, each with an owner: what the wrong person must never see."""

import dataclasses
import datetime
import io
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.gis.geos import MultiPolygon, Polygon
from django.db import models, transaction
from rest_framework.test import APIClient

from bookings.passes.models import PassProduct, PromoCode
from bookings.payments import services as payments
from bookings.payments.documents.services import issue_document
from bookings.payments.models import FeeKind, Payment, PaymentMethod, Refund
from bookings.payments.states import DocumentKind
from bookings.pricing import services as pricing
from bookings.pricing.models import Tariff, TariffVersion
from bookings.recharges.models import KeptConnector, Recharge, VehicleCharge
from bookings.recharges.services import add_card, issue_missing_codes
from bookings.reservations.models import Booking
from bookings.rewards.models import RewardBudget, RewardClaim, RewardDay
from bookings.trips.models import EndPhoto, Incident, Trip, TripDispute, TripVersion
from charging.certificates.models import StationCertificate
from charging.devices.models import (
    DeviceEvent,
    DeviceVariable,
    FirmwareJob,
    LocalList,
    LogJob,
    Report,
    VariableMonitor,
)
from charging.energy.models import ChargingLimit, ChargingProfile, EnergyDemand, SiteLoad
from charging.sessions.facts import SessionStart, SessionStop
from charging.sessions.models import ChargingSession
from charging.sessions.services import (
    ensure_token,
    settle_session,
    start_sessions,
    stop_sessions,
)
from charging.stations.models import ChargingStation, Connector, StationCommand
from charging.stations.services import hold_connector, queue_command
from charging.tariffs import services as charging_prices
from fleet.incentives.models import IncentiveOffer, IncentivePolicy
from fleet.rebalancing.cells import cell_at
from fleet.rebalancing.models import RebalancingPlan, RebalancingTask
from fleet.telematics.models import Alarm
from fleet.telematics.services import add_integration
from fleet.vans.models import ClosedHours, Depot, TravelTable, Van
from fleet.vehicles.models import (
    Battery,
    BatterySwap,
    ServiceTrip,
    Vehicle,
    VehicleCase,
    VehicleDocument,
    VehicleHold,
)
from mobility.accounts.models import User
from mobility.core import clock, files, ids
from mobility.core.principals import SYSTEM
from mobility.desk.models import SavedView
from mobility.notifications.models import PushDevice
from mobility.webhooks import services as webhooks
from mobility.webhooks.models import WebhookDelivery
from tests.fleet.zones.drawing import draw_zone


@dataclasses.dataclass(frozen=True)
class WholeCity:
    """The rows by what they are, and the people by name."""

    rows: dict[str, models.Model]
    people: dict[str, User]

    def refs(self) -> dict[str, str]:
        """What would give a row away: its public id, and the vehicle's and station's codes."""
        return {name: str(row.public_id) for name, row in self.rows.items()}


@pytest.fixture
def whole_city(
    make_vehicle: Callable[..., Vehicle],
    make_station: Callable[..., ChargingStation],
    api: Callable[[User | None], APIClient],
    giulia: User,
    piero: User,
    marco: User,
    sara: User,
    luca: User,
    elena: User,
    rivale: User,
    scossa: User,
) -> WholeCity:
    """Giulia rides Marco's scooter and has reserved nothing else; Luca's charger charges."""
    people = {
        "giulia": giulia,
        "piero": piero,
        "marco": marco,
        "sara": sara,
        "luca": luca,
        "elena": elena,
        "rivale": rivale,
        "scossa": scossa,
    }
    return build_whole_city(
        make_vehicle=make_vehicle, make_station=make_station, api=api, people=people
    )


def build_whole_city(
    *,
    make_vehicle: Callable[..., Vehicle],
    make_station: Callable[..., ChargingStation],
    api: Callable[[User | None], APIClient],
    people: dict[str, User],
) -> WholeCity:
    """The same, also outside of a test: benchmarks multiply it."""
    giulia, marco = people["giulia"], people["marco"]
    vehicle = make_vehicle("scooter", code="TENANT1")
    _price(vehicle)
    payments.add_payment_method(user_id=giulia.pk, token="demo-ok", at=clock.now(), by=SYSTEM)
    phone = api(giulia)
    reservation = phone.post("/api/v1/reservations", {"vehicle": "TENANT1"}).json()
    trip = phone.post("/api/v1/trips", {"reservation": reservation["id"]}).json()
    station = make_station("TENANT-CP", online=True, at=clock.now())
    session = _session(station)
    settled = _settled(station, giulia)
    plan = _plan(vehicle)
    _belongings(vehicle)
    add_integration(
        organisation_slug=vehicle.organisation.slug, name="Backend", at=clock.now(), by=SYSTEM
    )
    fault = phone.post("/api/v1/vehicles/TENANT1/faults", {"category": "brakes"}).json()
    delivery = _delivery(vehicle)
    rows: dict[str, Any] = {
        "saved view": SavedView.objects.create(user=marco, name="Silent", created_at=clock.now()),
        "webhook endpoint": delivery.endpoint,
        "webhook delivery": delivery,
        "vehicle": vehicle,
        "booking": _booking(giulia, make_vehicle),
        "reservation": _row("bookings.Reservation", reservation["id"]),
        "trip": _row("bookings.Trip", trip["id"]),
        **_bought(phone, vehicle),
        "reward": _reward(vehicle, giulia, reservation["id"]),
        "payment method": PaymentMethod.objects.get(user=giulia),
        "payment": _row_of("bookings.Payment"),
        **_claims(vehicle, giulia),
        "receipt": _receipt(),
        "plan": plan,
        "alarm": _alarm(vehicle),
        "zone set": _zones(vehicle),
        "task": RebalancingTask.objects.get(plan=plan),
        "fault": _row("fleet.FaultReport", fault["id"]),
        "work order": _row_of("fleet.WorkOrder"),
        "site": station.site,
        "station": station,
        "session": session,
        "settled session": settled,
        "charging token": ensure_token(
            uid="04STAFF",
            organisation_id=station.site.organisation_id,
            at=clock.now(),
        ),
        "charging tariff": _charging_tariff(station),
        "charge record": settled.records.get(),
        "command": _command(station),
        "certificate": _certificate(station),
        **_devices(station),
        "recharge": _recharge(giulia, station),
        "connector": Connector.objects.get(evse__station=station),
        "charging card": add_card(user=giulia, uid="04TENANT", label="", at=clock.now()),
        "kept connector": _kept(giulia, station),
        "push device": PushDevice.objects.create(
            user=giulia, endpoint="https://push.example/tenant", added_at=clock.now()
        ),
        "vehicle charge": _vehicle_charge(vehicle, session),
        "unbilled session": _unbilled(station),
        "case": _row("bookings.SupportCase", _case(phone, trip)["id"]),
        "file": _picture(giulia),
        **_aftermath(trip["id"], giulia),
    }
    return WholeCity(rows=rows, people=people)


def _certificate(station: ChargingStation) -> StationCertificate:
    """The station's client certificate; what is in it does not matter here."""
    at = clock.now()
    return StationCertificate.objects.create(
        station=station,
        kind="charging_station",
        serial="a1",
        subject=f"CN={station.identity}",
        pem="",
        valid_from=at,
        valid_until=at,
        issued_at=at,
    )


def _aftermath(trip_id: str, user: User) -> dict[str, models.Model]:
    """What may follow a trip: a dispute, a photo of the parked vehicle, an outage that is over."""
    at, trip = clock.now(), Trip.objects.get(public_id=trip_id)
    TripVersion.objects.create(
        trip=trip, number=2, state="proposed", at=at, by="test", reason="test", started_at=at,
        ended_at=at, stretches=[], distance_m=0, lines=[], total_cents=0,
    )  # fmt: skip
    return {
        "dispute": TripDispute.objects.create(
            trip=trip, user=user, reason="other", opened_at=at, due_at=at
        ),
        "end photo": EndPhoto.objects.create(
            trip=trip,
            user=user,
            organisation=trip.organisation,
            file=_picture(user),
            taken_at=at,
            state="bad",
        ),
        "incident": Incident.objects.create(
            organisation=trip.organisation, since=at, until=at, reason="test", opened_by="test"
        ),
    }


def _receipt() -> models.Model:
    """The receipt of Giulia's payment, handed out before the ride is over."""
    with transaction.atomic():
        return issue_document(
            payment=Payment.objects.get(purpose="trip"),
            kind=DocumentKind.RECEIPT,
            lines=[],
            at=clock.now(),
        )


def _claims(vehicle: Vehicle, user: User) -> dict[str, models.Model]:
    """A fee that Giulia was told of, and a refund to her that waits for a second person."""
    kind = FeeKind.objects.create(
        organisation=vehicle.organisation, code="parking", title={"it": "Sosta"}, cents=1500
    )
    fee = payments.propose_fee(
        organisation_id=vehicle.organisation_id,
        user_id=user.pk,
        kind=kind.code,
        about=ids.uuid7(),
        reason="on the pavement",
        at=clock.now(),
        by=SYSTEM,
    )
    assert fee is not None
    payments.announce_fee(fee_id=fee.public_id, at=clock.now(), by=SYSTEM)
    payment = Payment.objects.filter(payer=user).latest("id")
    Payment.objects.filter(pk=payment.pk).update(amount_cents=100, refunded_cents=1)
    refund = Refund.objects.create(
        payment=payment,
        state="proposed",
        needs_approval=True,
        cents=1,
        reason="x",
        by=SYSTEM,
        requested_at=clock.now(),
    )
    return {"fee": fee, "refund": refund}


def _bought(phone: APIClient, vehicle: Vehicle) -> dict[str, models.Model]:
    """A free pass of the operator, which needs no payment, and a redeemed code."""
    terms: dict[str, Any] = {
        "organisation": vehicle.organisation,
        "code": "FREE",
        "title": {"it": "Prova"},
        "vehicle_kinds": ["scooter"],
        "minutes": 10,
    }
    product = PassProduct.objects.create(
        **terms, shape="bundle", days=1, price_cents=0, vat_rate=Decimal("0.22")
    )
    PromoCode.objects.create(**terms, valid=(clock.now(), None))
    bought = phone.post("/api/v1/passes", {"product": str(product.public_id)}).json()
    redeemed = phone.post("/api/v1/promo-codes/redeem", {"code": "FREE"}).json()
    return {
        "pass": _row("bookings.Pass", bought["id"]),
        "redeemed code": _row("bookings.PromoRedemption", redeemed["id"]),
    }


def _reward(vehicle: Vehicle, user: User, ride: str) -> RewardClaim:
    """A promised reward of her ride, with the offer, the day and the rules behind it."""
    at = clock.now()
    soon = at + datetime.timedelta(hours=1)
    IncentivePolicy.objects.create(organisation=vehicle.organisation)
    RewardBudget.objects.create(organisation=vehicle.organisation, day_cents=500)
    offer = IncentiveOffer.objects.create(
        organisation=vehicle.organisation,
        city=vehicle.city,
        vehicle_kind="scooter",
        direction="end",
        need="stock",
        cell=cell_at(lon=9.2, lat=45.45),
        lon=9.2,
        lat=45.45,
        reward_cents=50,
        value_cents=100,
        van_cents=200,
        trips=0.5,
        promised=1,
        state="taken",
        made_at=at,
        valid_until=soon,
    )
    day = RewardDay.objects.create(
        organisation=vehicle.organisation,
        on=clock.service_day(at),
        budget_cents=500,
        promised_cents=50,
    )
    return RewardClaim.objects.create(
        user=user,
        organisation=vehicle.organisation,
        day=day,
        offer=offer,
        vehicle=vehicle,
        ride=ride,
        number=1,
        reward_cents=50,
        promised_at=at,
        expires_at=soon,
    )


def _price(vehicle: Vehicle) -> None:
    tariff = Tariff.objects.create(
        organisation=vehicle.organisation, code="t", title={"it": "T"}, vehicle_kinds=["scooter"]
    )
    version = pricing.draft_version(
        tariff=tariff,
        valid_from=clock.now() - datetime.timedelta(days=1),
        vat_rate=Decimal("0.22"),
        minute_cents=20,
        pause_minute_cents=5,
        preauth_cents=500,
    )
    pricing.publish_version(version_id=version.pk, at=clock.now(), by=SYSTEM)


def _picture(owner: User) -> models.Model:
    files.register("tenancy", may_read=lambda _user, _file: False)
    return files.store_file(
        content=io.BytesIO(b"private"),
        content_type="image/png",
        purpose="tenancy",
        owner=owner.principal,
        at=clock.now(),
    )


def _row(label: str, public_id: str) -> models.Model:
    return _model(label)._default_manager.get(public_id=public_id)


def _row_of(label: str) -> models.Model:
    return _model(label)._default_manager.get()


def _model(label: str) -> type[models.Model]:
    from django.apps import apps

    return apps.get_model(label)


def _charging_tariff(station: ChargingStation) -> models.Model:
    """A price list whose first version is a draft."""
    tariff = charging_prices.open_tariff(
        organisation_id=station.site.organisation_id,
        code="tenancy",
        name={"it": "Prova"},
        at=clock.now(),
        by=SYSTEM,
    )
    charging_prices.draft_version(
        tariff_id=tariff.pk, components=[], valid_from=clock.now(), at=clock.now(), by=SYSTEM
    )
    return tariff


def _settled(station: ChargingStation, owner: User) -> ChargingSession:
    """A charge of hers that is over, billed and recorded."""
    at = clock.now() - datetime.timedelta(hours=4)
    ensure_token(uid="04SETTLED", owner_ref=owner.principal, at=at)
    start = SessionStart(
        station_id=station.pk, evse_number=1, uid="04SETTLED", at=at, meter_start_wh=0
    )
    [answer] = start_sessions(starts=[start], at=at)
    end = at + datetime.timedelta(hours=1)
    stop = SessionStop(
        station_id=station.pk, transaction_ref=answer.transaction_ref, at=end, meter_stop_wh=5000
    )
    stop_sessions(stops=[stop], at=end)
    session = ChargingSession.objects.get(transaction_ref=answer.transaction_ref)
    settle_session(session_id=session.pk, at=end)
    return session


def _session(station: ChargingStation) -> ChargingSession:
    start = SessionStart(
        station_id=station.pk,
        evse_number=1,
        uid="CARD-1",
        at=clock.now(),
        meter_start_wh=0,
    )
    start_sessions(starts=[start], at=clock.now())
    return ChargingSession.objects.get()


def _devices(station: ChargingStation) -> dict[str, models.Model]:
    """What the station said of itself, its jobs, and the energy wanted there."""
    now, connector = clock.now(), Connector.objects.get(evse__station=station)
    DeviceVariable.objects.create(station=station, name="HeartbeatInterval", value="60", at=now)
    VariableMonitor.objects.create(station=station, number=1, value=1, severity=2, at=now)
    LocalList.objects.create(station=station, changed_at=now)
    SiteLoad.objects.create(site=station.site, limit_a=32)
    return {
        "device event": DeviceEvent.objects.create(
            station=station, number=1, at=now, trigger="Alerting", received_at=now
        ),
        "firmware job": FirmwareJob.objects.create(station=station, asked_at=now),
        "log job": LogJob.objects.create(station=station, asked_at=now),
        "station report": Report.objects.create(
            station=station, number=1, kind="base", asked_at=now
        ),
        "energy demand": EnergyDemand.objects.create(
            connector=connector,
            owner_ref="tenant",
            energy_wh=1000,
            ready_by=now + datetime.timedelta(hours=1),
            created_at=now,
        ),
        "charging profile": ChargingProfile.objects.create(
            connector=connector, purpose="TxDefaultProfile"
        ),
        "charging limit": ChargingLimit.objects.create(station=station, source="EMS", since=now),
    }


def _command(station: ChargingStation) -> StationCommand:
    return queue_command(
        station_id=station.pk,
        action="reset",
        idempotency_key="tenant",
        at=clock.now(),
        by=SYSTEM,
    )


def _alarm(vehicle: Vehicle) -> Alarm:
    at = clock.now()
    return Alarm.objects.create(
        vehicle=vehicle, kind="tilt", severity="info", opened_at=at, last_seen_at=at
    )


def _delivery(vehicle: Vehicle) -> WebhookDelivery:
    """A program of the vehicle's operator that was called."""
    at = clock.now()
    endpoint, _secret = webhooks.add_endpoint(
        organisation_id=vehicle.organisation_id,
        url="https://hooks.example.com/tenant",
        kinds=["trip.ended"],
        description="",
        at=at,
        by=SYSTEM,
    )
    return webhooks.ping(endpoint=endpoint, at=at, by=SYSTEM)


def _belongings(vehicle: Vehicle) -> None:
    """A paper, a battery that was swapped in, a case: what staff keep of a vehicle."""
    at = clock.now()
    VehicleDocument.objects.create(
        vehicle=vehicle, kind="insurance", number="P-1", valid_from=clock.service_day(at)
    )
    battery = Battery.objects.create(
        organisation=vehicle.organisation, serial="BAT-0", capacity_wh=550
    )
    BatterySwap.objects.create(
        vehicle=vehicle, slot=1, inserted=battery, at=at, by="test", idempotency_key="0"
    )
    VehicleCase.objects.create(
        vehicle=vehicle,
        kind="missing",
        opened_at=at,
        opened_by="test",
        closed_at=at,
        closed_by="test",
        outcome="recovered",
    )
    earlier = VehicleHold.objects.create(
        vehicle=vehicle,
        during=(at - datetime.timedelta(days=2), at - datetime.timedelta(days=1)),
        purpose="service",
        holder_ref="service:0",
        released_at=at,
    )
    ServiceTrip.objects.create(
        vehicle=vehicle, hold=earlier, reason="test", started_at=at, started_by="test", ended_at=at
    )
    _vans(vehicle)


def _vans(vehicle: Vehicle) -> None:
    """A van with its depot, an hour in which it may not work, and travel times."""
    own = {"organisation": vehicle.organisation, "city": vehicle.city}
    depot = Depot.objects.create(name="Depot", lon=9.2, lat=45.45, **own)
    Van.objects.create(name="Van", start=depot, **own)
    area = MultiPolygon(Polygon.from_bbox((9.1, 45.4, 9.2, 45.5)), srid=4326)
    ClosedHours.objects.create(
        name="Market", area=area, since=datetime.time(8), until=datetime.time(12), **own
    )
    TravelTable.objects.create(
        name="Roads",
        source="imported",
        created_at=clock.now(),
        created_by="test",
        minutes=b"",
        **own,
    )


def _plan(vehicle: Vehicle) -> RebalancingPlan:
    at = clock.now()
    plan = RebalancingPlan.objects.create(
        organisation=vehicle.organisation,
        city=vehicle.city,
        requested_at=at,
        requested_by="test",
        state="published",
        horizon_start=at,
        horizon_end=at + datetime.timedelta(hours=8),
    )
    RebalancingTask.objects.create(
        plan=plan,
        van=1,
        sequence=1,
        kind="swap_battery",
        vehicle_kind="scooter",
        vehicle=vehicle,
        cell=cell_at(lon=9.2, lat=45.45),
        lon=9.2,
        lat=45.45,
        value_cents=500,
        cost_cents=100,
        reason="low_battery",
        reason_params={"battery_pct": 12, "trips": 1.5},
    )
    return plan


def _zones(vehicle: Vehicle) -> models.Model:
    box = (9.18, 45.44, 9.22, 45.46)
    return draw_zone(
        "operating",
        box,
        organisation=vehicle.organisation,
        city=vehicle.city,
        start=clock.now(),
        name={"it": "Area"},
    ).zone_set


def _booking(giulia: User, make_vehicle: Callable[..., Vehicle]) -> Booking:
    """A car for tomorrow, held for later."""
    at = clock.now()
    car = make_vehicle("car", code="TENANT-CAR")
    start = at + datetime.timedelta(days=1)
    hold = VehicleHold.objects.create(
        vehicle=car,
        during=(start, start + datetime.timedelta(hours=3)),
        purpose="booking",
        holder_ref="booking:0",
        ahead=True,
    )
    version = TariffVersion.objects.earliest("pk")
    return Booking.objects.create(
        user=giulia,
        organisation=car.organisation,
        vehicle=car,
        hold=hold,
        tariff_version=version,
        fare_terms=version.fare().as_json(),
        state="confirmed",
        starts_at=start,
        ends_at=start + datetime.timedelta(hours=2),
        free_until=start,
        requested_at=at,
    )


def _recharge(giulia: User, station: ChargingStation) -> Recharge:
    return Recharge.objects.create(
        user=giulia,
        organisation=station.site.organisation,
        connector=Connector.objects.get(evse__station=station),
        token_uid="APP-1",
        terms={"currency": "EUR", "components": []},
        requested_at=clock.now(),
    )


def _kept(giulia: User, station: ChargingStation) -> KeptConnector:
    at = clock.now()
    issue_missing_codes(at=at, by=SYSTEM)
    connector = Connector.objects.get(evse__station=station)
    until = at + datetime.timedelta(minutes=15)
    hold = hold_connector(
        connector_id=connector.pk, since=at, until=until, holder_ref="x", at=at, by=SYSTEM
    )
    return KeptConnector.objects.create(
        user=giulia, connector=connector, hold=hold, created_at=at, until=until
    )


def _vehicle_charge(vehicle: Vehicle, session: ChargingSession) -> VehicleCharge:
    return VehicleCharge.objects.create(
        organisation=vehicle.organisation,
        operator=session.station.site.organisation,
        session=session,
        owner_ref="vehicle:1",
        energy_wh=1_000,
        cents=50,
        at=clock.now(),
    )


def _unbilled(station: ChargingStation) -> ChargingSession:
    return ChargingSession.objects.create(
        station=station,
        transaction_ref="unbilled",
        state="settled",
        heard_at=clock.now(),
        price_cents=100,
    )


def _case(phone: APIClient, trip: dict[str, Any]) -> dict[str, Any]:
    told = {"kind": "price", "text": "Too much.", "trip": trip["id"]}
    return dict(phone.post("/api/v1/cases", told).json())
