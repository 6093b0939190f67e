"""A run from the order to the folder: what the command line, the library and a notebook do alike.

An order says what is simulated; its manifest holds everything that determines the numbers; what a run's folder holds
beside them (headline, report, own facts) is made here and nowhere else.
"""

import json
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chipweir.errors import InputError
from chipweir.i18n import _, language
from chipweir.library._documents import dumps
from chipweir.library._known import Known


if TYPE_CHECKING:
    import xarray as xr

    from chipweir.calibration import Reweighted
    from chipweir.facts import Fact, Facts
    from chipweir.store import Run
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


# A posterior of the user's own within a run's folder.
_BELIEFS = "beliefs.npz"


@dataclass(frozen=True)
class Order:
    """What is to be simulated: everything that a manifest repeats."""

    scenarios: "tuple[Scenario, ...]"
    members: int
    seed: int
    known: Known = field(default_factory=Known)
    prior: bool = False
    posterior: Path | None = None

    @classmethod
    def of_run(cls, stored: "Run") -> "Order":
        """What a stored run was made from; before there was a posterior, all were drawn from the prior."""
        made = stored.manifest
        prior = bool(made.get("beliefs", "prior") == "prior")
        own = stored.path / _BELIEFS
        posterior = own if own.exists() else None
        return cls(stored.scenarios, made["members"], made["seed"], Known.of_run(stored), prior, posterior)


def check_order(order: Order) -> None:
    if order.prior and order.posterior is not None:
        raise InputError("--prior and --posterior say different things; give one")
    if not 1 <= order.members <= MOST_MEMBERS:
        raise InputError(f"members {order.members} is out of range; give 1 to {MOST_MEMBERS}")
    if not 0 <= order.seed < 2**63:
        raise InputError(f"seed {order.seed} is out of range; give 0 to {2**63 - 1}")


def manifest(order: Order, facts: "Facts", command: Sequence[str]) -> dict[str, Any]:
    from chipweir import store

    rules = store.code_digest("chipweir.rules")
    made = store.manifest(order.scenarios, facts.digest, rules, order.members, order.seed, command)
    made |= {"beliefs": beliefs(order, facts)}
    return made | {"as_of": order.known.as_of, "what_ifs": what_ifs(facts), "replaced": _replaced(facts)}


def beliefs(order: Order, facts: "Facts") -> str:
    """What the draws believe, said where it does not match the facts or the model."""
    from chipweir.world import description, mismatch, posterior_of, read_posterior

    held = None if order.prior else read_posterior(order.posterior) if order.posterior else posterior_of(facts)
    if held is not None:
        lines = mismatch(held, facts)
        for line in lines:
            print(f"chipweir: warning: {line}", file=sys.stderr)
        if lines and order.posterior is None and (order.known.changes or order.known.directories):
            print("chipweir: `--refit` reweights beliefs to them, where they are near enough", file=sys.stderr)
    return description(held)


def refitted(order: Order, facts: "Facts", progress: Progress | None = None) -> tuple[Order, "Reweighted"]:
    """The order with the shipped posterior reweighted to its facts (see `chipweir.calibration.reweight`), kept in the cache.

    Raises `InputError` where nothing was changed, where draws are from elsewhere, or where too few rows stay effective.
    """
    from hashlib import sha256

    from platformdirs import user_cache_path

    from chipweir.calibration import reweight
    from chipweir.world import posterior_of

    if not (order.known.changes or order.known.directories):
        raise InputError("--refit reweights beliefs to changed facts; give it --fact or --facts")
    if order.prior or order.posterior is not None:
        raise InputError("--refit reweights the shipped beliefs; leave out --prior and --posterior")
    before = replace(order.known, directories=(), changes={}).load()
    held = posterior_of(before)
    if held is None:
        raise InputError(f"no posterior is shipped for facts as of {order.known.as_of}; `chipweir calibrate` makes one")
    keep_compiled()
    found = reweight(held, before, facts, tell=progress)
    folder = user_cache_path("chipweir") / "fits"
    folder.mkdir(parents=True, exist_ok=True)
    name = sha256(f"{held.digest}\n{facts.digest}".encode()).hexdigest()[:16]
    path = folder / f"reweighted-{name}.npz"
    beside = path.with_suffix(".part")
    with beside.open("wb") as file:
        found.posterior.save(file)
    beside.replace(path)
    return replace(order, posterior=path), found


