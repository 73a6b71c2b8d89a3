"""A list of rows that lives in one column of JSON, filled in as a table instead of typed as text."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import capfirst, format_lazy
from django.utils.translation import gettext_lazy as _

# Empty lines below those that are filled in.
SPARE = 2
# More than anybody types; what comes beyond was not typed.
MOST = 60


class RowsWidget(forms.Widget):
    """A line of inputs for each row, `name-0-column`, and as many empty ones as may be added at once."""

    template_name = "widgets/rows.html"

    def __init__(self, columns: Mapping[str, forms.Field]) -> None:
        super().__init__()
        self.columns = columns

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """The heads of the columns and the lines, for the template."""
        context = super().get_context(name, value, attrs)
        rows = [*(value or []), *({} for _line in range(SPARE))]
        context["widget"] |= {
            "heads": [field.label for field in self.columns.values()],
            "lines": [self._line(name, number, row) for number, row in enumerate(rows)],
        }
        return context

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[dict[str, Any]]:
        """The lines as they were typed, without those in which nothing is."""
        lines = []
        for number in range(MOST):
            line = {
                column: field.widget.value_from_datadict(data, files, f"{name}-{number}-{column}")
                for column, field in self.columns.items()
            }
            if any(line.values()):
                lines.append(line)
        return lines

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        """Never: a table without lines says that there are none."""
        return False

    def id_for_label(self, id_: str) -> str:
        """No single input has the label of the table."""
        return ""

    def _line(self, name: str, number: int, row: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [
            field.widget.get_context(
                f"{name}-{number}-{column}",
                row.get(column),
                {
                    "id": f"id_{name}-{number}-{column}",
                    "aria-label": format_lazy("{}, {}", field.label or "", number + 1),
                },
            )["widget"]
            for column, field in self.columns.items()
        ]


class RowsField(forms.Field):
    """Rows as JSON keeps them: a list of `{column: value}`, columns left empty not in the row.

    `columns` are fields of forms by the name of the column; each has a label. Raises ValidationError
    with the line (counted from 1) and the column of all that cannot be read.
    """

    def __init__(self, columns: Mapping[str, forms.Field], *, label: Any, **kwargs: Any) -> None:
        self.columns = columns
        widget = RowsWidget(columns)
        super().__init__(required=False, label=capfirst(label), widget=widget, **kwargs)

    def clean(self, value: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The rows, in their order."""
        problems: list[ValidationError] = []
        rows = [self._row(number, line, problems) for number, line in enumerate(value, start=1)]
        if problems:
            raise ValidationError(problems)
        return rows

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether other rows were typed than there were; what cannot be read is a change."""
        try:
            return json.dumps(self.clean(data)) != json.dumps(initial or [])
        except ValidationError:
            return True

    def _row(
        self, number: int, line: Mapping[str, Any], problems: list[ValidationError]
    ) -> dict[str, Any]:
        row = {}
        for column, field in self.columns.items():
            try:
                value = field.clean(line[column])
            except ValidationError as problem:
                words = {
                    "row": number,
                    "column": field.label,
                    "problem": " ".join(problem.messages),
                }
                problems.append(
                    ValidationError(_("Row %(row)s, %(column)s: %(problem)s"), params=words)
                )
            else:
                if value not in field.empty_values:
                    row[column] = value
        return row
