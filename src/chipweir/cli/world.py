"""Commands of the world room: run and compare; stored runs and scenarios have modules of their own."""

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chipweir import reading
from chipweir.cli import _tables
from chipweir.cli._common import (
    AsOfOption,
    ClusterOption,
    FactsOption,
    JsonOption,
    LabelsArgument,
    LangOption,
    MembersOption,
    OutOption,
    PosteriorOption,
    PriorOption,
    RefitOption,
    SeedOption,
    VariableArgument,
    WhatIfOption,
    complete_run,
    complete_scenario,
    interruptible,
    labels_of,
    peak_memory,
    print_json,
    progress_bar,
)
from chipweir.cli._evidence import show_evidence
from chipweir.cli._scenarios import levers_command, scenarios_app
from chipweir.cli._stored import runs_app
from chipweir.errors import InputError, UnknownName
from chipweir.i18n import _, use_language
from chipweir.library import (
    Known,
    Order,
    attributed,
    beliefs,
    changed_facts,
    check_order,
    filler,
    influences,
    keep_compiled,
    manifest,
    refitted,
    simulate,
)


if TYPE_CHECKING:
    import xarray as xr

    from chipweir.store import Run
    from chipweir.world import Scenario

COMPARED_YEARS = (2025, 2026, 2028, 2030, 2032)
"""Years that `compare` tells in JSON; the table has the last but one, so that it stands on one screen."""


def register(app: typer.Typer) -> None:
    """Add this room's commands to `app`."""
    app.command("run")(run)
    app.command("compare")(compare)
    app.command("explain")(explain)
    app.command("levers")(levers_command)
    app.add_typer(runs_app, name="runs")
    app.add_typer(scenarios_app, name="scenarios")


def run(
    scenario: Annotated[
        list[str] | None,
        typer.Argument(
            help="Shipped scenarios by name, files by path; default baseline, blockade, weir, open.",
            autocompletion=complete_scenario,
        ),
    ] = None,
    members: MembersOption = 1_000,
    seed: SeedOption = 1,
    out: OutOption = None,
    prior: PriorOption = False,
    posterior: PosteriorOption = None,
    refit: RefitOption = False,
    setting: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="lever=value or lever=value@2026-12: run each scenario with and without it.",
        ),
    ] = None,
    facts: FactsOption = None,
    fact: WhatIfOption = None,
    as_of: AsOfOption = None,
    cluster: ClusterOption = None,
    repeat: Annotated[
        str | None,
        typer.Option(
            "--from", help="Repeat this run from its manifest and check equality.", autocompletion=complete_run
        ),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Run the named model checks over every lever.")] = False,
    credibility: Annotated[
        bool, typer.Option("--credibility", help="Prior and posterior intervals against published figures.")
    ] = False,
    report: Annotated[bool, typer.Option(help="Write the HTML report.")] = True,
    lang: LangOption = "en",
    as_json: JsonOption = False,
) -> None:
    """Simulate scenarios, store the run, print the headline table and write the report."""
    from chipweir import store

    started = time.monotonic()
    with use_language(lang), interruptible(store.runs_directory(out)):
        if repeat is not None:
            if scenario or setting or check or credibility or facts or fact or as_of:
                raise InputError(
                    "--from takes everything from the run's manifest; give it no scenario, --set, facts or --check"
                )
            _repeat(repeat, store.runs_directory(out), cluster, as_json)
        elif check or credibility:
            if scenario or setting or facts or fact or as_of:
                raise InputError(
                    "--check and --credibility are about the model itself; give them no scenario, --set or facts"
                )
            _questions(check, credibility, members, seed, lang, as_json)
        else:
            known = Known.of(facts, fact, as_of)
            order = Order(_chosen(scenario or [], setting or []), members, seed, known, prior, posterior)
            order = _refitted(order) if refit else order
            _run_and_print(order, store.runs_directory(out), cluster, report, lang, as_json, started)


def _refitted(order: Order) -> Order:
    """The order with beliefs reweighted to its facts, saying on stderr what that came to."""
    check_order(order)
    with progress_bar() as progress:
        order, found = refitted(order, order.known.load(), progress)
    text = _(
        "beliefs reweighted to {count} changed observations: {effective} of {rows} rows are effective, {truncated} weights "
        "truncated",
        count=len(found.changed), effective=round(found.effective), rows=found.rows, truncated=found.truncated,
    )  # fmt: skip
    typer.echo(f"chipweir: {text}", err=True)
    return order


