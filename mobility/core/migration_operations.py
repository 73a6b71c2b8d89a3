"""Operations for migrations of every app."""

from collections.abc import Sequence

from django.db import migrations


def audit_edits(label: str, *, personal: Sequence[str] = ()) -> migrations.RunSQL:
    """Let the database itself keep the trail of a table that staff edit by hand: `"fleet.zone"`.

    Each insert, change and deletion becomes an audit entry with the columns that changed, whatever
    wrote it; of `personal` columns the trail, which is never erased, says only that they changed.
    Not for hot tables: a row more for every write.
    """
    table = label.replace(".", "_")
    told = ", ".join(f"'{word}'" for word in (label, *([",".join(personal)] if personal else [])))
    return migrations.RunSQL(
        f"CREATE TRIGGER audit_edit AFTER INSERT OR UPDATE OR DELETE ON {table}"
        f" FOR EACH ROW EXECUTE FUNCTION mobility_audit_edit({told})",
        f"DROP TRIGGER audit_edit ON {table}",
    )
