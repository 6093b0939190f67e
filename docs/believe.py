"""The page on how far to believe the model, in English and Korean, from the results that `benchmarks/refit.py` wrote.

    python docs/believe.py

Texts are in `believe.yaml`, numbers in `docs/results/` and in the shipped back-test: nothing is written by hand that a fit
could change.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from chipweir.calibration import CUTOFFS, LEAST_EFFECTIVE, shipped_backtest
from chipweir.world import Posterior, equations_digest, parameters, shipped_posterior


HERE = Path(__file__).parent
RESULTS = HERE / "results"
Words = Mapping[str, str]


def table(heads: str, rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table; `heads` joined by bars."""
    names = heads.split("|")
    lines = [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
    return "\n".join(lines + [f"| {' | '.join(str(cell).replace('|', '/') for cell in row)} |" for row in rows])


def page(words: Words, korean: bool, tests: list[dict[str, Any]], fit: dict[str, Any], held: Posterior) -> str:
    """The page in one language."""
    whole, method = fit["summary"], words["method_text"]
    percent = {name: f"{whole[name]:.0%}" for name in ("prior_80", "fitted_80", "foretold_80")}
    parts = [
        f"# {words['title']}",
        words["other"],
        words["lead"],
        words["counts"].format_map({**whole, **percent}),
    ]
    if whole["median_width_ratio"] is not None:
        parts.append(words["width"].format(width=f"{whole['median_width_ratio']:.1f}", n=whole["with_range"]))
    parts += [
        words["back"],
        words["back_text"],
        table(words["heads"], [_cutoff(each, words) for each in tests if each["n"]]),
    ]
    parts += [" ".join(_verdicts(tests, words)), words["published"]]
    parts += [
        words["published_text"].format_map(_counted(tests)),
        table(words["published_heads"], _published(tests, korean)),
    ]
    parts += [words["none_2026"], words["curve"], words["curve_text"]]
    parts += [words["worst"], table(words["worst_heads"], _worst(tests))]
    parts += [words["learnt"], words["learnt_text"], table(words["learnt_heads"], _learnt(held, korean))]
    parts.append(words["paths"].format(paths=_paths(held)))
    rows = [
        [_code(s["series"]), s["rows"], s["echoes"], f"{s['median_z']:.2f}", f"{s['inside_80']:.0%}"]
        for s in fit["series"]
    ]
    parts += [words["robust"], words["robust_text"], table(words["series_heads"], rows)]
    out, bad = (
        whole["out_of_reach"],
        [_code(s["series"]) for s in fit["series"] if s["median_z"] > 2 and s["echoes"] < s["rows"]],
    )
    parts += [
        words["failed"],
        words["failed_text"].format(ids=", ".join(f"`{name}`" for name in out)) if out else words["failed_none"],
        words["bad_series"].format(ids=", ".join(bad)) if bad else words["bad_none"],
        words["all"],
        table(words["all_heads"], [_row(row, words, korean) for row in fit["observations"]]),
        words["method"],
        _sbc(words),
        method.format(
            members=held.manifest["members"],
            rows=len(held.rows),
            columns=len(held.columns),
            cutoffs=", ".join(CUTOFFS),
            least=LEAST_EFFECTIVE,
        ).strip(),
    ]
    return "\n\n".join(parts) + "\n"


def _sbc(words: Words) -> str:
    """What simulation-based calibration found, from `benchmarks/sbc.py`."""
    found = json.loads((RESULTS / "sbc.json").read_text(encoding="utf-8"))
    stale = words["sbc_stale"] if found["equations"] != equations_digest() else ""
    pooled = ", ".join(f"{share:.0%}" for share in found["pooled_ranks_of_informed"])
    shares = {"uniform": f"{found['uniform']:.1%}", "own": f"{found['uniform_of_informed']:.0%}"}
    return words["sbc"].format_map({**found, **shares, "pooled": pooled, "stale": stale})


def _code(text: str) -> str:
    return f"`{text}`"


def _cutoff(each: Mapping[str, Any], words: Words) -> list[str]:
    def score(name: str) -> str:
        return "-" if each[name] is None else f"{each[name]:.3f} ± {each[f'{name}_se']:.3f}"

    cover = [f"{each[f'coverage_{level}']:.0%}" for level in (50, 80, 90)]
    names = ("crps", "crps_last_spread", "crps_trend", "crps_statistical")
    told = [f"{each['n_with_history']}: " + " / ".join(_short(each[f"{name}_with_history"]) for name in names)]
    return [each["as_of"], words[each["mode"]], str(each["n"]), *cover, *(score(name) for name in names), *told]


def _short(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _verdicts(tests: Sequence[Mapping[str, Any]], words: Words) -> list[str]:
    said = []
    for each in tests:
        for name in ("last_spread", "trend", "statistical"):
            gain = each.get(f"better_than_{name}")
            if gain is None or each["mode"] != "rules known":
                continue
            text = words["verdict_better" if gain > 0 else "verdict_worse"]
            se = each[f"better_than_{name}_se"]
            said.append(
                text.format(name=words[name], gain=abs(gain), se=se, day=each["as_of"], mode=words[each["mode"]])
            )
    return said


def _counted(tests: Sequence[Mapping[str, Any]]) -> Mapping[str, str]:
    """Numbers of published forecasts and their mean errors beside the model's, over both cut-offs, rules known."""
    known = [each for each in tests if each["mode"] == "rules known"]
    told: dict[str, str] = {}
    for name in ("published", "published_later"):
        rows = [(each, each[f"n_{name}"]) for each in known if each[f"n_{name}"]]
        count = sum(n for _, n in rows)
        told[f"n_{name}"] = str(count)
        for key in ("error", "error_where", "crps", "crps_where"):
            mean = sum(each[f"{key}_{name}"] * n for each, n in rows) / count if count else None
            told[f"{key}_{name}"] = _short(mean)
    return told


def _published(tests: Sequence[Mapping[str, Any]], korean: bool) -> list[list[str]]:
    """Every published forecast beside the model's of the same row, and what came."""
    return [
        [
            each["as_of"],
            row["label_ko"] if korean else row["label"],
            f"{said['publisher']} (`{said['id']}`)",
            said["known_by"],
            f"{said['central']:.4g}",
            f"{row['p50']:.3g} ({row['p10']:.3g}–{row['p90']:.3g})",
            f"{row['observed']:.4g}",
            f"{said['error']:+.2f}",
            f"{row['error']:+.2f}",
            f"{said['crps']:.2f} / {row['crps']:.2f}",
        ]
        for each in tests
        if each["mode"] == "rules known"
        for row in each["rows"]
        for said in row["published"]
    ]


def _worst(tests: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    rows = [(each["as_of"], row) for each in tests if each["mode"] == "rules known" for row in each["rows"]]
    found = sorted(rows, key=lambda pair: -pair[1]["crps"])[:12]
    return [
        [
            day,
            _code(_named(row)),
            f"{row['start']} – {row['end']}",
            *(f"{row[k]:.3g}" for k in ("p10", "p50", "p90", "observed")),
        ]
        for day, row in found
    ]


def _named(row: Mapping[str, Any]) -> str:
    return f"{row['variable']}[{row['selection']}]" if row["selection"] else str(row["variable"])


def _learnt(held: Posterior, korean: bool) -> list[list[str]]:
    known, place = parameters(), held.place
    single = [name for name in held.columns if name in known and known[name].count == 1]
    order = sorted(single, key=lambda name: -abs(held.mean[place[name]]))[:10]
    rows = []
    for name in order:
        parameter, scores = known[name], held.rows[:, place[name]].astype(float)
        low, middle, high = parameter.at(np.quantile(scores, [0.05, 0.5, 0.95]))
        rows.append(
            [
                _code(name),
                parameter.description_ko if korean else parameter.description,
                f"{parameter.central:.3g} ({parameter.low:.3g}–{parameter.high:.3g})",
                f"{middle:.3g} ({low:.3g}–{high:.3g}) {parameter.unit}",
                f"{held.mean[place[name]]:+.1f}",
            ]
        )
    return rows


def _paths(held: Posterior) -> str:
    found: dict[str, float] = {}
    for name, value in zip(held.columns, held.mean, strict=True):
        belief, _, knot = name.partition("/")
        if belief.startswith("belief_") and knot and abs(value) > abs(found.get(belief, (0.0))):
            found[belief] = float(value)
    best = sorted(found.items(), key=lambda pair: -abs(pair[1]))[:8]
    return ", ".join(f"`{name}` {value:+.1f}" for name, value in best)


def _row(row: Mapping[str, Any], words: Words, korean: bool) -> list[str]:
    sign = {"at_least": "≥ ", "record": "≥ ", "at_most": "≤ "}.get(row["bound"], "")
    own = "" if row["low"] == row["high"] else f" ({row['low']:.3g}–{row['high']:.3g})"
    fits = (
        words["echo"] if row["echo"] else words["yes"] if row["inside"] else words["range" if row["overlap"] else "no"]
    )
    fitted = row["fitted"]
    return [
        _code(row["id"]),
        row["label_ko"] if korean else row["label"],
        f"{row['start']} – {row['end']}",
        f"{sign}{row['central']:.4g}{own} {row['unit']}",
        f"{row['prior']['p05']:.3g}–{row['prior']['p95']:.3g}",
        f"{fitted['p05']:.3g}–{fitted['p50']:.3g}–{fitted['p95']:.3g}",
        f"{row['rank']:.2f}",
        fits,
    ]


def picture(tests: Sequence[Mapping[str, Any]]) -> str:
    """Reliability curve and ranks of the two scored years (rules known) as SVG."""
    chosen = [each for each in tests if each["mode"] == "rules known" and each["n"]]
    ink = ("#1f4e79", "#b5562b", "#4d7f3a")
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 330" font-family="sans-serif" font-size="12">']
    parts.append('<rect width="720" height="330" fill="white"/>')
    left, bottom, side = 50, 280, 240

    def at(x: float, y: float) -> str:
        return f"{left + side * x:.1f},{bottom - side * y:.1f}"

    parts.append(f'<rect x="{left}" y="{bottom - side}" width="{side}" height="{side}" fill="none" stroke="#999"/>')
    parts.append(f'<polyline points="{at(0, 0)} {at(1, 1)}" fill="none" stroke="#999" stroke-dasharray="4"/>')
    for tick in (0.0, 0.5, 1.0):
        parts.append(f'<text x="{left + side * tick}" y="{bottom + 16}" text-anchor="middle">{tick:.0%}</text>')
        parts.append(f'<text x="{left - 6}" y="{bottom - side * tick + 4}" text-anchor="end">{tick:.0%}</text>')
    levels = np.linspace(0, 1, 41)
    for colour, each in zip(ink, chosen, strict=False):
        ranks = np.array([row["pit"] for row in each["rows"]])
        held = [float(np.mean(np.abs(ranks - 0.5) <= level / 2)) for level in levels]
        points = " ".join(at(x, y) for x, y in zip(levels, held, strict=True))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
    right, width = 400, 280
    top = max([max(each["pit"]) / each["n"] for each in chosen] or [0.2]) * 1.15
    parts.append(f'<rect x="{right}" y="{bottom - side}" width="{width}" height="{side}" fill="none" stroke="#999"/>')
    for number, (colour, each) in enumerate(zip(ink, chosen, strict=False)):
        bar = width / 10 / (len(chosen) + 1)
        for place, count in enumerate(each["pit"]):
            high = side * count / each["n"] / top
            x = right + width / 10 * place + bar * (number + 0.5)
            parts.append(
                f'<rect x="{x:.1f}" y="{bottom - high:.1f}" width="{bar:.1f}" height="{high:.1f}" fill="{colour}"/>'
            )
        said = f"{each['as_of']} (n = {each['n']})"
        parts.append(f'<text x="{left + 8}" y="{bottom - side + 18 + 16 * number}" fill="{colour}">{said}</text>')
    level = bottom - side * 0.1 / top
    parts.append(
        f'<line x1="{right}" x2="{right + width}" y1="{level:.1f}" y2="{level:.1f}" stroke="#999" stroke-dasharray="4"/>'
    )
    parts.append(
        f'<text x="{right}" y="{bottom + 16}">0</text><text x="{right + width}" y="{bottom + 16}" text-anchor="end">1</text>'
    )
    parts.append(f'<text x="{left + side / 2}" y="318" text-anchor="middle">interval / 구간 — held / 적중</text>')
    parts.append(
        f'<text x="{right + width / 2}" y="318" text-anchor="middle">rank of what came (PIT) / 실제값의 순위</text>'
    )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _texts() -> Mapping[str, Words]:
    found: Mapping[str, Words] = yaml.safe_load((HERE / "believe.yaml").read_text(encoding="utf-8"))
    return found


def main() -> None:
    """Write both pages and the picture."""
    tests = shipped_backtest()["cutoffs"]
    fit = json.loads((RESULTS / "credibility.json").read_text(encoding="utf-8"))
    held = shipped_posterior()
    assert held is not None, "no posterior is shipped; python benchmarks/refit.py makes one"
    texts = {name: {key: text.strip() for key, text in said.items()} for name, said in _texts().items()}
    (HERE / "images" / "reliability.svg").write_text(picture(tests), encoding="utf-8")
    (HERE / "credibility.md").write_text(page(texts["en"], False, tests, fit, held), encoding="utf-8")
    (HERE / "credibility-ko.md").write_text(page(texts["ko"], True, tests, fit, held), encoding="utf-8")


if __name__ == "__main__":
    main()
