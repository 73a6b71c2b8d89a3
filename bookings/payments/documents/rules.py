"""Italian tax numbers and addresses of invoices: check digits and shapes, no database, no clock."""

import re
from collections.abc import Mapping

from django.utils.translation import gettext as _

# Values of the odd places of a codice fiscale (D.M. 23/12/1976); the even places count 0…25, 0…9.
_ODD = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (
            1, 0, 5, 7, 9, 13, 15, 17, 19, 21,
            1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25,
            24, 23,
        ),
        strict=True,
    )
)  # fmt: skip
# Namesakes born on one day in one town get letters in place of digits ("omocodia").
_PERSON = re.compile(
    r"[A-Z]{6}[0-9LMNPQRSTUV]{2}[ABCDEHLMPRST][0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{3}[A-Z]"
)
_ITALIAN_VAT = re.compile(r"(?:IT)?([0-9]{11})")
_FOREIGN_VAT = re.compile(r"(?!IT)[A-Z]{2}[0-9A-Z]{2,12}")
_SDI = re.compile(r"[0-9A-Z]{7}")
_POSTCODE = re.compile(r"[0-9]{5}")
_PROVINCE = re.compile(r"[A-Z]{2}")
_NEEDED = ("name", "address", "postcode", "town", "country")


def is_italian_vat_number(value: str) -> bool:
    """Whether eleven digits, with or without IT, carry the right check digit (Luhn)."""
    match = _ITALIAN_VAT.fullmatch(value)
    if match is None or set(match[1]) == {"0"}:
        return False
    digits = [int(digit) for digit in match[1]]
    doubled = (digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[1:10:2])
    return (sum(digits[0:10:2]) + sum(doubled) + digits[10]) % 10 == 0


def is_tax_code(value: str) -> bool:
    """Whether a codice fiscale is well made: sixteen signs for people, eleven digits for others."""
    if len(value) == 11:
        return not value.startswith("IT") and is_italian_vat_number(value)
    if not _PERSON.fullmatch(value):
        return False
    return tax_code_check(value[:15]) == value[15]


def tax_code_check(first: str) -> str:
    """The sixteenth sign of a codice fiscale, from its first fifteen."""
    odd = sum(_ODD[sign] for sign in first[0::2])
    even = sum(int(sign) if sign.isdigit() else ord(sign) - ord("A") for sign in first[1::2])
    return chr(ord("A") + (odd + even) % 26)


def fault_of(details: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with billing details, by field; empty if an invoice can be made out to them.

    Italian addresses need CAP and province; SDI code or PEC are for businesses, who may leave both
    out and find the invoice in their tax drawer (code 0000000).
    """
    given = {name: value.strip() for name, value in details.items()}
    faults = {name: _("This is needed.") for name in _NEEDED if not given.get(name)}
    italian = given.get("country") == "IT"
    faults |= _tax_faults(given.get("tax_code", ""), given.get("vat_number", ""), italian=italian)
    if italian and given.get("postcode") and not _POSTCODE.fullmatch(given["postcode"]):
        faults["postcode"] = _("An Italian postcode (CAP) has five digits.")
    if italian and not _PROVINCE.fullmatch(given.get("province", "")):
        faults["province"] = _("Two letters, such as MI.")
    if given.get("sdi_code") and not _SDI.fullmatch(given["sdi_code"]):
        faults["sdi_code"] = _("The SDI code has seven letters or digits.")
    return faults


def _tax_faults(tax_code: str, vat_number: str, *, italian: bool) -> dict[str, str]:
    faults: dict[str, str] = {}
    if not tax_code and not vat_number:
        faults["tax_code"] = _("Please give a codice fiscale or a VAT number.")
    if tax_code and italian and not is_tax_code(tax_code):
        faults["tax_code"] = _("This codice fiscale is not right; its check letter disagrees.")
    known = is_italian_vat_number if italian else _FOREIGN_VAT.fullmatch
    if vat_number and not known(vat_number):
        faults["vat_number"] = _("This VAT number is not right; its check digit disagrees.")
    return faults
