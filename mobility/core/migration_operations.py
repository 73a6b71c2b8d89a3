"""Operations for migrations of every app."""

from django.db import migrations


def audit_edits(label: str) -> migrations.RunSQL:
    """Let the database itself keep the trail of a table that staff edit by hand: `"fleet.zone"`.

    Each insert, change and deletion becomes an audit entry with the columns that changed, whatever
    wrote it. Not for hot tables: a row more for every write.
    """
    table = label.replace(".", "_")
    return migrations.RunSQL(
        f"CREATE TRIGGER audit_edit AFTER INSERT OR UPDATE OR DELETE ON {table}"
        f" FOR EACH ROW EXECUTE FUNCTION mobility_audit_edit('{label}')",
        f"DROP TRIGGER audit_edit ON {table}",
    )