def _chosen(names: Sequence[str], settings: Sequence[str]) -> "tuple[Scenario, ...]":
    """The scenarios of a call, each followed by its changed twin where there are settings."""
    from chipweir.world import DEFAULT_RUN, load_scenario

    found = [load_scenario(name) for name in names or (DEFAULT_RUN if not settings else DEFAULT_RUN[:1])]
    if settings:
        changes = dict(_parse_setting(text) for text in settings)
        found += [each.with_settings(changes, name=f"{each.name}-changed") for each in found]
    listed = [each.name for each in found]
    for name in listed:
        if listed.count(name) > 1:
            raise InputError(f"two scenarios are called '{name}'; give one of them another name")
    for each in found[1:]:
        if (each.start, each.end) != (found[0].start, found[0].end):
            raise InputError(
                f"{each.name} runs from {each.start} to {each.end} and {found[0].name} from {found[0].start} to "
                f"{found[0].end}; scenarios of one run need the same months"
            )
    for each in found:
        for line in each.warnings():
            typer.echo(f"chipweir: warning: {line}", err=True)
    return tuple(found)


def _parse_setting(text: str) -> tuple[str, object]:
    """`us.enforcement=2@2026-12` as a lever's name and what a scenario file would hold for it."""
    name, separator, written = text.partition("=")
    value, at, month = written.rpartition("@") if "@" in written else (written, "", "")
    if not separator or not name.strip() or not value.strip() or (at and not month):
        raise InputError(f"--set {text}: write lever=value or lever=value@2026-12")
    parsed = reading.yaml_value(value, f"--set {reading.clean(text)}")
    return name.strip(), {month.strip(): parsed} if at else parsed


def _run_and_print(
    order: Order, directory: Path, cluster: str | None, report: bool, lang: str, as_json: bool, started: float
) -> None:
    from chipweir import store
    from chipweir.world import needed_bytes

    check_order(order)
    store.prepare(directory, needed_bytes(order.scenarios, order.members))
    facts = order.known.load()
    command = ["chipweir", *sys.argv[1:]]
    made = manifest(order, facts, command)
    with progress_bar() as progress, store.unfinished(directory, store.identity(made)) as parts:
        results = simulate(order, facts, cluster, parts, progress)
        made |= {"elapsed_s": round(time.monotonic() - started, 1), "peak_memory_mb": peak_memory()}
        progress(1.0, _("writing"))
        fill = filler(results, order, facts, lang, report)
        stored = store.write_run(directory, attributed(results, made), made, fill)
    elapsed = round(time.monotonic() - started, 1)
    _print_run(stored, lang, as_json, {"elapsed_s": elapsed, "peak_memory_mb": peak_memory()})


def _print_run(stored: "Run", lang: str, as_json: bool, spent: Mapping[str, Any]) -> None:
    page = stored.path / "report.html"
    where = str(page) if page.exists() else None
    if as_json:
        made = stored.manifest
        names = [each["name"] for each in made["scenarios"]]
        document = {"run": stored.id, "path": str(stored.path), "report": where, "scenarios": names}
        document |= {
            key: made[key]
            for key in ("members", "seed", "facts_digest", "rules_digest", "results", "as_of", "what_ifs")
        }
        from chipweir.report import findings

        said = [each.as_dict() for each in findings(stored.results, lang)]
        print_json({**document, **spent, "findings": said, "headline": stored.headline()})
        return
    _tables.print_findings(stored.results, lang)
    _tables.print_headline(stored.results, lang)
    out = _tables.console()
    for line in changed_facts(stored.manifest):
        out.print(line, soft_wrap=True, markup=False)
    if not out.is_terminal or len(stored.manifest["scenarios"]) > 1:
        out.print()
    out.print(_("run") + f": {stored.path}", soft_wrap=True)
    if where:
        out.print(_("report") + f": {where}", soft_wrap=True)
    out.print(f"{spent['elapsed_s']:.0f} s, {spent['peak_memory_mb']:,} MB", style="dim")


def _repeat(name: str, directory: Path, cluster: str | None, as_json: bool) -> None:
    """Run again what a manifest describes and say whether every bit is the same."""
    from chipweir import store

    old = store.find_run(name, directory)
    order = Order.of_run(old)
    check_order(order)
    facts = order.known.load()
    now = manifest(order, facts, old.manifest["command"])
    changed = [
        f"{key}: {old.manifest[key]} -> {now[key]}"
        for key in ("code_digest", "facts_digest", "rules_digest", "beliefs", "versions", "python")
        if old.manifest.get(key, now[key]) != now[key]
    ]
    with progress_bar() as progress:
        results = simulate(order, facts, cluster, None, progress)
    equal = store.dataset_digest(results) == old.manifest["results"]
    furthest = 0.0 if equal else _furthest(old.results, results)
    if as_json:
        print_json({"run": old.id, "equal": equal, "largest_relative_difference": furthest, "changed": changed})
    else:
        typer.echo(f"{old.id}: " + ("repeated exactly" if equal else f"differs by up to {furthest:.1e} (relative)"))
        for line in changed:
            typer.echo(f"  changed since: {line}")
    if not equal:
        raise typer.Exit(1)


