"""One look at the city: two queries, however many people and audiences watch."""

import dataclasses
import datetime
from functools import cached_property
from typing import Any

import numpy as np
from django.db.models import Count, Q
from numpy.typing import NDArray

from charging.stations.models import Site
from charging.stations.states import ConnectorStatus
from fleet.telematics import standing
from fleet.vehicles.models import Vehicle
from mobility.accounts.models import User
from mobility.live.audience import Audience
from mobility.live.rules import PUBLIC_FACE, STAFF_FACE, VEHICLE, Picture, Row


@dataclasses.dataclass(frozen=True)
class SiteRow:
    """A charging site with how its connectors stand."""

    organisation_id: int
    row: Row


def audience_of(user: User) -> Audience:
    """The staff audience of a person: the organisations whose vehicles and sites they may see."""
    if user.is_superuser:
        return Audience.staff(None)
    seen = set(
        Vehicle.objects.visible_to(user).values_list("organisation_id", flat=True).distinct()
    )
    seen |= set(Site.objects.visible_to(user).values_list("organisation_id", flat=True).distinct())
    return Audience.staff(frozenset(seen))


class Watch:
    """Looks at the city again and again; knows what it has seen by small numbers.

    Numbers of vehicles and faces are given once and stay for the life of the process, so that pictures can be
    compared and what changed be told by them. Names of vehicles are asked only for those that are new.
    """

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        self._labels: list[tuple[Any, str]] = []
        self._known = np.empty(0, dtype=np.int64)
        self._n = np.empty(0, dtype=np.int32)
        self._faces: dict[tuple[int, int], int] = {}
        self._staff_faces: list[Row] = []
        self._rentable: list[bool] = []

    def pictures(
        self, *, audiences: frozenset[Audience], at: datetime.datetime
    ) -> dict[Audience, Picture]:
        """What each audience sees at `at`."""
        sketch = _Sketch(self, standing.read_standing(), site_rows())
        return {audience: sketch.picture(audience, at) for audience in audiences}

    def numbers(self, vehicle_ids: NDArray[np.int64]) -> NDArray[np.int32]:
        """The numbers of these vehicles; the newcomers get theirs."""
        if not np.array_equal(vehicle_ids, self._known):
            newcomers = [pk for pk in vehicle_ids.tolist() if pk not in self._numbers]
            names = standing.labels(newcomers) if newcomers else {}
            for pk in newcomers:
                label = names[pk]
                self._numbers[pk] = len(self._labels)
                self._labels.append((label.public_id, label.code))
            self._known = vehicle_ids
            self._n = np.array([self._numbers[pk] for pk in vehicle_ids.tolist()], dtype=np.int32)
        return self._n

    def faces(self, rows: NDArray[np.void]) -> NDArray[np.int32]:
        """The numbers of these vehicles' faces; a face is looked up once for all who have it."""
        owners, whose = np.unique(rows["organisation_id"], return_inverse=True)
        packed = standing.faces(rows)
        mixed = packed * max(len(owners), 1) + whose
        _faces, first, back = np.unique(mixed, return_index=True, return_inverse=True)
        seen = zip(packed[first].tolist(), owners[whose[first]].tolist(), strict=True)
        numbers = [self._face(*pair) for pair in seen]
        return np.array(numbers, dtype=np.int32)[back]

    def _face(self, packed: int, organisation_id: int) -> int:
        known = self._faces.get((packed, organisation_id))
        if known is None:
            face = standing.face(packed)
            known = self._faces[(packed, organisation_id)] = len(self._staff_faces)
            self._staff_faces.append((*dataclasses.astuple(face), organisation_id))
            self._rentable.append(face.rentable)
        return known

    @property
    def labels(self) -> list[tuple[Any, str]]:
        """Id and code by number."""
        return self._labels

    @property
    def staff_faces(self) -> list[Row]:
        """The values of `STAFF_FACE` by number."""
        return self._staff_faces

    @property
    def rentable(self) -> NDArray[np.bool_]:
        """Whether a face can be rented, by number."""
        return np.array(self._rentable, dtype=bool)


def site_rows() -> list[SiteRow]:
    """All charging sites with counts of their connectors by status, in one query."""
    sites = Site.objects.annotate(
        available=_connectors(ConnectorStatus.AVAILABLE),
        occupied=_connectors(ConnectorStatus.OCCUPIED, ConnectorStatus.RESERVED),
        faulted=_connectors(ConnectorStatus.FAULTED, ConnectorStatus.UNAVAILABLE),
        offline=Count("stations", filter=Q(stations__connected_at=None), distinct=True),
        total=Count("stations__evses__connectors", distinct=True),
    ).order_by("pk")
    return [SiteRow(organisation_id=site.organisation_id, row=_site_row(site)) for site in sites]


def _connectors(*statuses: ConnectorStatus) -> Count:
    path = "stations__evses__connectors"
    # A connector is only as free as its station can be reached.
    connected = Q(stations__connected_at__isnull=False) | ~Q(
        **{f"{path}__status": ConnectorStatus.AVAILABLE}
    )
    return Count(path, filter=Q(**{f"{path}__status__in": statuses}) & connected, distinct=True)


def _site_row(site: Any) -> Row:
    return (
        site.public_id,
        site.location.x,
        site.location.y,
        site.name,
        site.available,
        site.occupied,
        site.faulted,
        site.offline,
        site.total,
        site.organisation_id,
    )


class _Sketch:
    """The vehicles of one look, drawn once for all audiences."""

    def __init__(self, watch: Watch, rows: NDArray[np.void], sites: list[SiteRow]) -> None:
        self.watch = watch
        self.owners = rows["organisation_id"]
        self.sites = sites
        self.staff = np.empty(len(rows), dtype=VEHICLE)
        self.staff["n"] = watch.numbers(rows["vehicle_id"])
        self.staff["lon"] = np.rint(rows["lon_e7"] / 10)
        self.staff["lat"] = np.rint(rows["lat_e7"] / 10)
        self.staff["seen"] = rows["at_us"] // 60_000_000
        self.staff["face"] = watch.faces(rows)
        for name in ("heading", "battery_pct"):
            self.staff[name] = rows[name]
        self.kinds = rows["kind"]

    @cached_property
    def public(self) -> NDArray[np.void]:
        """What anybody can rent; nobody learns where it looks to or when it was heard."""
        shown = self.watch.rentable[self.staff["face"]] if len(self.staff) else slice(None)
        public = self.staff[shown].copy()
        public["face"] = self.kinds[shown]
        public["heading"] = standing.UNKNOWN
        public["seen"] = 0
        return public

    def picture(self, audience: Audience, at: datetime.datetime) -> Picture:
        """The part that an audience sees, in the order of numbers."""
        public = audience.kind == "public"
        rows = self.public if public else self.staff[self._seen_by(audience)]
        return Picture(
            at=at.isoformat(),
            vehicles=rows[np.argsort(rows["n"], kind="stable")],
            faces=[(kind,) for kind in standing.KINDS] if public else self.watch.staff_faces,
            labels=self.watch.labels,
            sites={s.row[0]: s.row for s in self.sites if audience.sees(s.organisation_id)},
            face_columns=PUBLIC_FACE if public else STAFF_FACE,
        )

    def _seen_by(self, audience: Audience) -> Any:
        if audience.organisations is None:
            return slice(None)
        return np.isin(self.owners, list(audience.organisations))
