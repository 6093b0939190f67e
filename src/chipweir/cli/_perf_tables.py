"""Tables and words of the perf room's commands on a terminal, and their JSON."""

import json
import math
import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import typer

from chipweir.cli import _tables
from chipweir.i18n import N_, _
from chipweir.library import MATCHED, QUANTITIES


SIZES = ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"))


BASES = {"unit": N_("unit"), "chip": N_("chip"), "watt": N_("watt"), "dollar": N_("dollar")}


def print_match(found: Any) -> None:
    """The comparison at a width of 80: values, ratios, then notes, intervals and where A wins in words."""
    rows = [
        [
            _(MATCHED[m.quantity]), _with_unit(m.a, m.unit), _with_unit(m.b, m.unit), short(m.needed), short(m.per_chip),
            short(m.per_watt), short(m.per_dollar),
        ]
        for m in found.measures
    ]  # fmt: skip
    ratios = (_("A for one B"), _("A/B per chip"), _("per watt"), _("per dollar"))
    head = ["", "#A", "#B", *(f"#{name}" for name in ratios)]
    for line in (
        _("{a} against {b}, {model}", a=found.a, b=found.b, model=found.model),
        f"A: {found.a}" + (f" ({found.chips[0]:,})" if found.chips[0] > 1 else ""),
        f"B: {found.b}" + (f" ({found.chips[1]:,})" if found.chips[1] > 1 else ""),
    ):
        echo_wrapped(line)
    _tables.show(head, rows)
    for m in found.measures:
        if m.note:
            echo_wrapped(f"{_(MATCHED[m.quantity])}: {m.note}")
    uncertain = [m for m in found.measures if m.log_sd > 0 and 0 < m.needed < math.inf]
    ranges = (
        f"{_(MATCHED[m.quantity])} {short(m.needed / factor)}-{short(m.needed * factor)}"
        for m in uncertain
        for factor in [math.exp(1.2816 * m.log_sd)]
    )
    echo_wrapped(_("80 % interval of A for one B: {ranges}", ranges=", ".join(ranges) or "-"))
    for basis in ("unit", "chip", "watt", "dollar"):
        # A single chip against a single chip: the unit is the chip.
        if basis != "unit" or found.chips != (1, 1):
            echo_wrapped(_where_a_wins(found, basis))


def _where_a_wins(found: Any, basis: str) -> str:
    """One sentence: by unit, chip, watt or dollar, where A is ahead of B, behind it, or within 2 %."""
    name = {"unit": "ratio", "chip": "per_chip", "watt": "per_watt", "dollar": "per_dollar"}[basis]
    ahead, behind = found.wins.get(basis, ()), found.losses.get(basis, ())
    even = [
        m.quantity
        for m in found.measures
        if m.quantity not in (*ahead, *behind, "chips") and not math.isnan(getattr(m, name))
    ]
    if not (ahead or behind or even):
        return _("by {basis}: not known", basis=_(BASES[basis]))
    words = [", ".join(_(MATCHED[q]) for q in names) or _("nothing") for names in (ahead, behind, even)]
    line = _("by {basis}: A wins in {ahead}; loses in {behind}", basis=_(BASES[basis]), ahead=words[0], behind=words[1])
    return line + (_("; within 2 % in {even}", even=words[2]) if even else "")


def _with_unit(value: float, unit: str) -> str:
    """A number with a prefixed unit, short enough for a narrow column."""
    if math.isnan(value):
        return "-"
    name = {"tokens/s": "tok/s", "chips": ""}.get(unit, unit)
    size, prefix = next(((size, letter) for size, letter in (*SIZES, (1e3, "k")) if abs(value) >= size), (1.0, ""))
    if not name or value == 0:
        return f"{value:,.0f} {name}".strip()
    return f"{value / size:.3g} {prefix}{name}"


def echo_wrapped(text: str) -> None:
    """Text folded at the width of the terminal, further lines indented."""
    from textwrap import fill

    width = max(40, min(shutil.get_terminal_size((100, 24)).columns, 120))
    typer.echo(fill(text, width, subsequent_indent="  ", break_on_hyphens=False))


