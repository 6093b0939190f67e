"""Makes the advice for Korea that the playground shows before anybody has run one there.

    python benchmarks/shipped_advice.py [--futures 64]

A stopped run goes on from the worlds that it has kept in the run store.
"""

import argparse
import json
from datetime import UTC, datetime

from chipweir import __version__, facts
from chipweir.app._jobs import Job
from chipweir.app._strategy_page import FUTURES, SHIPPED, advice


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--futures", type=int, choices=FUTURES, default=64)
    document = advice("korea", options.parse_args().futures, Job("shipped"))
    made = {"version": __version__, "day": datetime.now(UTC).date().isoformat(), "facts": facts.load().digest}
    SHIPPED.write_text(json.dumps({**document, "made": made}, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