def _furthest(old: "xr.Dataset", new: "xr.Dataset") -> float:
    """The largest relative difference of any number both hold; infinite where the shapes differ."""
    import numpy as np

    worst = 0.0
    for name in old.data_vars:
        if name not in new or old[name].shape != new[name].shape or old[name].dtype.kind not in "if":
            return float("inf")
        one, other = old[name].values.astype(float), new[name].values.astype(float)
        if (np.isnan(one) != np.isnan(other)).any():
            return float("inf")
        scale = np.maximum(np.abs(one), np.abs(other))
        gaps = np.abs(one - other) / np.where(scale > 0, scale, 1)
        worst = max(worst, float(np.nanmax(gaps, initial=0.0)))
    return worst


def _questions(check: bool, credibility: bool, members: int, seed: int, lang: str, as_json: bool) -> None:
    """Model checks and the credibility table: exit 1 where a check fails."""
    document: dict[str, Any] = {}
    if check:
        document["checks"] = _check_rows(seed)
    if credibility:
        document["credibility"] = _credibility_rows(members, seed)
    if as_json:
        print_json(document)
    for name, rows in document.items():
        if not as_json:
            _tables.show_checks(rows) if name == "checks" else _tables.show_credibility(rows, lang)
    if not all(row["passed"] for row in document.get("checks", [])):
        raise typer.Exit(1)


def _check_rows(seed: int) -> list[dict[str, Any]]:
    from chipweir.strategy import run_checks

    keep_compiled()
    with progress_bar() as progress:
        return [outcome.as_dict() for outcome in run_checks(Known().load(), seed=seed, progress=progress)]


def _credibility_rows(members: int, seed: int) -> list[dict[str, Any]]:
    from chipweir.calibration import credibility
    from chipweir.world import load_scenario

    keep_compiled()
    check_order(Order((load_scenario("baseline"),), members, seed))
    with progress_bar() as progress:
        return [verdict.as_dict() for verdict in credibility(Known().load(), members, seed, tell=progress)]


def compare(
    names: Annotated[
        list[str],
        typer.Argument(
            help="[RUN] A B: a stored run and two of its scenarios, or two scenarios to simulate.",
            metavar="[RUN] A B",
            autocompletion=complete_scenario,
        ),
    ],
    years: Annotated[list[int] | None, typer.Option("--year", help="December of this year (repeatable).")] = None,
    members: MembersOption = 1_000,
    seed: SeedOption = 1,
    out: OutOption = None,
    prior: PriorOption = False,
    posterior: PosteriorOption = None,
    refit: RefitOption = False,
    facts: FactsOption = None,
    fact: WhatIfOption = None,
    as_of: AsOfOption = None,
    lang: LangOption = "en",
    as_json: JsonOption = False,
) -> None:
    """Paired differences B minus A, with 80 % intervals and the probability that B is higher."""
    from chipweir import store

    if len(names) not in (2, 3):
        raise InputError(f"compare takes [RUN] A B; {len(names)} names were given")
    *stored, a, b = names
    if a == b:
        raise InputError(f"compare needs two different scenarios; both are '{a}'")
    with use_language(lang), interruptible(store.runs_directory(out)):
        if stored:
            if refit:
                raise InputError("a run has its own facts and beliefs; give --refit with scenarios and --fact")
            source = store.find_run(stored[0], store.runs_directory(out))
            results = _pair_of_run(source, a, b)
            a, b = (name if name in results["scenario"].values else Path(name).stem for name in (a, b))
        else:
            order = Order(_chosen([a, b], []), members, seed, Known.of(facts, fact, as_of), prior, posterior)
            a, b = (each.name for each in order.scenarios)
            results = _simulated(_refitted(order) if refit else order)
        rows = _difference_rows(results, a, b, years or COMPARED_YEARS)
        if as_json:
            from chipweir.report import findings

            said = [each.as_dict() for each in findings(results, lang, scenarios=[a, b])]
            document = {"run": source.id if stored else None, "a": a, "b": b, "findings": said}
            print_json({**document, "differences": [row for row, _texts in rows]})
            return
        _tables.print_findings(results, lang, [a, b])
        shown = [texts for row, texts in rows if years or row["month"][:4] == str(COMPARED_YEARS[-2])]
        _tables.show_differences(shown or [texts for _row, texts in rows], a, b)
        if not years:
            typer.echo(_("other years: --year 2028, or --json for all"), err=True)


