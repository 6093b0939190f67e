"""Write the pages that come from the model, and the README's picture of the playground.

python docs/generate.py parameters             # the table of priors; a test holds the page to it
python docs/generate.py measures               # the vocabulary of the facts; a test holds the page to it
python docs/generate.py picture                # the playground in Chromium, Blackwell-class chips flowing
"""

import argparse
import shutil
import sys
from collections import Counter
from pathlib import Path

from chipweir.facts import Measure
from chipweir.world import Parameter, parameters


HERE = Path(__file__).parent
_VIEW = "s.us.allowed_products.blackwell-class=free&s.us.enforcement=2"
_GROUPS = {
    "supply": "Supply",
    "demand": "Demand",
    "korea": "Korea",
    "market": "Market",
    "rules": "Rules",
    "smuggling": "Smuggling and remote use",
    "stocks": "Stocks",
    "ecosystem": "Software ecosystems",
    "value": "What chips are worth",
    "models": "Models and tokens",
    "power": "Power",
    "beliefs": "Dated beliefs",
    "events": "Policy events",
    "innovation": "Research",
}


def table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    return "\n".join(lines + [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows])


def parameters_page() -> str:
    """All parameters by group, as `world/parameters.csv` has them."""
    known = list(parameters().values())
    parts = [
        "# Parameters",
        "Generated from `world/parameters.csv` by `python docs/generate.py parameters`; a test holds this page to it.",
        "Every uncertain number of the model is one of these. `low`, `central` and `high` are the 5th, 50th and 95th "
        "percentile of its prior: a normal, or a normal of the logarithm (lognormal) or of the log odds (logitnormal), "
        "with its own width on either side of the median. A `belief_...` parameter is a path of standard normal scores, "
        "with a knot each half-year and a memory of its own (`belief_memory`), that places a dated belief "
        "(`world/data/series.csv`) between its low and high bounds. Sources name "
        "facts (`chipweir facts show FAB-001`), prices or other tables; *prior* and *own knowledge* mean that no "
        "published "
        "figure stands behind the width. Parameters are drawn independently, each from a stream of its own name, so that "
        "scenarios share draws and a new parameter disturbs no other.",
    ]
    groups = list(dict.fromkeys(parameter.group for parameter in known))
    for group in groups:
        rows = [_parameter_row(parameter) for parameter in known if parameter.group == group]
        parts += [
            f"## {_GROUPS.get(group, group)}",
            table(("name", "low", "central", "high", "unit", "prior", "what it is", "source"), rows),
        ]
    unsourced = [p for p in known if "prior" in p.source or "own knowledge" in p.source]
    parts.append(f"{len(known)} parameters; {len(unsourced)} of them rest wholly or partly on priors of our own.")
    return "\n\n".join(parts) + "\n"


def _parameter_row(p: Parameter) -> tuple[str, ...]:
    bounds = (f"{value:g}" for value in (p.low, p.central, p.high))
    return (f"`{p.name}`", *bounds, p.unit, p.distribution, p.description, p.source)


_KINDS = {
    "flow": "Amounts over a period",
    "level": "Levels and stocks",
    "count": "Counts",
    "share": "Shares of a whole",
    "ratio": "Ratios and rates",
    "price": "Prices and costs",
    "growth": "Changes and rates of change",
    "date": "Dates",
    "spec": "Properties",
    "state": "States",
    "text": "Words",
}


def measures_page() -> str:
    """The measures by kind, as `facts/data/measures.csv` has them, with how many facts there are of each."""
    from chipweir import facts

    known = facts.load()
    counted = Counter(fact.measure for fact in known.facts.values())
    parts = [
        "# Measures",
        "Generated from `facts/data/measures.csv` by `python docs/generate.py measures`; a test holds this page to it.",
        "What a fact measures is one of these. *Adds* says how it adds up over time: quarters of a *sum* make the year, "
        "those of a *mean* average to it, and the year of a *last* is its last quarter. *Dims* are the respects in "
        "which facts of one measure differ. The words are those of the press and of ministries; each names one measure "
        "only, the item (HBM, DRAM, a chip, a node) comes beside it. `chipweir facts show MEASURE` takes any of them.",
    ]
    for kind, title in _KINDS.items():
        rows = [_measure_row(m, counted[m.id]) for m in known.measures.values() if m.kind == kind]
        heads = ("measure", "title", "unit", "adds", "what it is", "dims", "words", "in the model", "facts")
        parts += [f"## {title}", table(heads, rows)]
    compared = sum(known.model_variable(fact) is not None for fact in known.facts.values())
    parts.append(
        f"{len(known.measures)} measures, {len(known.facts)} facts; {compared} facts can be compared with a variable of "
        "the model as they stand."
    )
    return "\n\n".join(parts) + "\n"


def _measure_row(m: Measure, count: int) -> tuple[str, ...]:
    words = "; ".join(", ".join(m.words[language]) for language in ("en", "ko", "zh") if m.words[language])
    where = "".join(f", {name} {value}" for name, value in m.where.items() if value != "-")
    model = f"`{m.variable}`{where}" if m.variable else ""
    title = f"{m.title['en']} ({m.title['ko']})"
    return (
        f"`{m.id}`",
        title,
        m.unit or "number",
        m.adds,
        m.definition["en"],
        ", ".join(m.dims),
        words,
        model,
        f"{count}",
    )


def picture(chromium: str | None, file: Path) -> None:
    """The Contest page as Chromium shows it: Blackwell-class chips flowing freely under stricter enforcement."""
    from playwright.sync_api import sync_playwright

    if not chromium:
        raise SystemExit("no Chromium found: install Debian's chromium or give --chromium")
    sys.path.insert(0, str(HERE.parent / "benchmarks"))
    from playground import FLAGS, free_port, start_server

    port = free_port()
    server = start_server(port)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            page = browser.new_page(viewport={"width": 1440, "height": 1000})
            page.goto(f"http://127.0.0.1:{port}/?{_VIEW}")
            page.get_by_text("1,000 members").first.wait_for(timeout=300_000)
            page.wait_for_timeout(5000)  # the effects of single levers come last
            page.screenshot(path=file)
            browser.close()
    finally:
        server.terminate()
        server.wait(20)


def main() -> None:
    """Write the page asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("page", choices=("parameters", "measures", "picture"))
    parser.add_argument("--chromium", default=shutil.which("chromium"))
    asked = parser.parse_args()
    if asked.page == "picture":
        picture(asked.chromium, HERE / "images" / "playground.png")
        return
    pages = {"parameters": parameters_page, "measures": measures_page}
    (HERE / f"{asked.page}.md").write_text(pages[asked.page](), encoding="utf-8")


if __name__ == "__main__":
    main()
