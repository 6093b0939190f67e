"""Pages of advice, exploration and games, and the sections that a report takes from them."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chipweir.i18n import _, language
from chipweir.report import figures
from chipweir.report._sections import Page, Record


if TYPE_CHECKING:
    from chipweir.strategy import Advice, Exploration

Document = Mapping[str, Any]


def _said(text: Mapping[str, str]) -> str:
    return text.get(language()) or text["en"]


def advice_sections(page: Page, advice: "Advice", document: Document) -> None:
    """Add the answer in words, its figures and its tables to a page, in the language in force."""
    korea = document["actor"] == "korea"
    heading = _("Korea's options") if korea else _("Options")
    page.add(
        {
            "id": "advice",
            "kind": "list",
            "title": heading,
            "intro": _("Made from the numbers below; every sentence can be checked against them."),
            "entries": list(document["sentences"][language()]),
        }
    )
    page.add(
        {"id": "options", "kind": "table", "title": _("The options"), "intro": "", "tables": [_option_table(advice)]}
    )
    wanted: list[Record | None] = [
        page.draw("regret", lambda: figures.regret_heat.spec(document), wide=True),
        page.draw("shares", lambda: figures.shares_of_weights.spec(document), wide=True),
        page.draw("winners", lambda: figures.winners_of_weights.spec(document), wide=True),
        page.draw("parallel", lambda: figures.parallel.spec(document, advice.experiments.values), wide=True),
    ]
    words = _words(advice.experiments.columns)
    for number, duel in enumerate(document["duels"]):
        if duel["boxes"]:
            other = duel["first"] if duel["rarer"] == duel["second"] else duel["second"]
            title = _(
                "Where '{winner}' beats '{loser}'",
                winner=_title(document, duel["rarer"]),
                loser=_title(document, other),
            )
            wanted.append(
                page.draw(
                    f"duel-{number}",
                    lambda title=title, duel=duel: figures.box_limits.spec(  # type: ignore[misc]
                        title, duel["boxes"], advice.experiments.columns, words
                    ),
                    wide=True,
                )
            )
    page.add(
        {
            "id": "pictures",
            "kind": "figures",
            "title": _("What the options do"),
            "intro": "",
            "figures": [each for each in wanted if each],
            "missing": "",
        }
    )
    intro = _(
        "Each in its own unit: mean over all futures; mean of the worst tenth; share of futures that meet the threshold."
    )
    tables = criteria_tables(document)
    page.add({"id": "criteria", "kind": "table", "title": _("Criteria"), "intro": intro, "tables": tables})


def _title(document: Document, name: str) -> str:
    return _said(next(option["title"] for option in document["options"] if option["name"] == name))


def _words(columns: Mapping[str, Any]) -> dict[str, str]:
    from chipweir.strategy import describe

    return {name: _said(describe(name)[0]) for name in columns}


def _option_table(advice: "Advice") -> Record:
    rows = [
        [_said(option.title), _said(option.reason), option.proposed_by, "; ".join(option.sources)]
        for option in advice.experiments.options
    ]
    head = [_("Option"), _("Reasoning"), _("Who proposes it"), _("Sources")]
    return {"title": _("Bundles of levers"), "head": head, "rows": rows, "note": ""}


def criteria_tables(document: Document) -> list[Record]:
    from chipweir.strategy import number, percent

    options = document["options"]
    head = [_("Criterion"), _("Threshold"), *(_said(option["title"]) for option in options)]
    rows, judged, reasons = [], [], []
    for criterion in document["criteria"]:
        name = f"{_said(criterion['title'])} ({_said(criterion['unit'])})"
        sign = "≥ " if criterion["better"] == "more" else "≤ "
        line = "" if criterion["threshold"] is None else sign + number(criterion["threshold"])
        reasons.append([name, line, _said(criterion["what"]), criterion["why"]])
        if criterion["kind"] == "judged":
            values = [
                number(option["judged"][criterion["name"]]["value"]) if criterion["name"] in option["judged"] else ""
                for option in options
            ]
            judged.append([name, line, *values])
            continue
        cells = []
        for option in options:
            row = option["criteria"][criterion["name"]]
            met = percent(option["meets"][criterion["name"]])
            cells.append(f"{number(row['mean'])}; {number(row['cvar10'])}; {met}")
        rows.append([name, line, *cells])
    tables = [{"title": _("Computed"), "head": head, "rows": rows, "note": ""}]
    if judged:
        note = _("No process in the model gives these: values are judgements with a source, outside every score.")
        tables.append({"title": _("Judged"), "head": head, "rows": judged, "note": note})
    why = [_("Criterion"), _("Threshold"), _("What it is"), _("Why that threshold")]
    tables.append({"title": _("Criteria and thresholds"), "head": why, "rows": reasons, "note": ""})
    return tables


def advice_page(advice: "Advice", document: Document) -> Page:
    """The page of `advise`."""
    page = Page()
    advice_sections(page, advice, document)
    return page


def exploration_page(exploration: "Exploration", document: Document) -> Page:
    """The page of `explore`."""
    page = Page()
    words = _words(exploration.columns)
    wanted = [
        page.draw("indices", lambda: figures.indices.spec(document, words), wide=True),
        page.draw(
            "tornado", lambda: figures.tornado.spec(document, exploration.values, exploration.columns, words), wide=True
        ),
    ]
    if document["boxes"]:
        title = _("Where {condition}", condition=document["where"]["condition"])
        wanted.append(
            page.draw(
                "box", lambda: figures.box_limits.spec(title, document["boxes"], exploration.columns, words), wide=True
            )
        )
    page.add(
        {
            "id": "explore",
            "kind": "figures",
            "title": _("What it hangs on"),
            "intro": "",
            "figures": [each for each in wanted if each],
            "missing": "",
        }
    )
    if document["boxes"]:
        entries = [box["text"][language()] for box in document["boxes"]]
        condition = document["where"]["condition"]
        page.add(
            {
                "id": "boxes",
                "kind": "list",
                "title": _("Where {condition}", condition=condition),
                "intro": "",
                "entries": entries,
            }
        )
    return page


def game_page(document: Document) -> Page:
    """The page of `game`."""
    page = Page()
    wanted = []
    for player in document["players"]:
        name = player["name"]
        wanted.append(
            page.draw(f"replies-{name}", lambda name=name: figures.best_replies.spec(document, name), wide=True)  # type: ignore[misc]
        )
    page.add(
        {
            "id": "game",
            "kind": "figures",
            "title": _("Best replies"),
            "intro": "",
            "figures": [each for each in wanted if each],
            "missing": "",
        }
    )
    return page


def write_page(path: Path, page: Page, *, lang: str = "en", title: str = "") -> Path:
    """Write a page as one HTML file that needs no network. Raises `InputError` where it cannot be written."""
    import chipweir
    from chipweir.i18n import use_language
    from chipweir.report._html import render_page
    from chipweir.store import writing

    with use_language(lang):
        text = render_page(
            page,
            lang=lang,
            title=title or (page.sections[0]["title"] if page.sections else "Chipweir"),
            meta=f"Chipweir {chipweir.__version__}",
            version=chipweir.__version__,
        )
    part = path.with_name(f".{path.name}.part")
    with writing(path.parent):
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    return path
