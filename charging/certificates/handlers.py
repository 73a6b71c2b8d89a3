"""What follows when a station asked for a certificate, or answered to one."""

from __future__ import annotations

from datetime import datetime

from charging.certificates import services
from charging.certificates.events import CertificateAsked, CertificateRevoked
from charging.certificates.mapping import held_certificates
from charging.stations import followers
from charging.stations.models import StationCommand
from charging.stations.states import CommandAction, CommandState
from mobility.core import outbox


@outbox.handles(CertificateAsked)
def on_certificate_asked(event: CertificateAsked, *, at: datetime) -> None:
    """Sign it and bring it."""
    services.sign_and_send(request_id=event.request_id, at=at)


@outbox.handles(CertificateRevoked)
def on_certificate_revoked(_event: CertificateRevoked, *, at: datetime) -> None:
    """Whoever believes our authority shall know soon."""
    services.sign_revocations(at=at)


def on_delivered(command: StationCommand, at: datetime) -> None:
    """The station took its chain, or did not."""
    purpose, _, request_id = command.purpose_ref.partition(":")
    if purpose == services.PURPOSE:
        services.note_delivery(request_id=request_id, outcome=command.state, at=at)
        if command.state == CommandState.ACCEPTED:
            services.certificate_arrived(station_id=command.station_id, at=at)


def on_listed(command: StationCommand, at: datetime) -> None:
    """A station said which certificates it holds."""
    if command.state != CommandState.ACCEPTED:
        return
    services.note_held(
        station_id=command.station_id,
        use=command.payload.get("use", ""),
        held=held_certificates(command.result.get("details", {}).get("certificates", ())),
        at=at,
    )


followers.follow([CommandAction.CERTIFICATE_SIGNED], finished=on_delivered)
followers.follow([CommandAction.GET_CERTIFICATES], finished=on_listed)
followers.follow(
    [CommandAction.SET_NETWORK_PROFILE, CommandAction.SET_VARIABLES], finished=services.go_on
)
