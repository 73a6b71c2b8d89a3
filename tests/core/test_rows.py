"""Rows of one column, typed as a table."""

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import translation

from mobility.core.rows import SPARE, RowsField

DAYS = ((1, "Monday"), (2, "Tuesday"))


@pytest.fixture
def prices():
    return RowsField(
        {
            "cents": forms.IntegerField(label="cents", min_value=1),
            "until": forms.IntegerField(label="until", required=False),
            "days": forms.TypedMultipleChoiceField(
                label="only on",
                choices=DAYS,
                coerce=int,
                required=False,
                widget=forms.CheckboxSelectMultiple,
            ),
        },
        label="prices",
    )


def sent(field, **values):
    """What the field makes of a form that was sent with these values."""
    data = QueryDict(mutable=True)
    for name, value in values.items():
        data.setlist(f"prices-{name}", value if isinstance(value, list) else [value])
    return field.widget.value_from_datadict(data, {}, "prices")


def test_lines_come_in_the_order_of_their_numbers_and_empty_ones_are_none(prices):
    typed = sent(
        prices,
        **{"10-cents": "3", "2-cents": "1", "2-days": ["1", "2"], "5-cents": "", "x-cents": "9"},
    )
    assert prices.clean(typed) == [{"cents": 1, "days": [1, 2]}, {"cents": 3}]


def test_however_many_rows_there_are_none_is_lost(prices):
    rows = [{"cents": cents} for cents in range(1, 201)]
    shown = prices.widget.get_context("prices", rows, {})["widget"]["lines"]
    assert len(shown) == len(rows) + SPARE
    typed = sent(prices, **{f"{at}-cents": str(row["cents"]) for at, row in enumerate(rows)})
    assert prices.clean(typed) == rows


def test_what_is_wrong_is_named_by_line_and_column(prices):
    with translation.override("en"), pytest.raises(ValidationError) as wrong:
        prices.clean(sent(prices, **{"0-cents": "1", "1-cents": "0", "1-until": "soon"}))
    with translation.override("en"):
        messages = wrong.value.messages
    assert [message.split(":")[0] for message in messages] == [
        "Row 2, cents",
        "Row 2, until",
    ]


def test_rows_nobody_touched_have_not_changed(prices):
    # As the database gives them back: keys in another order, empty ones in it.
    kept = [{"until": None, "cents": 1, "days": [2]}, {"cents": 3, "days": []}]
    typed = sent(prices, **{"0-cents": "1", "0-days": ["2"], "1-cents": "3"})
    assert not prices.has_changed(kept, typed)
    assert prices.has_changed(kept, typed[:1])
    assert prices.has_changed([], sent(prices, **{"0-cents": "dear"}))


@pytest.mark.parametrize("kept", [None, "abc", {"cents": 1}, ["abc", None]])
def test_what_is_no_list_of_rows_is_shown_as_none(prices, kept):
    assert len(prices.widget.get_context("prices", kept, {})["widget"]["lines"]) == SPARE


def test_boxes_keep_their_own_names_in_a_named_group(prices):
    page = prices.widget.render("prices", [{"cents": 1}], {})
    assert 'role="group" aria-label="only on, 1"' in page
    assert page.count('aria-label="cents, 1"') == 1
    assert 'type="checkbox" name="prices-0-days" value="1" id="id_prices-0-days_0"' in page
