"""A list of rows that lives in one column of JSON, filled in as a table instead of typed as text."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string
from django.utils.text import capfirst, format_lazy
from django.utils.translation import gettext_lazy as _

# Empty lines below those that are filled in.
SPARE = 2


class RowsWidget(forms.Widget):
    """A line of inputs for each row, `name-0-column`, and as many empty ones as may be added at once."""

    template_name = "widgets/rows.html"

    def __init__(self, columns: Mapping[str, forms.Field]) -> None:
        super().__init__()
        self.columns = columns

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """The heads of the columns and the lines, for the template."""
        context = super().get_context(name, value, attrs)
        rows = [*_readable(value), *({} for _line in range(SPARE))]
        context["widget"] |= {
            "heads": [field.label for field in self.columns.values()],
            "lines": [self._line(name, number, row) for number, row in enumerate(rows)],
        }
        return context

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[dict[str, Any]]:
        """The lines as they were typed, without those in which nothing is."""
        sent = re.compile(rf"{re.escape(name)}-(\d{{1,6}})-")
        numbers = {int(found[1]) for key in data if (found := sent.match(key))}
        lines = []
        for number in sorted(numbers):
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
        """The cells of a line: an input each, or a group of boxes, which have labels of their own."""
        cells = []
        for column, field in self.columns.items():
            called = format_lazy("{}, {}", field.label or "", number + 1)
            group = called if isinstance(field.widget, forms.RadioSelect) else ""
            attrs: dict[str, Any] = {"id": f"id_{name}-{number}-{column}"}
            if not group:
                attrs["aria-label"] = called
            context = field.widget.get_context(f"{name}-{number}-{column}", row.get(column), attrs)
            cells.append({"widget": context["widget"], "group": group})
        return cells


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
            return self.clean(data) != [self._filled(row) for row in _readable(initial)]
        except ValidationError:
            return True

    def shown(self, rows: Any) -> str:
        """The rows as a table to read."""
        heads = [field.label for field in self.columns.values()]
        lines = [
            [_told(field, row.get(name)) for name, field in self.columns.items()]
            for row in _readable(rows)
        ]
        return render_to_string("widgets/rows_told.html", {"heads": heads, "lines": lines})

    def _filled(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: value
            for name, value in row.items()
            if name not in self.columns or value not in self.columns[name].empty_values
        }

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


def _told(field: forms.Field, value: Any) -> str:
    """A value in words, where it is a choice."""
    choices: Any = getattr(field, "choices", ())
    words = dict(choices)
    values = value if isinstance(value, list) else [value]
    return ", ".join(str(words.get(one, one)) for one in values if one not in field.empty_values)


def _readable(value: Any) -> list[Mapping[str, Any]]:
    """The rows of what a column holds; what is none cannot be shown, and is left out."""
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
