"""Check digits of Italian tax numbers."""

import string

from hypothesis import given, settings
from hypothesis import strategies as st

from bookings.payments.documents.rules import (
    fault_of,
    is_italian_vat_number,
    is_tax_code,
    tax_code_check,
)

GIULIA = {
    "name": "Giulia Rossi", "tax_code": "RSSGLI85T50F205H", "vat_number": "",
    "address": "Corso Lodi 1", "postcode": "20135", "town": "Milano", "province": "MI",
    "country": "IT", "sdi_code": "", "pec": "",
}  # fmt: skip


def test_known_numbers_are_right():
    # The examples of the tax office's own leaflets, and of half of Italy's software.
    assert is_tax_code("RSSMRA85T10A562S")
    assert is_italian_vat_number("12345678903")
    assert is_italian_vat_number("IT12345678903")
    assert is_tax_code("12345678903"), "companies use their VAT number as tax code"


def test_things_that_look_like_numbers_are_not():
    for wrong in (
        "",
        "00000000000",
        "1234567890",
        "123456789012",
        "IT1234567890A",
        "１２３４５６７８９０３",
    ):
        assert not is_italian_vat_number(wrong)
    for wrong in ("", "RSSMRA85T10A562", "RSSMRA85T10A562s", "RSSMRA85X10A562S", "IT12345678903"):
        assert not is_tax_code(wrong)


@settings(max_examples=60)
@given(st.text(string.digits, min_size=10, max_size=10).filter(lambda text: int(text) > 0))
def test_ten_digits_have_exactly_one_check_digit(first):
    assert sum(is_italian_vat_number(first + last) for last in string.digits) == 1


@settings(max_examples=60)
@given(
    st.from_regex(
        r"[A-Z]{6}[0-9LMNPQRSTUV]{2}[ABCDEHLMPRST][0-7][0-9][A-Z][0-9]{3}", fullmatch=True
    )
)
def test_fifteen_signs_have_exactly_one_check_letter(first):
    right = [last for last in string.ascii_uppercase if is_tax_code(first + last)]
    assert right == [tax_code_check(first)]


@settings(max_examples=60)
@given(st.integers(0, 10), st.integers(1, 9))
def test_one_wrong_digit_is_always_noticed(place, shift):
    digits = [int(digit) for digit in "12345678903"]
    digits[place] = (digits[place] + shift) % 10
    assert not is_italian_vat_number("".join(map(str, digits)))


def test_every_fault_is_named_at_once():
    right = GIULIA | {"tax_code": "RSSMRA85T10A562S"}
    assert fault_of(right) == {}
    wrong = right | {
        "name": " ", "tax_code": "RSSMRA85T10A562A", "vat_number": "12345678901",
        "postcode": "2013", "province": "", "sdi_code": "ABC",
    }  # fmt: skip
    assert set(fault_of(wrong)) == {
        "name", "tax_code", "vat_number", "postcode", "province", "sdi_code",
    }  # fmt: skip
    assert set(fault_of(right | {"tax_code": ""})) == {"tax_code"}


def test_foreigners_have_other_numbers():
    hans = GIULIA | {"country": "DE", "tax_code": "", "vat_number": "DE136695976", "province": ""}
    assert fault_of(hans) == {}
    assert set(fault_of(hans | {"vat_number": "IT12345678903"})) == {"vat_number"}
