"""Currencies at dated rates that are themselves facts."""

from datetime import date
from typing import TYPE_CHECKING

from chipweir.errors import InputError, UnknownName
from chipweir.facts._period import period
from chipweir.facts._records import Value


if TYPE_CHECKING:
    from chipweir.facts._facts import Facts


_SAME = {"RMB": "CNY", "CNH": "CNY", "US$": "USD", "YUAN": "CNY", "WON": "KRW"}


def months_of(on: str | date) -> list[str]:
    """The months (`2025-08`) that a period covers: a date, month, quarter, half, year or span. Raises `InputError`."""
    return period(on).months


def rate(facts: "Facts", currency: str, on: str | date) -> float:
    """Units of `currency` for one US dollar in the month of `on`; the mean of the months where `on` covers several.

    Raises `UnknownName` for a currency without rates and `InputError` for a month outside those the facts cover.
    """
    code = _SAME.get(currency.strip().upper(), currency.strip().upper())
    if code == "USD":
        months_of(on)
        return 1.0
    known = facts.rates.get(code)
    if known is None:
        raise UnknownName("currency", currency, ["USD", *facts.rates])
    wanted = months_of(on)
    if missing := [month for month in wanted if month not in known]:
        raise InputError(f"no exchange rate USD/{code} for {missing[0]}; the facts cover {min(known)} to {max(known)}")
    return sum(known[month] for month in wanted) / len(wanted)


def convert(facts: "Facts", value: float | Value, start: str, target: str, on: str | date) -> float | Value:
    """`value` in currency `start` as `target`: a number as a number, a `Value` as a `Value` whose note says how."""
    scale = rate(facts, target, on) / rate(facts, start, on)
    if not isinstance(value, Value):
        return float(value) * scale
    numbers = {
        bound: None if (number := getattr(value, bound)) is None else number * scale
        for bound in ("low", "central", "high")
    }
    note = f"converted from {start} to {target} at {scale:.6g} ({on})"
    unit = value.unit.replace(_SAME.get(start, start), _SAME.get(target, target))
    return value.model_copy(update={**numbers, "unit": unit, "note": f"{value.note}; {note}" if value.note else note})
