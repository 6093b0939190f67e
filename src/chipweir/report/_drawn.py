"""The numbers that a chart draws, as a table to take away: what stands in the picture and nothing else."""

import base64
import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from chipweir.i18n import _
from chipweir.report.figures._build import FOLD


Row = dict[str, object]
_TAG = re.compile(r"<[^>]+>")


def drawn_rows(spec: Mapping[str, Any]) -> list[Row]:
    """One row a point: `series`, `x`, `y` and, where a band is drawn, `low` and `high`; a flow has `from`, `to`, `value`.

    Numbers are in the unit under the chart's title (millions stay millions), dates are first days of months.
    """
    rows: list[Row] = []
    bands: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for trace in spec["data"]:
        name = str(trace.get("name") or trace.get("legendgroup", ""))  # bands and bars belong to a line
        if trace["type"] == "sankey":
            rows += _flows(trace)
        elif trace["type"] == "heatmap":
            rows += _cells(trace)
        elif trace.get("fill") == "toself" and trace.get("hoverinfo") == "skip":
            high, low = np.split(numbers(trace["y"]), 2)
            bands.setdefault(name, (low[::-1], high))  # the widest comes first
        elif "error_y" in trace and trace.get("hoverinfo") == "skip":
            _end(rows, name, trace)
        elif "x" in trace and "y" in trace:
            rows += _points(trace, name, bands.get(name))
    return rows


def drawn_csv(spec: Mapping[str, Any]) -> str:
    """`drawn_rows` as CSV, under lines that say what it is, in which unit, and who made it."""
    title = spec["layout"]["title"]
    heads = [title["text"], title.get("subtitle", {}).get("text", ""), source_of(spec)]
    rows = drawn_rows(spec)
    columns = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    for line in heads:
        out.write(f"# {_TAG.sub(' ', line.replace(FOLD, ' '))}\n")
    writer = csv.DictWriter(out, columns, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def source_of(spec: Mapping[str, Any]) -> str:
    """The line under a chart that says what is drawn and who made it, as plain text."""
    notes = [
        note["text"].replace(FOLD, " ") for note in spec["layout"].get("annotations", ()) if "Chipweir" in note["text"]
    ]
    return " · ".join(_TAG.sub("", part) for note in notes for part in note.split("<br>"))


def numbers(values: Mapping[str, str] | Sequence[Any]) -> np.ndarray:
    """A trace's numbers, packed or plain; what is not there is missing."""
    if isinstance(values, Mapping):
        return np.frombuffer(base64.b64decode(values["bdata"]), dtype="<f4").astype(float)
    return np.array([np.nan if value is None else value for value in values], dtype=float)


def _points(trace: Mapping[str, Any], name: str, band: tuple[np.ndarray, np.ndarray] | None) -> Iterator[Row]:
    across = trace.get("orientation") == "h"
    where, sizes = (trace["y"], trace["x"]) if across else (trace["x"], trace["y"])
    try:
        values: Sequence[object] = [_short(value) for value in numbers(sizes)]
    except ValueError:  # places on two axes of words
        values = list(sizes)
    places = [_short(value) for value in numbers(where)] if isinstance(where, Mapping) else list(where)
    for i, (place, value) in enumerate(zip(places, values, strict=True)):
        row: Row = {_("series"): name, "x": place, "y": value}
        if band is not None and len(band[0]) == len(places):
            row |= {"low": _short(band[0][i]), "high": _short(band[1][i])}
        yield row


def _end(rows: list[Row], name: str, trace: Mapping[str, Any]) -> None:
    """The bar at the end of a line without a band belongs to its last point."""
    own = [row for row in rows if row.get(_("series")) == name]
    middle, error = float(numbers(trace["y"])[0]), trace["error_y"]
    if own and "low" not in own[-1]:
        own[-1] |= {"low": _short(middle - error["arrayminus"][0]), "high": _short(middle + error["array"][0])}


def _flows(trace: Mapping[str, Any]) -> Iterator[Row]:
    names = [str(text).rpartition("  ")[0] for text in trace["node"]["customdata"]]
    link = trace["link"]
    for start, end, value in zip(link["source"], link["target"], link["value"], strict=True):
        yield {_("from"): names[start], _("to"): names[end], _("value"): _short(value)}


def _cells(trace: Mapping[str, Any]) -> Iterator[Row]:
    for name, values in zip(trace["y"], trace["z"], strict=True):
        for place, value in zip(trace["x"], values, strict=True):
            yield {_("series"): name, "x": place, "y": "" if value is None else _short(value)}


def _short(value: float) -> float | str:
    """Seven digits, as many as a picture's single precision holds; nothing where a number is missing."""
    return float(f"{value:.7g}") if np.isfinite(value) else ""