def what_ifs(facts: "Facts") -> list[dict[str, Any]]:
    """The facts that `--fact` changed: what was known, and what was put in its place."""
    laid = [each for each in facts.overrides if each.kind == "what-if"]
    return [
        {"id": each.id, "what_if": facts.changes[each.id], "from": _reported(each.replaced), "to": _reported(each.by)}
        for each in laid
        if each.id in facts.changes
    ]


def changed_facts(made: Mapping[str, Any]) -> list[str]:
    """What a run's facts differ in from those that ship, a line each, in the language in force."""
    lines = [_("Facts and rules as they were known on {day}.", day=made["as_of"])] if made.get("as_of") else []
    lines += [
        _("What if {fact} were {written}: {now} in place of {was}",
          fact=each["id"], written=each["what_if"], now=each["to"], was=each["from"])
        for each in made.get("what_ifs", ())
    ]  # fmt: skip
    if made.get("replaced"):
        lines.append(_("Replaced by own facts: {facts}", facts=", ".join(made["replaced"])))
    return lines


def _replaced(facts: "Facts") -> list[str]:
    """Ids of shipped facts that a user's own directory replaces."""
    return sorted(f"{each.kind} {each.id}" for each in facts.overrides if each.kind != "what-if")


def _reported(record: Any) -> str:
    """A value as its source words it, with its unit."""
    value = getattr(record, "value", record)
    best = getattr(value, "best", None)
    return "" if best is None else f"{best:g} {value.unit}".strip()


def keep_compiled() -> None:
    """Let JAX keep what it compiles in the user's cache, so that only the first simulation after a change compiles."""
    import jax
    from platformdirs import user_cache_path

    config: Any = jax.config
    if config.jax_compilation_cache_dir is None:  # $JAX_COMPILATION_CACHE_DIR, if set, stands
        config.update("jax_compilation_cache_dir", str(user_cache_path("chipweir") / "compiled"))
        config.update("jax_persistent_cache_min_compile_time_secs", 1.0)
        config.update("jax_compilation_cache_max_size", 256 * 2**20)
        # Another process may make room at the same moment: then this one compiles, and there is nothing to tell.
        warnings.filterwarnings("ignore", "Error (reading|writing) persistent compilation cache")


def simulate(order: Order, facts: "Facts", cluster: str | None, parts: Path | None, progress: Progress) -> "xr.Dataset":
    """The ensemble, here or on a cluster, going on from the finished `parts` of a stopped call."""
    from chipweir import store
    from chipweir.cluster import cluster_map
    from chipweir.world import believing, read_posterior, run_ensemble, task_name

    keep_compiled()
    held = None if order.posterior is None else read_posterior(order.posterior)
    own = nullcontext() if held is None else believing(held)
    with own, cluster_map(cluster) if cluster is not None else nullcontext(map) as mapper:
        mapper = mapper if parts is None else store.resuming(parts, task_name, mapper)
        try:
            return run_ensemble(
                order.scenarios, facts, order.members, order.seed, progress, mapper=mapper, prior=order.prior
            )
        except Exception as error:
            if isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in str(error):  # the latter is how XLA says it
                raise InputError(f"not enough memory for {order.members} members; ask for fewer") from None
            raise


def filler(
    results: "xr.Dataset", order: Order, facts: "Facts", lang: str, report: bool
) -> Callable[[Path, Mapping[str, Any]], None]:
    """What puts headline, report and the user's own facts into a run's folder."""

    def fill(folder: Path, made: Mapping[str, Any]) -> None:
        from chipweir.report import headline_table, write_html

        cells = [cell.as_dict() for cell in headline_table(results, lang)]
        (folder / "headline.json").write_text(dumps(cells), encoding="utf-8")
        if order.posterior is not None:
            (folder / _BELIEFS).write_bytes(order.posterior.read_bytes())
        for number, source in enumerate(order.known.directories):
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
    """The credibility table, if the shipped baseline is among the scenarios."""
    from chipweir.calibration import credibility
    from chipweir.report import credibility_record
    from chipweir.world import load_scenario

    if load_scenario("baseline") not in order.scenarios:
        return {}
    rows = [verdict.as_dict() for verdict in credibility(facts, min(order.members, FIT_MEMBERS), order.seed)]
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
    known = facts.chips
    names = {each.id: known[each.id].name if each.id in known else each.id for each in trace.chips}
    chips = [{**asdict(each), "text": f"{names[each.id]}: {', '.join(each.enters)}"} for each in trace.chips]
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
