"""What each page of the site says, in the language in force: records that the template lays out and the script reads."""

import json
import math
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from typing import Any

from markupsafe import Markup

from chipweir.i18n import _, composed, language
from chipweir.report import (
    GRAPH_CONFIG,
    HEADLINES,
    KINDS,
    SCENARIO_STORIES,
    THEMES,
    Control,
    _chips,
    _numbers,
    controls,
    credibility_record,
    label,
    lever_text,
    lever_title,
    limits_section,
    template,
    value_text,
    within,
)
from chipweir.site._emulate import Accuracy
from chipweir.site._grid import MOST_TOGETHER, START, Grid


FIRST_YEAR_SHOWN = 2030
_FILES = {
    "play": "index.html",
    "chips": "chips.html",
    "rules": "rules.html",
    "facts": "facts.html",
    "believe": "believe.html",
}
_RELATIVE = ("count", "usd", "flop")


def written(value: float | str) -> str:
    """A setting's value as addresses and data name it."""
    return value if isinstance(value, str) else f"{value:g}"


def pages(
    grid: Grid, measured: Mapping[str, Accuracy], verdicts: list[dict[str, Any]], day: date
) -> Iterator[dict[str, Any]]:
    """The records of all pages in the language in force."""
    import chipweir

    titles = _titles()
    shared = {
        "lang": language(),
        "other": "en" if language() == "ko" else "ko",
        "other_name": "English" if language() == "ko" else "한국어",
        "version": chipweir.__version__,
        "pages": [{"kind": kind, "file": file, "name": titles[kind][0]} for kind, file in _FILES.items()],
        "made": _("Chipweir {version}, built on {day}.", version=chipweir.__version__, day=_numbers.day(day)),
        "words": _words(),
    }
    own: dict[str, dict[str, Any]] = {
        "play": _play(grid, measured),
        "chips": {
            "lead": _(
                "Numbers as their sources give them; a question mark is a rumour. Point at one to see who says so."
            )
        },
        "rules": {
            "lead": _(
                "US law on a sale by the maker to a recipient headquartered at the destination. Press an answer to see "
                "how it changed and on which rules it rests. Not legal advice."
            )
        },
        "facts": {
            "lead": _("Values stand as their sources give them; where sources disagree, all are kept (see Conflicts)."),
            "kinds": [_(text) for text in KINDS.values()],
        },
        "believe": {"sections": _believe(grid, measured, verdicts)},
    }
    for kind, file in _FILES.items():
        read = {"kind": kind, "lang": language(), "words": _words(), **own[kind].pop("read", {})}
        if kind == "chips":
            read["specs"] = [_(text) for text in _chips.SPECS.values()]
        yield {
            **shared,
            **own[kind],
            "kind": kind,
            "file": file,
            "title": titles[kind][1],
            "page_json": Markup(_json(read)),
        }


def _json(data: Any) -> str:
    """JSON that may stand inside a script element."""
    return json.dumps(data, ensure_ascii=False).replace("</", "<\\/").replace("<!--", "<\\u0021--")


def _titles() -> dict[str, tuple[str, str]]:
    """What each page is called in the list of pages, and at its top."""
    return {
        "play": (_("Contest"), _("What if? The contest over AI chips")),
        "chips": (_("Chips"), _("Chips")),
        "rules": (_("Rules"), _("What may be shipped where")),
        "facts": (_("Facts"), _("What is known, and who says so")),
        "believe": (_("How far to believe it"), _("How far to believe it")),
    }


def _play(grid: Grid, measured: Mapping[str, Accuracy]) -> dict[str, Any]:
    outcomes = [_outcome(key, measured[key]) for key in grid.outcomes]
    year = FIRST_YEAR_SHOWN if FIRST_YEAR_SHOWN in grid.years else grid.years[-1]
    names = {"members": _numbers.whole(grid.members), "seed": grid.seed}
    return {
        "lead": _(
            "Choose two scenarios, move levers, see what changes. Each lever alone was simulated; several at once are "
            "added up, and how far that can be wrong is shown. One H100e is the dense 8-bit throughput of one NVIDIA H100."
        ),
        "start": START,
        "years": grid.years,
        "outcomes": outcomes,
        "source": _(
            "Medians and 80 % intervals of {members} draws of all uncertain parameters (seed {seed}), the same draws in "
            "every scenario; at the end of the year, flows of December.",
            **names,
        ),
        "read": {
            "presets": [
                {"name": name, "label": label("scenario", name), "story": _(SCENARIO_STORIES[name])}
                for name in grid.plan.presets
            ],
            "levers": _levers(grid),
            "outcomes": outcomes,
            "years": list(grid.years),
            "acting": [each for each in grid.years if each >= int(START[:4])],
            "year": year,
            "members": grid.members,
            "most_together": MOST_TOGETHER,
            "templates": {theme: template(theme) for theme in THEMES},
            "graph": GRAPH_CONFIG,
        },
    }


def _outcome(key: str, found: Accuracy) -> dict[str, Any]:
    quantity = HEADLINES[key]
    unit = "" if quantity.kind in ("share", "ratio", "flop") else quantity.unit()
    return {
        "key": key,
        "label": quantity.text(),
        "unit": unit,
        "kind": quantity.kind,
        "scale": {"name": found.scale.name, "floor": found.scale.floor},
        "error": f"{_error(found.typical, quantity.kind)} / {_error(found.most, quantity.kind)}",
    }


