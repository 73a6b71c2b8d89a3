"""What a charger remembers beside its meters, whatever the version: settings, lists, profiles, papers."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

VOLTS = 230
PHASES = 3
# Kinds of settings in the words of OCPP 2.x.
READ_ONLY, READ_WRITE = "ReadOnly", "ReadWrite"


@dataclass(slots=True)
class Setting:
    """One variable; `key` is its name in OCPP 1.6, empty where 1.6 has none."""

    component: str
    name: str
    value: str
    kind: str = "string"
    mutability: str = READ_WRITE
    key: str = ""

    @property
    def open(self) -> bool:
        """Whether the central system may change it."""
        return self.mutability == READ_WRITE


@dataclass(slots=True, frozen=True)
class Paper:
    """An installed certificate by its hashes (RFC 6960 §4.1.1)."""

    use: str
    issuer_name_hash: str
    issuer_key_hash: str
    serial_number: str

    def as_wire(self) -> dict[str, str]:
        """In the words of OCPP, which are the same in every version."""
        return {
            "hashAlgorithm": "SHA256",
            "issuerNameHash": self.issuer_name_hash,
            "issuerKeyHash": self.issuer_key_hash,
            "serialNumber": self.serial_number,
        }


@dataclass(slots=True)
class Reservation:
    """A bay kept for a token."""

    number: int
    token: str
    until: datetime


def _settings(bays: int) -> list[Setting]:
    return [
        Setting("OCPPCommCtrlr", "HeartbeatInterval", "300", "integer", key="HeartbeatInterval"),
        Setting("OCPPCommCtrlr", "WebSocketPingInterval", "30", "integer", key="WebSocketPingInterval"),
        Setting("OCPPCommCtrlr", "NetworkProfileConnectionAttempts", "3", "integer"),
        Setting("AuthCtrlr", "LocalPreAuthorize", "false", "boolean", key="LocalPreAuthorize"),
        Setting("AuthCtrlr", "AuthorizeRemoteStart", "false", "boolean", key="AuthorizeRemoteTxRequests"),
        Setting("LocalAuthListCtrlr", "Enabled", "true", "boolean", key="LocalAuthListEnabled"),
        Setting("LocalAuthListCtrlr", "ItemsPerMessage", "100", "integer", READ_ONLY, "SendLocalListMaxLength"),
        Setting("SampledDataCtrlr", "TxUpdatedInterval", "60", "integer", key="MeterValueSampleInterval"),
        Setting("AlignedDataCtrlr", "Interval", "0", "integer", key="ClockAlignedDataInterval"),
        Setting("TxCtrlr", "StopTxOnEVSideDisconnect", "true", "boolean", key="StopTransactionOnEVSideDisconnect"),
        Setting("TxCtrlr", "EVConnectionTimeOut", "60", "integer", key="ConnectionTimeOut"),
        Setting("SmartChargingCtrlr", "ProfileStackLevel", "8", "integer", READ_ONLY, "ChargeProfileMaxStackLevel"),
        Setting("SmartChargingCtrlr", "PeriodsPerSchedule", "24", "integer", READ_ONLY, "ChargingScheduleMaxPeriods"),
        Setting("SmartChargingCtrlr", "RateUnit", "A,W", "MemberList", READ_ONLY, "ChargingScheduleAllowedChargingRateUnit"),
        Setting("SmartChargingCtrlr", "Entries", "10", "integer", READ_ONLY, "MaxChargingProfilesInstalled"),
        Setting("DeviceDataCtrlr", "ItemsPerMessage", "8", "integer", READ_ONLY, "GetConfigurationMaxKeys"),
        Setting("ChargingStation", "Model", "Simulatore", "string", READ_ONLY),
        Setting("ChargingStation", "AvailabilityState", "Available", "OptionList", READ_ONLY),
        Setting("SecurityCtrlr", "SecurityProfile", "1", "integer", READ_ONLY, "SecurityProfile"),
        # Its password stands in the city's file of credentials, where a new one would not be found.
        Setting("SecurityCtrlr", "BasicAuthPassword", "", "string", READ_ONLY, "AuthorizationKey"),
        Setting("DisplayMessageCtrlr", "Available", "true", "boolean", READ_ONLY),
        Setting("TariffCostCtrlr", "Available", "true", "boolean", READ_ONLY),
        Setting("", "", str(bays), "integer", READ_ONLY, "NumberOfConnectors"),
        Setting(
            "", "", "Core,FirmwareManagement,LocalAuthListManagement,Reservation,SmartCharging,RemoteTrigger",
            "MemberList", READ_ONLY, "SupportedFeatureProfiles",
        ),
    ]  # fmt: skip


@dataclass(slots=True)
class Device:
    """A charger's memory; it lasts over restarts and lost links."""

    bays: int
    firmware: str
    settings: list[Setting] = field(default_factory=list)
    list_version: int = 0
    local_list: dict[str, dict[str, Any]] = field(default_factory=dict)
    profiles: dict[int, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    """By their id: the EVSE (0: the station) and the profile as it came."""
    displays: dict[int, dict[str, Any]] = field(default_factory=dict)
    monitors: dict[int, dict[str, Any]] = field(default_factory=dict)
    papers: list[Paper] = field(default_factory=list)
    reservations: dict[int, Reservation] = field(default_factory=dict)
    """By bay."""
    shown_cost: float | None = None
    firmware_status: str = "Idle"
    log_status: str = "Idle"

    def __post_init__(self) -> None:
        self.settings = self.settings or _settings(self.bays)

    def by_key(self, key: str) -> Setting | None:
        """A setting by its name in OCPP 1.6, which ignores case."""
        wanted = key.lower()
        return next((one for one in self.settings if one.key.lower() == wanted and one.key), None)

    def by_name(self, component: str, name: str) -> Setting | None:
        """A setting by its component and variable."""
        return next(
            (
                one
                for one in self.settings
                if one.component.lower() == component.lower() and one.name.lower() == name.lower()
            ),
            None,
        )

    def change(self, setting: Setting, value: str) -> str:
        """Accepted, or Rejected for what is closed or makes no sense."""
        numeric = setting.kind == "integer" and not value.isdigit()
        truth = setting.kind == "boolean" and value.lower() not in ("true", "false")
        if not setting.open or numeric or truth:
            return "Rejected"
        setting.value = value
        return "Accepted"

    def take_list(
        self, *, version: int, full: bool, entries: dict[str, dict[str, Any] | None]
    ) -> str:
        """The local list anew, or changed; VersionMismatch for changes to one we do not have."""
        if not full and version <= self.list_version:
            return "VersionMismatch"
        if full:
            self.local_list = {}
        for uid, entry in entries.items():
            if entry is None:
                self.local_list.pop(uid, None)
            else:
                self.local_list[uid] = entry
        self.list_version = version
        return "Accepted"

    def limit_w(self, bay: int) -> float | None:
        """What the profiles leave to a bay now: the highest of each purpose counts, the least of them."""
        strongest: dict[str, tuple[int, float]] = {}
        for place, profile in self.profiles.values():
            purpose = str(_word(profile, "charging_profile_purpose"))
            level = int(_word(profile, "stack_level") or 0)
            watts = first_limit_w(profile)
            if place in (0, bay) and watts is not None:
                share = (
                    watts / self.bays if purpose.endswith("MaxProfile") and place == 0 else watts
                )
                if purpose not in strongest or level >= strongest[purpose][0]:
                    strongest[purpose] = (level, share)
        return min((watts for _level, watts in strongest.values()), default=None)

    def install(self, *, use: str, pem: str) -> str:
        """A root that we trust from now on; Rejected for what is no certificate."""
        try:
            paper = x509.load_pem_x509_certificate(pem.encode())
        except ValueError:
            return "Rejected"
        key = paper.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.papers.append(
            Paper(
                use=use,
                issuer_name_hash=hashlib.sha256(paper.issuer.public_bytes()).hexdigest(),
                issuer_key_hash=hashlib.sha256(key).hexdigest(),
                serial_number=f"{paper.serial_number:x}"[:40],
            )
        )
        return "Accepted"

    def delete(self, wanted: dict[str, Any]) -> str:
        """Forget a certificate by its hashes."""
        told = {str(value).lower() for value in wanted.values()}
        found = [
            paper for paper in self.papers if {paper.issuer_name_hash, paper.serial_number} <= told
        ]
        self.papers = [paper for paper in self.papers if paper not in found]
        return "Accepted" if found else "NotFound"

    def log_text(self, identity: str, at: datetime) -> str:
        """What such a machine writes down about itself."""
        lines = [
            f"{at.isoformat()} {identity} firmware {self.firmware}",
            *(
                f"{one.key or one.component + '.' + one.name} = {one.value}"
                for one in self.settings
            ),
            f"local list version {self.list_version}, {len(self.local_list)} entries",
            f"{len(self.profiles)} charging profiles, {len(self.papers)} roots",
        ]
        return "\n".join(lines) + "\n"


def first_limit_w(profile: dict[str, Any]) -> float | None:
    """The limit of a profile's first period in watts; amperes are those of three phases."""
    schedule = _word(profile, "charging_schedule")
    if isinstance(schedule, list):
        schedule = schedule[0] if schedule else None
    if not isinstance(schedule, dict):
        return None
    periods = _word(schedule, "charging_schedule_period") or []
    if not periods:
        return None
    limit = float(_word(periods[0], "limit") or 0)
    return limit if _word(schedule, "charging_rate_unit") == "W" else limit * VOLTS * PHASES


def signing_request(identity: str, organisation: str) -> str:
    """A request for a client certificate with a key that nobody else has."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, identity),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
        ]
    )
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM).decode()


def _word(data: dict[str, Any], name: str) -> Any:
    """A field under its name in Python or on the wire: the engine renames some and leaves others."""
    head, *rest = name.split("_")
    return data.get(name, data.get(head + "".join(part.capitalize() for part in rest)))
