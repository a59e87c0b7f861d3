"""Numbers as they are hashed: one spelling per value."""

from __future__ import annotations


def shortest(value: int | float) -> int | float:
    """30.0 becomes 30 and -0.0 becomes 0; what is not whole stays as it is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def number_text(value: int | float) -> str:
    """The number as RFC 8785 prints it: the shortest digits that read back the same.

    ``value`` is finite and at most 2**53 in size, so ECMAScript's 1e+21 does not arise.
    """
    if isinstance(value, int):
        return str(value)
    if value.is_integer():
        return str(int(value))
    text = repr(value)
    if "e" not in text:
        return text
    # Python writes exponents below 1e-4, ECMAScript below 1e-6.
    digits, power = text.split("e")
    if int(power) < -6:
        return f"{digits}e{int(power)}"
    sign = "-" if digits[0] == "-" else ""
    return f"{sign}0.{'0' * (-int(power) - 1)}{digits.lstrip('-').replace('.', '')}"
