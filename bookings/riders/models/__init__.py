"""Riders, their documents, and what operators ask of them."""

from bookings.riders.models.documents import DrivingLicence, IdentityCheck, RiderDocument
from bookings.riders.models.people import RiderBlock, RiderProfile
from bookings.riders.models.policies import AccessPolicy, Acknowledgement, RuleText

__all__ = [
    "AccessPolicy",
    "Acknowledgement",
    "DrivingLicence",
    "IdentityCheck",
    "RiderBlock",
    "RiderDocument",
    "RiderProfile",
    "RuleText",
]