def _error(size: float, kind: str) -> str:
    """An error of the emulator: per cent of the value, points of a share, or the outcome's unit."""
    if not math.isfinite(size):
        return _numbers.MISSING
    if kind in _RELATIVE:
        return "± " + _numbers.share(size)
    return "± " + _numbers.signed(size, kind, 1).lstrip("+")


@cache
def _controls() -> Mapping[str, Control]:
    return {control.name: control for control in controls()}


def _levers(grid: Grid) -> list[dict[str, Any]]:
    """Levers in the order of the plan, each with its values in words."""
    found: dict[str, dict[str, Any]] = {}
    for name, value in grid.plan.settings:
        control = _controls()[name]
        own = found.setdefault(
            name, {"name": name, "title": lever_title(control), "text": lever_text(control), "options": []}
        )
        own["options"].append({"value": written(value), "text": _value(control, value)})
    return list(found.values())


def _value(control: Control, value: float | str) -> str:
    text = value_text(control, value)
    return f"{text} ×" if control.lever.unit.startswith("x ") else text


def _believe(grid: Grid, measured: Mapping[str, Accuracy], verdicts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    limits = limits_section()
    return [
        _emulator(grid, measured),
        _published(grid, verdicts),
        {"title": limits["title"], "texts": [], "entries": limits["entries"]},
    ]


def _emulator(grid: Grid, measured: Mapping[str, Accuracy]) -> dict[str, Any]:
    text = _(
        "Every lever of the page was simulated alone under each of {presets} presets. Several at once are added up within "
        "each draw on the scale that fits best. {cases} random combinations of two to four levers, on which the scale was "
        "not chosen, were simulated as well: half and nine in ten of the medians of 2027 to 2032 lie within these errors. "
        "Levers that act on the same thing (all chips allowed, and enforcement) add up worst.",
        presets=len(grid.plan.presets),
        cases=next(iter(measured.values())).cases,
    )
    rows = []
    for key, found in measured.items():
        quantity = HEADLINES[key]
        errors = (_error(found.typical, quantity.kind), _error(found.most, quantity.kind))
        rows.append([quantity.text(), _scale(found.scale.name), *errors, _numbers.share(found.right_way)])
    head = [_("Quantity"), _("added on the scale"), _("half within"), _("nine in ten within"), _("direction right")]
    return {"title": _("Several levers at once"), "texts": [text], "head": head, "rows": rows}


def _published(grid: Grid, verdicts: list[dict[str, Any]]) -> dict[str, Any]:
    rows = [credibility_record(row) for row in verdicts]
    judged = [row for row in verdicts if not row["echo"] and not row["bound"]]
    text = _(
        "{inside} of {count} published figures that are neither bounds nor inputs of the model lie within its own 80 % "
        "intervals (errors of the sources left out), drawn from: {beliefs}. All are shown, whether or not they fit.",
        inside=sum(within(row) for row in judged),
        count=len(judged),
        beliefs=composed(grid.beliefs),
    )
    head = list(rows[0]) if rows else []
    return {
        "title": _("Published figures"),
        "texts": [text],
        "head": head,
        "rows": [list(row.values()) for row in rows],
    }


def _scale(name: str) -> str:
    return {"linear": _("as it is"), "log": _("of factors"), "logit": _("of odds")}[name]


def _words() -> dict[str, str]:
    """What the pages' script says."""
    return {
        "as_preset": _("as the preset has it"),
        "scenario_a": "A",
        "scenario_b": "B",
        "dash": "~" if language() == "ko" else " – ",
        "points": _("{value} pp"),
        "same": _("no difference"),
        "certain": _("above 99 %"),
        "higher": _("{what}: {change} under B (80 %: {low} to {high}; P higher {chance})"),
        "lower": _("{what}: {change} under B (80 %: {low} to {high}; P lower {chance})"),
        "open": _("The sign is open (neither way reaches 90 %): {what}"),
        "nothing": _("A and B do not differ in any of these numbers."),
        "emulated": _(
            "Several levers are moved: their effects, each simulated alone, are added up. The last column says by how much "
            "medians were off in simulated combinations."
        ),
        "beyond": _(
            "More levers are moved than were ever checked together; take these sums as a hint, and simulate them with "
            "chipweir run."
        ),
        "loading": _("loading …"),
        "unread": _("The data of {name} could not be read; is the folder whole?"),
        "ready": _("{members} draws"),
        "more": _("Show more"),
        "found": _("{count} found, {shown} shown"),
        "chips_shown": _("{count} chips"),
        "chip": _("Chip"),
        "maker": _("Maker"),
        "released": _("Released"),
        "status": _("Status"),
        "id": _("Id"),
        "what": _("What"),
        "value": _("Value"),
        "when": _("When"),
        "source": _("Source"),
        "trust": _("Class, confidence"),
        "practice": _("in practice: {what}"),
        "import_stance": _("importing government: {what}"),
        "unverified": _("The sources end on {day}; what changed later is not known."),
    }
