"""Writing zones: drafts, publishing, going back."""

from fleet.zones.services.drafts import (
    DraftChanged,
    NoSuchSet,
    NotADraft,
    ZoneDraft,
    create_draft,
    discard_draft,
    ensure_seen,
    locked_draft,
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
    "DraftChanged",
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
    "ensure_seen",
    "locked_draft",
    "on_grid",
    "publish",
    "replace_zones",
    "rollback",
    "supersede_ended",
]
