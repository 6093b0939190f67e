"""Classification of many chips at once: the same tests as `classify`, on arrays."""

from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from chipweir.errors import InputError
from chipweir.rules._book import Book, Paragraph, shipped
from chipweir.rules._classify import possible_classes
from chipweir.rules._numbers import exact
from chipweir.rules._when import Test
from chipweir.rules._words import day as read_day


NOT_CONTROLLED, B, A, UNDETERMINED = 0, 1, 2, -1
CLASS_NAMES = {NOT_CONTROLLED: "not_3A090", B: "3A090.b", A: "3A090.a", UNDETERMINED: "undetermined"}
_CLOSE = 1e-9
Floats = npt.NDArray[np.float64]
_COMPARE = {">=": np.greater_equal, ">": np.greater, "<=": np.less_equal, "<": np.less}


def classify_many(
    tpp: npt.ArrayLike,
    die_mm2: npt.ArrayLike | None = None,
    dc: npt.ArrayLike = True,
    *,
    pd: npt.ArrayLike | None = None,
    io_gbps: npt.ArrayLike | None = None,
    on: date | str,
    rules: Book | None = None,
) -> npt.NDArray[np.int8]:
    """The classes of packaged ICs on one day: 0 not 3A090, 1 3A090.b, 2 3A090.a, -1 undetermined.

    Inputs broadcast against each other; NaN is an unknown number. `die_mm2` is the applicable area in mm2, `pd` the
    performance density instead of it, `io_gbps` the aggregate bidirectional rate of the 2022 rule. A quotient that lies
    within 1e-9 of a threshold is compared exactly. Raises `InputError` for negative numbers.
    """
    book = rules or shipped()
    day = read_day(on, "on")
    arrays = _inputs(tpp, die_mm2, dc, pd, io_gbps)
    shape = arrays["tpp"].shape
    flat = {name: values.ravel() for name, values in arrays.items()}
    if "pd" not in flat:
        with np.errstate(divide="ignore", invalid="ignore"):
            density = flat["tpp"] / flat["area"]
        flat["pd"] = np.where(flat["area"] > 0, density, np.nan)
    paragraphs = [paragraph for paragraph in book.current_paragraphs(day) if paragraph.paragraph in ("a", "b")]
    result = np.zeros(flat["tpp"].shape, np.int8)
    doubtful = np.zeros(flat["tpp"].shape, bool)
    near = np.zeros(flat["tpp"].shape, bool)
    settled = np.zeros(flat["tpp"].shape, bool)
    for paragraph in paragraphs:
        yes, maybe = _meets(paragraph, flat, near)
        code = A if paragraph.paragraph == "a" else B
        result[yes & ~settled] = code
        doubtful |= maybe & ~settled
        settled |= yes
    result[doubtful] = UNDETERMINED
    _settle_exactly(result, np.flatnonzero(near), flat, tuple(paragraphs))
    return result.reshape(shape)


def _inputs(*given: Any) -> dict[str, npt.NDArray[Any]]:
    names = ("tpp", "area", "data_centre", "pd", "io_gbps")
    values: dict[str, npt.NDArray[Any]] = {}
    for name, value in zip(names, given, strict=True):
        if value is None and name == "pd":
            continue
        array = np.asarray(np.nan if value is None else value, dtype=bool if name == "data_centre" else float)
        if name != "data_centre" and np.any(array < 0):
            raise InputError(f"{name}: negative numbers are not possible")
        values[name] = array
    try:
        shapes = np.broadcast_arrays(*values.values())
    except ValueError:
        raise InputError("classify_many: the arrays do not have shapes that go together") from None
    found = dict(zip(values, shapes, strict=True))
    if "pd" in found:
        del found["area"]
    return found


def _meets(paragraph: Paragraph, flat: dict[str, Any], near: npt.NDArray[np.bool_]) -> tuple[Any, Any]:
    """Where the paragraph is met, and where it may be for want of a number."""
    yes = np.zeros(near.shape, bool)
    maybe = np.zeros(near.shape, bool)
    for way in paragraph.any_of:
        one, open_ = _all(way.tests, flat, near)
        yes |= one
        maybe |= open_
    maybe &= ~yes
    if paragraph.unless is not None:
        out, unsure = _all(paragraph.unless.tests, flat, near)
        maybe = (maybe & ~out) | (yes & unsure)
        yes &= ~out & ~unsure
    return yes, maybe


def _all(tests: tuple[Test, ...], flat: dict[str, Any], near: npt.NDArray[np.bool_]) -> tuple[Any, Any]:
    no = np.zeros(near.shape, bool)
    unknown = np.zeros(near.shape, bool)
    for name, sign, literal in tests:
        if isinstance(literal, bool):
            no |= (flat[name] != literal) if sign == "==" else (flat[name] == literal)
            continue
        if not isinstance(literal, Fraction) or name not in flat:
            unknown |= True
            continue
        threshold = float(literal)
        values = flat[name]
        missing = np.isnan(values)
        unknown |= missing
        if name == "pd" and "area" in flat:  # a quotient: the only number that floating point may have rounded
            near |= np.abs(values - threshold) <= _CLOSE * max(abs(threshold), 1.0)
        no |= ~missing & ~_COMPARE[sign](values, threshold)
    return ~no & ~unknown, ~no & unknown


def _settle_exactly(
    result: npt.NDArray[np.int8], places: npt.NDArray[np.intp], flat: dict[str, Any], paragraphs: tuple[Paragraph, ...]
) -> None:
    """Numbers within rounding of a threshold are classified by the exact, scalar path."""
    names = [name for name in ("tpp", "area", "io_gbps", "data_centre") if name in flat]
    if not places.size:
        return
    rows = np.stack([flat[name][places].astype(float) for name in names])
    distinct, inverse = np.unique(rows, axis=1, return_inverse=True, equal_nan=True)
    codes = {"none": NOT_CONTROLLED, "b": B, "a": A}
    found = np.empty(distinct.shape[1], np.int8)
    for column in range(distinct.shape[1]):
        given = dict(zip(names, distinct[:, column].tolist(), strict=True))
        numbers: dict[str, Any] = {name: None if np.isnan(v) else exact(v, name) for name, v in given.items()}
        numbers["data_centre"] = bool(given["data_centre"])
        numbers["pd"] = numbers["tpp"] / numbers["area"]
        possible = possible_classes(paragraphs, "chip", numbers)
        found[column] = codes[next(iter(possible))] if len(possible) == 1 else UNDETERMINED
    result[places] = found[inverse.ravel()]
