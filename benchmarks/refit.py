"""Fit everything that is shipped: the posterior of today and of each cut-off, back-tests, credibility and forecasts.

    python benchmarks/refit.py                 # all fits, then the tables of docs/
    python benchmarks/refit.py --only scores   # tables alone, from the fits that are there

Fits go on where they were stopped; one process compiles the model once for all of them.
"""

import argparse
import json
import time
from importlib import resources
from pathlib import Path

from platformdirs import user_cache_path

from chipweir import facts
from chipweir.calibration import (
    CUTOFFS,
    MODES,
    Cutoff,
    backtest,
    by_series,
    calibrate,
    credibility,
    forecast,
    learnt,
    summary,
    write_backtest,
)
from chipweir.library import keep_compiled
from chipweir.world import believing, posterior_of, shipped_posterior


HERE = Path(__file__).resolve().parent.parent
CALIBRATION = Path(str(resources.files("chipweir.calibration"))) / "data"
DATA = Path(str(resources.files("chipweir.world"))) / "data"
RESULTS = HERE / "docs" / "results"


def fit(day: str, members: int, moves: int, seed: int) -> None:
    """Fit one cut-off ("" for today) and put its posterior where it is shipped from."""
    started = time.monotonic()
    known = facts.load(as_of=day or None)
    found = calibrate(
        known,
        members,
        seed,
        moves,
        directory=user_cache_path("chipweir") / "fits",
        tell=lambda s, t: say(f"{s:.2f} {t}"),
    )
    name = f"posterior-{day}.npz" if day else "posterior.npz"
    found.posterior.save(DATA / name)
    say(
        f"{name}: {len(found.posterior.rows)} rows x {len(found.posterior.columns)}, {time.monotonic() - started:.0f} s"
    )


def say(text: str) -> None:
    """A line of progress."""
    print(time.strftime("%H:%M:%S"), text, flush=True)


def write(name: str, document: object) -> None:
    """A table of results as JSON."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / name).write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def scores(members: int) -> None:
    """The tables that the documentation shows."""
    shipped_posterior.cache_clear()
    known, found, made, drifts = facts.load(), [], [], {}
    for day in CUTOFFS:  # what one cut-off's forecasts came to is the next one's drift
        size, count = learnt(made, day)
        drifts[day] = (size, count)
        found += tested((day,), size, members, MODES)
        if day != CUTOFFS[-1]:
            (plain,) = tested((day,), 0.0, members, MODES[:1])
            made += [(day, row.observation, row.values) for row in plain.rows]
    found.sort(key=lambda each: MODES.index(each.mode))
    write_drifts(drifts)
    write_backtest(found, known)
    verdicts = credibility(known, members)
    rows = [verdict.as_dict() for verdict in verdicts]
    write("credibility.json", {"summary": summary(verdicts), "series": by_series(verdicts), "observations": rows})


def tested(days: tuple[str, ...], drift: float, members: int, modes: tuple[str, ...]) -> list[Cutoff]:
    """Back-tests with a given drift."""
    return list(
        backtest(
            lambda day: facts.load(as_of=day or None),
            days,
            posterior=lambda day: posterior_of(facts.load(as_of=day)),
            members=members,
            modes=modes,
            drifts=lambda day: drift,
            tell=lambda s, t: say(f"{s:.2f} {t}"),
        )
    )


def write_drifts(drifts: dict[str, tuple[float, int]]) -> None:
    """The drift of each cut-off, where it is shipped from."""
    lines = ["as_of,drift,rows,reason"]
    for day, (size, count) in drifts.items():
        reason = "likeliest over the forecasts scored by then" if count else "prior: nothing had been forecast before"
        lines.append(f"{day},{size:.2f},{count},{reason}")
    (CALIBRATION / "drift.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def forecasts(members: int) -> None:
    """The dated forecast as of the last cut-off and of today."""
    RESULTS.mkdir(exist_ok=True)
    for day in (CUTOFFS[-1], ""):
        known = facts.load(as_of=day or None)
        with believing(posterior_of(known)):
            made = forecast(known, members=members, tell=lambda s, t: say(f"{s:.2f} {t}"))
        (RESULTS / f"forecast-{day or 'now'}.csv").write_text(made.text(), encoding="utf-8")


def main() -> None:
    """Fit, score, foretell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("fits", "scores", "forecasts"))
    parser.add_argument("--cutoff", action="append", help="fit these alone; 'now' for today")
    parser.add_argument("--members", type=int, default=1000)
    parser.add_argument("--moves", type=int, default=24)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    keep_compiled()
    if asked.only in (None, "fits"):
        for day in asked.cutoff or ["now", *CUTOFFS]:
            fit("" if day == "now" else day, asked.members, asked.moves, asked.seed)
    if asked.only in (None, "scores"):
        scores(500)
    if asked.only in (None, "forecasts"):
        forecasts(1000)


if __name__ == "__main__":
    main()
