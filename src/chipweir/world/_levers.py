"""Levers: what a scenario may change. `levers.csv` is the only list of them; ranges, docs and schema come from it."""

import csv
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources

from chipweir.errors import InputError, UnknownName


LAW = "law"
"""The value of a lever that is left to the rules in force on each date."""

PRODUCT_CLASSES = ("h20-class", "h200-class", "blackwell-class", "rubin-class", "all")

_CONTROL_LINE_TPP = 4_800.0  # ECCN 3A090.a, 88 FR 73458 (2023-10-25)
_REVIEW_LINE_TPP, _REVIEW_LINE_BANDWIDTH = 21_000.0, 6_500.0  # 91 FR 1684 (2026-01-15), GB/s
_RUBIN_LINE_TPP = 100_000.0  # own line between the generations of 2024-25 (at most 60,000) and 2026 (140,000 and more)
_ENGLISH_HEAD = ("lever", "name", "unit", "range", "default", "what it does")
_MONTH = re.compile(r"\d{4}-\d{2}(-\d{2})?")


_ANSWERS = {"yes": 1.0, "no": 0.0, "on": 1.0, "off": 0.0}


@dataclass(frozen=True)
class Lever:
    """One lever. `minimum` and `maximum` bound its number; `choices` map names to the codes that arrays carry."""

    name: str
    title: str
    actor: str
    group: str
    unit: str
    kind: str
    by_product: bool
    choices: dict[str, float]
    minimum: float
    maximum: float
    default: float | str
    description: str
    korean_name: str
    korean_description: str

    def value(self, given: object, where: str) -> float | str:
        """`given` as this lever holds it: a number within its range, a choice's name, or "law".

        Raises `InputError` naming `where` for anything else.
        """
        if given == LAW and self.default == LAW:
            return LAW
        if self.kind == "choice":
            if isinstance(given, str) and given in self.choices:
                return given
            raise InputError(f"{where}: '{given}' is none of {', '.join(self._words())}")
        if self.kind == "bool" and isinstance(given, bool | str):
            given = _ANSWERS.get(given, given) if isinstance(given, str) else float(given)
        if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given):
            raise InputError(f"{where}: '{given}' is not {self._expected()}")
        if not self.minimum <= given <= self.maximum or (self.kind == "bool" and given not in (0, 1)):
            raise InputError(f"{where}: {given:g} is out of range; give {self._expected()}")
        return float(given)

    def code(self, value: float | str) -> float:
        """The number that stands for `value` in an array; NaN for "law"."""
        if value == LAW:
            return math.nan
        return self.choices[value] if isinstance(value, str) else value

    def extremes(self) -> tuple[float | str, float | str]:
        """The lever's two ends: its range, or its first and last choice."""
        if self.kind == "choice":
            names = list(self.choices)
            return names[0], names[-1]
        return self.minimum, self.maximum

    @property
    def range(self) -> str:
        """What the lever may be set to, as text."""
        return ", ".join(self.choices) if self.kind == "choice" else f"{self.minimum:.10g} to {self.maximum:.10g}"

    def _words(self) -> list[str]:
        return [*self.choices, *([LAW] if self.default == LAW else [])]

    def _expected(self) -> str:
        law = ", or 'law'" if self.default == LAW else ""
        if self.kind == "bool":
            return f"true or false (1 or 0){law}"
        return f"a number from {self.minimum:.10g} to {self.maximum:.10g} ({self.unit}){law}"


@cache
def levers() -> dict[str, Lever]:
    """Every lever by name, in the order of the table."""
    text = (resources.files("chipweir.world") / "levers.csv").read_text(encoding="utf-8")
    return {row["name"]: _lever(row) for row in csv.DictReader(text.splitlines())}


def find_lever(name: str) -> tuple[Lever, str]:
    """The lever that the dotted `name` speaks of and the product it is set for ("" for a lever not set by product).

    `us.quota.h20-class` is lever `us.quota` for `h20-class`; a bare `us.quota` is for `all`. Raises `UnknownName`.
    """
    table = levers()
    if name in table:
        return table[name], "all" if table[name].by_product else ""
    for lever in table.values():
        if lever.by_product and name.startswith(f"{lever.name}."):
            return lever, name.removeprefix(f"{lever.name}.")
    raise UnknownName("lever", name, _setting_names())


@cache
def product_ids() -> tuple[str, ...]:
    """The products of the model, which settings by product may name."""
    text = (resources.files("chipweir.world") / "data" / "products.csv").read_text(encoding="utf-8")
    return tuple(row["product"] for row in csv.DictReader(text.splitlines()))


def setting_name(lever: Lever, product: str) -> str:
    """The one dotted name of a setting: `us.quota.h20-class`, `us.enforcement`."""
    return f"{lever.name}.{product}" if lever.by_product else lever.name


def control_class(tpp: float, bandwidth_gbs: float) -> str:
    """The class of a chip by the lines of the US rules: total processing performance and memory bandwidth in GB/s.

    Below ECCN 3A090.a: `h20-class`. Inside the zone of the January 2026 review policy (91 FR 1684): `h200-class`.
    Beyond it: `blackwell-class`, and from 100,000 TPP (our own line) `rubin-class`.
    """
    if tpp < _CONTROL_LINE_TPP:
        return "h20-class"
    if tpp < _REVIEW_LINE_TPP and bandwidth_gbs < _REVIEW_LINE_BANDWIDTH:
        return "h200-class"
    return "blackwell-class" if tpp < _RUBIN_LINE_TPP else "rubin-class"


def parse_month(given: object, where: str) -> str:
    """`given` as "YYYY-MM"; a day is dropped, since the model steps by month. Raises `InputError`."""
    text = str(given)
    if not _MONTH.fullmatch(text) or not 1 <= int(text[5:7]) <= 12:
        raise InputError(f"{where}: '{text}' is not a month such as 2026-12")
    return text[:7]


def is_month(given: object) -> bool:
    """Whether `given` looks like a date, so that a mapping with such keys is a dated series."""
    return bool(re.match(r"\d{4}(-\d|$)", str(given)))


def lever_table(language: str = "en") -> str:
    """The table of levers in Markdown, as the documentation prints it."""
    korean = language == "ko"
    head = ("레버", "이름", "단위", "범위", "기본값", "설명") if korean else _ENGLISH_HEAD
    rows = [head, tuple("---" for _ in head)]
    for lever in levers().values():
        title, description = (
            (lever.korean_name, lever.korean_description) if korean else (lever.title, lever.description)
        )
        name = f"`{lever.name}`" + (" (by product)" if lever.by_product and not korean else "")
        rows.append((name, title, lever.unit, lever.range, str(lever.default), description))
    return "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"


def _setting_names() -> Iterable[str]:
    for lever in levers().values():
        yield lever.name
        if lever.by_product:
            yield from (f"{lever.name}.{product}" for product in PRODUCT_CLASSES)


def _lever(row: dict[str, str]) -> Lever:
    choices = {name: float(code) for name, code in (pair.split("=") for pair in row["choices"].split("|") if pair)}
    codes = list(choices.values()) or [math.nan]
    return Lever(
        name=row["name"],
        title=row["title"],
        actor=row["actor"],
        group=row["group"],
        unit=row["unit"],
        kind=row["kind"],
        by_product=row["keys"] == "product",
        choices=choices,
        minimum=float(row["minimum"]) if row["minimum"] else min(codes),
        maximum=float(row["maximum"]) if row["maximum"] else max(codes),
        default=row["default"] if row["default"] == LAW else float(row["default"]),
        description=row["description"],
        korean_name=row["korean_name"],
        korean_description=row["korean_description"],
    )
