"""Which tariff version prices what, when."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from django.db.models import prefetch_related_objects

from charging.tariffs.models import TariffVersion

# The connector's own tariff, else its site's, else the operator's default: one statement for the
# writer of a gateway, which asks it whenever sessions begin.
_VALID: Final = """
SELECT version.*, connector.id AS connector_id
  FROM charging_connector AS connector
  JOIN charging_evse AS evse ON evse.id = connector.evse_id
  JOIN charging_chargingstation AS station ON station.id = evse.station_id
  JOIN charging_site AS site ON site.id = station.site_id
  LEFT JOIN charging_tariffplace AS own ON own.connector_id = connector.id
  LEFT JOIN charging_tariffplace AS shared ON shared.site_id = site.id
  LEFT JOIN charging_tariff AS usual
    ON usual.organisation_id = site.organisation_id AND usual.is_default
  JOIN charging_tariffversion AS version
    ON version.tariff_id = COALESCE(own.tariff_id, shared.tariff_id, usual.id)
   AND version.state = 'published' AND version.valid @> %s::timestamptz
 WHERE connector.id = ANY(%s)
"""


def versions_for_connectors(
    *,
    connector_ids: Iterable[int],
    at: datetime,
    with_tariff: bool = True,
) -> dict[int, TariffVersion]:
    """The version that prices each connector at the instant; connectors without one are absent.

    The connector's own tariff wins over its site's, that over the operator's default. Two queries,
    however many connectors; one where the tariff's name and currency are not wanted.
    """
    wanted = sorted(set(connector_ids))
    if not wanted:
        return {}
    rows = list(TariffVersion.objects.raw(_VALID, [at, wanted]))
    if with_tariff:
        prefetch_related_objects(rows, "tariff")
    return {vars(row)["connector_id"]: row for row in rows}


def version_for_connector(*, connector_id: int, at: datetime) -> TariffVersion | None:
    """The version that prices one connector at the instant."""
    return versions_for_connectors(connector_ids=[connector_id], at=at).get(connector_id)
