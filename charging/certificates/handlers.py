"""What follows when a station asked for a certificate, or answered to one."""

from __future__ import annotations

from datetime import datetime

from charging.certificates import services
from charging.certificates.events import CertificateAsked
from charging.certificates.mapping import held_certificates
from charging.stations.events import StationCommandFinished
from charging.stations.models import ChargingStation, StationCommand
from charging.stations.services import settle_password
from charging.stations.states import CommandAction, CommandState
from mobility.core import outbox


@outbox.handles(CertificateAsked)
def on_certificate_asked(event: CertificateAsked, *, at: datetime) -> None:
    """Sign it and bring it."""
    services.sign_and_send(request_id=event.request_id, at=at)


@outbox.handles(StationCommandFinished)
def on_certificate_delivered(event: StationCommandFinished, *, at: datetime) -> None:
    """The station took its chain, or did not."""
    purpose, _, request_id = event.purpose_ref.partition(":")
    if event.action == CommandAction.CERTIFICATE_SIGNED and purpose == services.PURPOSE:
        services.note_delivery(request_id=request_id, outcome=event.state, at=at)


@outbox.handles(StationCommandFinished)
def on_certificates_listed(event: StationCommandFinished, *, at: datetime) -> None:
    """A station said which certificates it holds."""
    if event.action != CommandAction.GET_CERTIFICATES or event.state != CommandState.ACCEPTED:
        return
    command = StationCommand.objects.get(public_id=event.command_id)
    services.note_held(
        station_id=command.station_id,
        use=command.payload.get("use", ""),
        held=held_certificates(event.result.get("details", {}).get("certificates", ())),
        at=at,
    )


@outbox.handles(StationCommandFinished)
def on_password_changed(event: StationCommandFinished, *, at: datetime) -> None:
    """The station took its new password, or did not, or nobody knows."""
    if event.action == CommandAction.SET_PASSWORD:
        station = ChargingStation.objects.get(identity=event.station_identity)
        settle_password(station_id=station.pk, outcome=event.state, at=at)
