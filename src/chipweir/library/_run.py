"""A run from the order to the folder: what the command line, the library and a notebook do alike.

An order says what is simulated; its manifest holds everything that determines the numbers; what a run's folder holds
beside them (headline, report, own facts) is made here and nowhere else.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chipweir.errors import InputError
from chipweir.i18n import language
from chipweir.library._documents import dumps


if TYPE_CHECKING:
    import xarray as xr

    from chipweir.facts import Fact, Facts
    from chipweir.strategy import Trace
    from chipweir.world import Scenario

Progress = Callable[[float, str], None]

MOST_MEMBERS = 1_000_000
FIT_MEMBERS = 256
"""Members of the ensemble behind a report's credibility table; `run --credibility` takes as many as it is told."""
TRACED: tuple[tuple[str, dict[str, str]], ...] = (
    ("compute", {"region": "CHN"}),
    ("ratio_to_us", {}),
    ("domestic_share_compute", {}),
    ("smuggled_units", {}),
    ("premium_black_market", {}),
    ("lag_months", {}),
    ("token_price", {"region": "CHN"}),
    ("korea_hbm_exports_total", {}),
)
"""The headline numbers that a report unfolds."""


@dataclass(frozen=True)
class Order:
    """What is to be simulated: everything that a manifest repeats."""

    scenarios: "tuple[Scenario, ...]"
    members: int
    seed: int
    facts: tuple[Path, ...] = ()


def check_order(order: Order) -> None:
    """Raise `InputError` for members or a seed out of range."""
    if not 1 <= order.members <= MOST_MEMBERS:
        raise InputError(f"members {order.members} is out of range; give 1 to {MOST_MEMBERS}")
    if not 0 <= order.seed < 2**63:
        raise InputError(f"seed {order.seed} is out of range; give 0 to {2**63 - 1}")


def load_facts(extra: Sequence[Path]) -> "Facts":
    """The shipped facts with the user's own directories laid over them."""
    from chipweir import facts

    return facts.load(tuple(extra))


def manifest(order: Order, facts: "Facts", command: Sequence[str]) -> dict[str, Any]:
    """The manifest of an order; `command` is what a person would type to repeat it."""
    from chipweir import store

    rules = store.code_digest("chipweir.rules")
    return store.manifest(order.scenarios, facts.digest, rules, order.members, order.seed, command)


def keep_compiled() -> None:
    """Let JAX keep what it compiles in the user's cache, so that only the first simulation after a change compiles."""
    import jax
    from platformdirs import user_cache_path

    config: Any = jax.config
    if config.jax_compilation_cache_dir is None:  # $JAX_COMPILATION_CACHE_DIR, if set, stands
        config.update("jax_compilation_cache_dir", str(user_cache_path("chipweir") / "compiled"))
        config.update("jax_persistent_cache_min_compile_time_secs", 1.0)
        config.update("jax_compilation_cache_max_size", 256 * 2**20)


def simulate(order: Order, facts: "Facts", cluster: str | None, parts: Path | None, progress: Progress) -> "xr.Dataset":
    """The ensemble, here or on a cluster, going on from the finished `parts` of a stopped call."""
    from chipweir import store
    from chipweir.cluster import cluster_map
    from chipweir.world import run_ensemble, task_name

    keep_compiled()
    with cluster_map(cluster) if cluster is not None else nullcontext(map) as mapper:
        mapper = mapper if parts is None else store.resuming(parts, task_name, mapper)
        try:
            results: xr.Dataset = run_ensemble(
                order.scenarios, facts, order.members, order.seed, progress, mapper=mapper
            )
        except Exception as error:
            if isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in str(error):  # the latter is how XLA says it
                raise InputError(f"not enough memory for {order.members} members; ask for fewer") from None
            raise
    return results


