"""How fast the rules answer: arrays against a loop, and the batch rate. Run it: `python benchmarks/rules.py`.

Prints classifications a second for `classify_many` and for a loop over `classify`, their ratio, decisions a second of the
batch with and without trace, the time to read the rules, and the time of `availability` for a typical world.
"""

import json
import sys
import tempfile
from pathlib import Path
from time import process_time

import numpy as np

from chipweir.reading import shipped_yaml
from chipweir.rules import Item, availability, classify, classify_many
from chipweir.rules._batch import batch
from chipweir.rules._book import law_files
from chipweir.rules._chips import catalogue
from chipweir.rules._parse import parse_book


def seconds(action: object, repeat: int = 3) -> float:
    """Processor time of the best of a few runs of a callable, so that a busy machine does not spoil the measure."""
    best = float("inf")
    for _ in range(repeat):
        start = process_time()
        action()  # type: ignore[operator]
        best = min(best, process_time() - start)
    return best


def arrays_against_loop(count: int = 1_000_000, loop: int = 3_000) -> dict[str, float]:
    """Classifications a second both ways, on the same chips."""
    rng = np.random.default_rng(1)
    tpp, area, dc = rng.uniform(0, 30_000, count), rng.uniform(50, 2_500, count), rng.random(count) < 0.8
    many = count / seconds(lambda: classify_many(tpp, area, dc, on="2026-01-15"))
    items = [Item(tpp=t, die_mm2=a, dc=bool(d)) for t, a, d in zip(tpp[:loop], area[:loop], dc[:loop], strict=True)]
    one = loop / seconds(lambda: [classify(item, "2026-01-15") for item in items], 1)
    return {"classify_many_per_s": many, "classify_per_s": one, "ratio": many / one}


def batch_rates(count: int = 10_000) -> dict[str, float]:
    """Shipments a second as one line of JSON each: with trace, compact (as `licence --batch --json`), without margins."""
    rng = np.random.default_rng(2)
    chips, places = list(catalogue()), ["CN", "KR", "SG", "AE", "SA", "VN", "MY", "RU", "DE", "MO"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "shipments.jsonl"
        with path.open("w", encoding="utf-8") as stream:
            for _ in range(count):
                day = f"{rng.integers(2022, 2027)}-{rng.integers(1, 13):02d}-15"
                chip, to = chips[rng.integers(len(chips))], places[rng.integers(len(places))]
                stream.write(json.dumps({"item": {"chip": chip}, "to": to, "export_date": day}) + "\n")

        def run(*, trace: bool, margins: bool) -> None:
            for row in batch(path, trace=trace, margins=margins):
                assert row.decision is not None
                row.decision.to_json({}, {}, trace=trace)

        return {
            "batch_per_s_with_trace": count / seconds(lambda: run(trace=True, margins=True), 1),
            "batch_per_s_compact": count / seconds(lambda: run(trace=False, margins=True), 1),
            "batch_per_s_without_margins": count / seconds(lambda: run(trace=False, margins=False), 1),
        }


def main() -> None:
    """Measure and print one JSON document."""
    read = seconds(lambda: parse_book([(path.stem, shipped_yaml(path)) for path in law_files()]))
    months = np.arange("2022-01", "2032-01", dtype="datetime64[M]")
    places = ["CN", "KR", "TW", "DE", "MY", "SG", "TH", "AE", "IN", "US"]
    world = seconds(lambda: availability(list(catalogue())[:40], places, months), 1)
    json.dump(
        {"read_rules_ms": 1000 * read, **arrays_against_loop(), **batch_rates(), "availability_40x10x120_s": world},
        sys.stdout,
        indent=1,
    )
    print()


if __name__ == "__main__":
    main()
