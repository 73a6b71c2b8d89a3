"""Writing zones: drafts, publishing, going back."""

from fleet.zones.services.drafts import (
    NoSuchSet,
    NotADraft,
    ZoneDraft,
    create_draft,
    discard_draft,
    on_grid,
    replace_zones,
)
from fleet.zones.services.publishing import (
    NeverPublished,
    TooEarly,
    ZonesHaveErrors,
    ZonesHaveWarnings,
    check_draft,
    publish,
    rollback,
    supersede_ended,
)

__all__ = [
    "NeverPublished",
    "NoSuchSet",
    "NotADraft",
    "TooEarly",
    "ZoneDraft",
    "ZonesHaveErrors",
    "ZonesHaveWarnings",
    "check_draft",
    "create_draft",
    "discard_draft",
    "on_grid",
    "publish",
    "replace_zones",
    "rollback",
    "supersede_ended",
]