def print_validation(report: Mapping[str, Any]) -> None:
    """Errors by group, the baselines, and the reasons of rows without a prediction."""
    head = ["", _("quantity"), "#n", *_error_columns(), "#" + _("in 80 %")]
    _tables.show(head, [_score_row("all", q, s) for q, s in report["overall"].items()], _("All rows"))
    for group, table in report["groups"].items():
        _tables.show(
            head,
            [_score_row(label, q, s) for label, by in table.items() for q, s in by.items()],
            _("By {group}", group=_(group)),
        )
    for quantity, table in report["baselines"].items():
        rows = [
            [name, str(s["n"]), f"{s['median_ape']:.1%}", f"{s['mean_ape']:.1%}", f"{s['bias_log']:+.2f}"]
            for name, s in table.items()
        ]
        _tables.show(
            [quantity, "#n", *_error_columns()],
            rows,
            _("Beside the baselines, same rows"),
        )
    for reason, count in sorted(report["without"].items(), key=lambda item: -item[1])[:20]:
        typer.echo(f"{count} without a prediction: {reason}")


def print_left_out(report: Mapping[str, Any]) -> None:
    """Errors on what a fit has not seen."""
    tables = {"all": report["overall"], **report["groups"]}
    rows = [_score_row(label, quantity, s) for label, by in tables.items() for quantity, s in by.items()]
    head = ["", _("quantity"), "#n", *_error_columns(), "#" + _("in 80 %")]
    _tables.show(head, rows, _("Left out in turn: {what}", what=report["by"]))


def _error_columns() -> tuple[str, ...]:
    return ("#" + _("median error"), "#" + _("mean error"), "#" + _("bias (ln)"))


def _score_row(label: str, quantity: str, s: Mapping[str, float]) -> list[str]:
    return [
        label,
        quantity,
        f"{s['n']}",
        f"{s['median_ape']:.1%}",
        f"{s['mean_ape']:.1%}",
        f"{s['bias_log']:+.2f}",
        f"{s['coverage_80']:.0%}" if "coverage_80" in s else "",
    ]


def print_operators(operators: Sequence[Mapping[str, Any]]) -> None:
    """The roofline of every part of a decode step and of a prefill, on one chip."""
    title = _("One pass on one chip")
    numbers = ("GFLOP", "MB", "FLOP/B", _("roofline µs"), _("estimate µs"))
    head = [_("operator"), *(f"#{name}" for name in numbers), _("binds")]
    for name in dict.fromkeys(o["pass"] for o in operators):
        rows = [
            [
                o["operator"].replace("_", " "), short(o["gflop"]), short(o["mbyte"]), short(o["intensity"]),
                short(o["roofline_us"]), short(o["estimate_us"]), o["binds"].removesuffix(" bandwidth"),
            ]
            for o in operators
            if o["pass"] == name
        ]  # fmt: skip
        _tables.show(head, rows, f"{title}: {name}")


def print_answers(answers: Sequence[Mapping[str, Any]], title: str) -> None:
    """The main quantities of every row of a table, then the reasons of those that have none."""
    row = _("row")
    quantities = ("output_tok_s_chip", "tpot_ms", "ttft_ms", "power_w_chip", "tokens_s_chip_train")
    rows = []
    for answer in answers:
        made = answer.get("predictions", {})
        cells = [short(made[q]["p50"]) if q in made else "" for q in quantities]
        if made:
            rows.append([str(answer["row"]), answer["id"] or "", *cells])
    if rows:
        head = [row, "id", *(f"#{name}" for name in ("output tok/s", "TPOT ms", "TTFT ms", "W", "train tok/s"))]
        _tables.show(head, rows, title)
    for answer in answers:
        if "reason" in answer:
            who = f"{row} {answer['row']}" + (f" ({answer['id']})" if answer["id"] else "")
            echo_wrapped(f"{who}: {answer['reason']}")


