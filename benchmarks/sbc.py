"""Simulation-based calibration: fits to synthetic data whose truth is known, and ranks of that truth among the members.

    python benchmarks/sbc.py --sets 100 --members 256 --moves 6

Each set draws a truth from the prior, makes data of a reduced set of observations with the errors of the likelihood,
and fits it as `calibrate` does. Ranks must be uniform: chi-square p above 0.01 for 90 % of parameters. The result goes to
docs/results/sbc.json with the digests of model and facts. A stopped run goes on from there; `--sets` of no more than are
done reckons the verdict anew.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.stats import chisquare

from chipweir import facts
from chipweir.calibration import observations
from chipweir.calibration._calibrate import columns, predictor, prior_scores, reach
from chipweir.calibration._likelihood import DISCREPANCY, LARGEST_DISCREPANCY, Likelihood
from chipweir.calibration._smoother import begin, move, prune, step
from chipweir.library import keep_compiled
from chipweir.world import equations_digest


OUT = Path(__file__).resolve().parent.parent / "docs" / "results" / "sbc.json"
REDUCED = ("nvidia_revenue", "nvidia_china_revenue", "group_china_units[group=h20]", "smuggled_units", "korea_exports")
BINS, THINNED = 5, 19


def main() -> None:
    """Fit the sets, count the ranks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=100)
    parser.add_argument("--members", type=int, default=256)
    parser.add_argument("--moves", type=int, default=6)
    asked = parser.parse_args()
    keep_compiled()
    known = facts.load()
    rows = [o for o in observations(known) if o.quantity.text in REDUCED and not o.bound and o.end <= "2025-12"]
    rows = [row for i, row in enumerate(rows) if row.quantity.text != "korea_exports" or i % 3 == 0]
    names = columns()
    numbers = predictor(known, names, rows)
    truths = prior_scores(names, asked.sets, seed=10_001)
    told = numbers(truths)
    made = {"facts": known.digest, "equations": equations_digest(), "members": asked.members, "moves": asked.moves}
    informed = (begin(prior_scores(names, asked.members, seed=0), numbers, reach(names, rows)).localisation > 0.5).any(
        1
    )
    done = json.loads(OUT.read_text()) if OUT.exists() else {}
    ranks = done.get("ranks", []) if {k: done.get(k) for k in made} == made else []
    for number in range(len(ranks), asked.sets):
        random = np.random.default_rng([number, 7])
        data = told[number].copy()
        for series in Likelihood(tuple(rows)).series:
            size = LARGEST_DISCREPANCY + 1
            while size > LARGEST_DISCREPANCY:
                size = abs(random.normal(0, DISCREPANCY))
            data[series.rows] += random.multivariate_normal(np.zeros(len(series.rows)), series.covariance(size))
        likelihood = Likelihood(
            tuple(replace(row, central=float(np.exp(x))) for row, x in zip(rows, data, strict=True))
        )
        state = begin(prior_scores(names, asked.members, seed=number), numbers, reach(names, rows))
        while state.taken < 1:
            state = step(state, likelihood, numbers, number)
        state = prune(state, likelihood, number)
        for _ in range(asked.moves):
            state = move(state, likelihood, numbers, number)
        thinned = state.scores[:: max(asked.members // THINNED, 1)][:THINNED]
        ranks.append((thinned < truths[number]).sum(0).tolist())
        write(made, ranks, names, informed)
    write(made, ranks, names, informed)


def write(made: dict[str, object], ranks: list[list[int]], names: Sequence[str], informed: np.ndarray) -> None:
    """The result so far."""
    result = {**made, "sets": len(ranks), **_verdict(np.array(ranks), np.array(names), informed), "ranks": ranks}
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(result) + "\n", encoding="utf-8")
    print(len(ranks), result["uniform"], result["uniform_of_informed"], flush=True)


def _verdict(ranks: np.ndarray, names: np.ndarray, informed: np.ndarray) -> dict[str, object]:
    """Share of parameters whose ranks are uniform at p above 0.01, of all and of those that the data inform."""
    counts = [np.histogram(column, BINS, (-0.5, THINNED + 0.5))[0] for column in ranks.T]
    p = np.array([chisquare(count).pvalue for count in counts])
    worst = [str(name) for name in names[np.argsort(p)[:10]]]
    own = float((p[informed] > 0.01).mean()) if informed.any() else None
    pooled = np.histogram(ranks[:, informed], BINS, (-0.5, THINNED + 0.5))[0]
    return {
        "parameters": len(names),
        "informed": int(informed.sum()),
        "uniform": float((p > 0.01).mean()),
        "uniform_of_informed": own,
        "pooled_ranks_of_informed": (pooled / max(pooled.sum(), 1)).round(4).tolist(),
        "worst": worst,
    }


if __name__ == "__main__":
    main()