def filler(
    results: "xr.Dataset", order: Order, facts: "Facts", lang: str, report: bool = True
) -> Callable[[Path, Mapping[str, Any]], None]:
    """What puts headline, report and the user's own facts into a run's folder."""

    def fill(folder: Path, made: Mapping[str, Any]) -> None:
        from chipweir.report import headline_table, write_html

        cells = [cell.as_dict() for cell in headline_table(results, lang)]
        (folder / "headline.json").write_text(dumps(cells), encoding="utf-8")
        for number, source in enumerate(order.facts):
            _copy_facts(source, folder / "facts" / str(number))
        if report:
            extras = {"facts": facts, "command": f"chipweir run --from {made['id']}", **unfolded(order, facts)}
            write_html(attributed(results, made), folder / "report.html", lang=lang, extras=extras)

    return fill


def attributed(results: "xr.Dataset", made: Mapping[str, Any]) -> "xr.Dataset":
    """The dataset with what a reader of a file alone needs: seed, members, versions, digests, and the whole manifest."""
    kept = ("seed", "members", "code_version", "facts_digest", "rules_digest", "created")
    scenarios = ", ".join(entry["name"] for entry in made["scenarios"])
    return results.assign_attrs(
        title=f"Chipweir: {scenarios}",
        source=f"chipweir {made['code_version']}",
        manifest=json.dumps(made, ensure_ascii=False),
        **{name: made[name] for name in kept},
    )


def unfolded(order: Order, facts: "Facts") -> dict[str, Any]:
    """What the report says about its numbers: how each was made, and how known figures fit the baseline."""
    from chipweir.strategy import Number, swings

    first = order.scenarios[0]
    month = min("2030-12", first.end)
    numbers = [Number(variable, month, selection) for variable, selection in TRACED]
    traces = [{**trace.as_dict(), **influences(trace, facts)} for trace in swings(first, facts, numbers)]
    return {"traces": traces, **_fit(order, facts)}


def _fit(order: Order, facts: "Facts") -> dict[str, Any]:
    """The credibility table of the shipped baseline, if that is among the scenarios."""
    from chipweir.calibration import credibility
    from chipweir.report import credibility_record
    from chipweir.world import load_scenario, run_ensemble

    baseline = load_scenario("baseline")
    if baseline not in order.scenarios:
        return {}
    kept = run_ensemble((baseline,), facts, min(order.members, FIT_MEMBERS), order.seed, keep_members=True)
    rows = [verdict.as_dict() for verdict in credibility(kept)]
    return {"credibility": [credibility_record(row) for row in rows]}


def _copy_facts(source: Path, target: Path) -> None:
    target.mkdir(parents=True)
    for path in sorted(source.rglob("*")):
        if path.suffix in {".csv", ".yaml", ".yml"} and path.is_file():
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())


def influences(trace: "Trace", facts: "Facts") -> dict[str, Any]:
    """The facts and chips that moved a traced number, each with its value, source and what a per cent of it does."""
    found = {"facts": [{**_cited(facts, each.id), **asdict(each)} for each in trace.facts]}
    chips = [{**asdict(each), "text": f"{facts.chips[each.id].name}: {', '.join(each.enters)}"} for each in trace.chips]
    return {**found, "chips": chips}


def _titled(facts: "Facts", fact: "Fact") -> str:
    return facts.measures[fact.measure].titled(language())


def _cited(facts: "Facts", name: str) -> dict[str, Any]:
    """A fact or event as a line of a trace; the id alone where it is neither."""
    fact, event = facts.facts.get(name), facts.events.get(name)
    if fact is not None:
        value, source = fact.value, facts.sources.get(fact.value.source)
        return {
            "id": name,
            "text": " ".join(filter(None, (fact.entity_text, _titled(facts, fact), fact.item, fact.when))),
            "value": value.best,
            "unit": value.unit,
            "source": source.title if source else value.source,
            "url": value.url,
        }
    if event is not None:
        return {"id": name, "text": f"{event.date} {event.described(language())}", "source": event.source}
    return {"id": name}