def layout_words(plan: Mapping[str, Any], group: float) -> str:
    """A layout in the words of engines: degrees, replicas of `group` chips, and prefill workers where they stand apart."""
    words = [f"tp {plan['tp']:g}", f"attention dp {plan['attention_dp']:g}"]
    words += [f"{plan['pp']:g} pipeline stages"] if plan["pp"] > 1 else []
    words.append(f"{plan['replicas']:g} x {group:g} chips")
    if plan.get("prefill_replicas"):
        chips = plan["prefill_tp"] * plan["prefill_dp"]
        words.append(f"prefill {plan['prefill_replicas']:g} x {chips:g} chips")
    return ", ".join(words)


def print_alternatives(found: Sequence[Mapping[str, float]]) -> None:
    """The next best layouts."""
    head = [
        _("layout"),
        _("requests"),
        _("output tokens/s per chip"),
        _("ms per output token"),
        _("ms to the first token"),
    ]
    rows = [
        [
            layout_words(a, a["tp"] * a["attention_dp"] * a["pp"]),
            f"{a['concurrency']:g}", short(a["output_tok_s_chip"]), short(a["tpot_ms"]), short(a["ttft_ms"]),
        ]
        for a in found
    ]  # fmt: skip
    _tables.show(head, rows, _("Next best layouts"))


def print_prices(found: Sequence[Mapping[str, Any]]) -> None:
    """List prices beside the cost: margin of the model's own, how many times dearer the others are."""
    rows = []
    for price in found:
        reading = "" if price["input"] is None else short(price["input"])
        if "margin" in price:
            margin = price["margin"]
            says = _(
                "margin {m} ({low} to {high})",
                m=f"{margin['p50']:.0%}",
                low=f"{margin['p10']:.0%}",
                high=f"{margin['p90']:.0%}",
            )
        else:
            says = _("{n} times its output price", n=f"{price['times']:.3g}")
        rows.append([f"{price['model']} ({price['since']})", reading, short(price["output"]), says])
    _tables.show([_("list price"), _("USD/M input"), _("USD/M output"), ""], rows, _("Beside list prices"))


def run_rows(run: Mapping[str, Any]) -> list[list[str]]:
    """Totals of a training run."""
    rows = [[_("tokens"), f"{run['tokens']:.4g}", ""], [_("FLOP of the model"), f"{run['flop']:.3g}", ""]]
    for name, label in (("chip_hours", _("chip-hours")), ("days", _("days on {n} chips", n=f"{run['chips']:,.0f}")),
                        ("usd", _("USD, chips owned"))):  # fmt: skip
        if name in run:
            low, middle, high = (run[name][point] for point in ("p10", "p50", "p90"))
            rows.append(
                [label, f"{middle:,.4g}" if middle < 1e4 else f"{middle:,.0f}", f"{short(low)} - {short(high)}"]
            )
    return rows


def quantity_rows(quantities: Mapping[str, Mapping[str, float]]) -> list[list[str]]:
    """Name, median and interval of every quantity."""
    return [
        [_(QUANTITIES.get(k, k)), short(v["p50"]), f"{short(v['p10'])} - {short(v['p90'])}"]
        for k, v in quantities.items()
    ]


def short(value: float) -> str:
    """A number in a few characters."""
    if value is None or math.isnan(value):
        return "-"
    if math.isinf(value):
        return "none can"
    if 1000 <= abs(value) < 1e7:
        return f"{value:,.0f}"
    return next(
        (f"{value / size:.3g} {name}" for size, name in SIZES if abs(value) >= size),
        f"{value:.3g}" if abs(value) >= 0.01 else f"{value:.2g}",
    )


def _plain(value: Any) -> Any:
    """JSON has no NaN: null instead."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def json_line(answer: Mapping[str, Any]) -> str:
    """One line of JSON; numbers that are none, which are rare, are looked for only where they are."""
    try:
        return json.dumps(answer, ensure_ascii=False, allow_nan=False) + "\n"
    except (TypeError, ValueError):
        return json.dumps(_plain(answer), ensure_ascii=False, allow_nan=False) + "\n"


def print_json(document: Any) -> None:
    """One document on standard output."""
    sys.stdout.write(json.dumps(_plain(document), ensure_ascii=False, indent=2, allow_nan=False) + "\n")