def _simulated(order: Order) -> "xr.Dataset":
    check_order(order)
    facts = order.known.load()
    beliefs(order, facts)
    with progress_bar() as progress:
        return simulate(order, facts, None, None, progress)


def _pair_of_run(source: "Run", a: str, b: str) -> "xr.Dataset":
    """Results that hold the pair: the stored ones, or the two scenarios simulated again with the run's own draws."""
    from chipweir.strategy import holds_pair

    if holds_pair(source.results, a, b):
        return source.results
    chosen = {each.name: each for each in source.scenarios}
    pair = (chosen[a], chosen[b])
    return _simulated(replace(Order.of_run(source), scenarios=pair))


def _difference_rows(
    results: "xr.Dataset", a: str, b: str, years: Sequence[int]
) -> list[tuple[dict[str, Any], dict[str, str]]]:
    """For every headline quantity and year: the numbers, and the texts of the table."""
    from chipweir.report import _numbers, quantities
    from chipweir.strategy import differences

    rows = []
    for item in quantities(results):
        for found in differences(results, a, b, item.variable, [f"{year}-12" for year in years], **item.selection):
            numbers = {"key": item.key, "label": item.text(), **found.as_dict()}
            signed = [
                " … ".join(_numbers.signed(bound, item.kind) for bound in bounds)
                for bounds in ((found.median,), found.p80)
            ]
            texts = {
                "label": item.text(),
                "month": found.month,
                "a": _numbers.quantity(found.a, item.kind),
                "b": _numbers.quantity(found.b, item.kind),
                "p_greater": "=" if found.p_greater is None else _numbers.share(found.p_greater),
            }
            rows.append((numbers, texts | dict(zip(("difference", "p80"), signed, strict=True))))
    if not rows:
        raise InputError(f"no headline quantity of this run has a value in December of {', '.join(map(str, years))}")
    return rows


def explain(
    source: Annotated[
        str,
        typer.Argument(metavar="RUN|SCENARIO", help="A stored run or a scenario.", autocompletion=complete_scenario),
    ],
    variable: VariableArgument,
    labels: LabelsArgument = None,
    month: Annotated[str, typer.Option("--month", help="Such as 2030-12.")] = "2030-12",
    scenario: Annotated[
        str | None, typer.Option("--scenario", help="Which scenario of the run; default its first.")
    ] = None,
    top: Annotated[int, typer.Option("--top", help="How many parameters to list.")] = 10,
    evidence: Annotated[
        bool, typer.Option("--evidence", help="What narrowed the number, and what would narrow it most.")
    ] = False,
    out: OutOption = None,
    facts: FactsOption = None,
    fact: WhatIfOption = None,
    as_of: AsOfOption = None,
    lang: LangOption = "en",
    as_json: JsonOption = False,
) -> None:
    """How a number was made: equations, facts with sources, and the parameters that move it most."""
    from chipweir import store
    from chipweir.strategy import explain as trace
    from chipweir.world import parse_month

    if top < 1:
        raise InputError(f"--top {top} is out of range; give 1 or more")
    selection = labels_of(labels)
    with use_language(lang), interruptible(store.runs_directory(out)):
        chosen, stored = _scenario_of(source, scenario, store.runs_directory(out))
        if stored and (facts or fact or as_of):
            raise InputError("a run has its own facts; give --facts, --fact and --as-of with a scenario")
        known = (stored or Known.of(facts, fact, as_of)).load()
        keep_compiled()
        if evidence:
            show_evidence(chosen, known, variable, selection, parse_month(month, "--month"), top, as_json)
            return
        found = trace(chosen, known, variable, parse_month(month, "--month"), top, **selection)
        document = {**found.as_dict(), **influences(found, known)}
        if as_json:
            print_json(document)
        else:
            _tables.print_trace(document)


def _scenario_of(source: str, name: str | None, directory: Path) -> "tuple[Scenario, Known | None]":
    """A scenario by its own name, or one of a stored run's, with the facts it was run with."""
    from chipweir import store
    from chipweir.world import load_scenario, preset_names

    if source in preset_names() or Path(source).suffix in {".yaml", ".yml"}:
        if name is not None:
            raise InputError(f"--scenario chooses within a run; {source} is a scenario itself")
        return load_scenario(source), None
    stored = store.find_run(source, directory)
    by_name = {each.name: each for each in stored.scenarios}
    if name is not None and name not in by_name:
        raise UnknownName("scenario", name, by_name, where=f"run {stored.id}")
    return by_name[name] if name else stored.scenarios[0], Known.of_run(stored)
