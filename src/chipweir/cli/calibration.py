"""Commands of the calibration room: calibrate, backtest, credibility, forecast."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chipweir.cli import _tables
from chipweir.cli._common import (
    ClusterOption,
    FactsOption,
    JsonOption,
    LangOption,
    MembersOption,
    SeedOption,
    WhatIfOption,
    interruptible,
    mapper,
    print_json,
    progress_bar,
)
from chipweir.errors import InputError
from chipweir.i18n import _, use_language
from chipweir.library import keep_compiled


if TYPE_CHECKING:
    from chipweir.calibration import Fit, Observation
    from chipweir.facts import Facts

ObservationsOption = Annotated[
    Path | None,
    typer.Option(
        "--observations",
        help="CSV of own observations: variable, selection, operation, start, end, scale, low, central, high, source.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add this room's commands to `app`."""
    app.command("calibrate")(calibrate)
    app.command("backtest")(backtest)
    app.command("credibility")(credibility)
    app.command("forecast")(forecast)


def _load(directories: list[Path] | None, as_of: str = "", what_ifs: list[str] | None = None) -> "Facts":
    from chipweir.library import Known

    return Known.of(directories, what_ifs, as_of or None).load()


def calibrate(
    as_of: Annotated[str | None, typer.Option("--as-of", metavar="DATE", help="Fit as of this day.")] = None,
    members: MembersOption = 1_000,
    seed: SeedOption = 0,
    moves: Annotated[int, typer.Option(help="Sweeps of moves against the exact density after the smoother.")] = 24,
    out: Annotated[Path | None, typer.Option("--out", help="Write the posterior here (.npz).")] = None,
    facts: FactsOption = None,
    fact: WhatIfOption = None,
    observations: ObservationsOption = None,
    state: Annotated[
        Path | None, typer.Option(help="Directory in which a stopped fit leaves its state; default the user's cache.")
    ] = None,
    cluster: ClusterOption = None,
    lang: LangOption = "en",
    as_json: JsonOption = False,
) -> None:
    """Fit the parameters to what was observed: what moved, how series fit, which rows are out of reach."""
    from platformdirs import user_cache_path

    from chipweir.calibration import calibrate as fit
    from chipweir.calibration import parse_day, read_observations

    if not 20 <= members <= 20_000:
        raise InputError(f"--members {members} is out of range; a fit takes 20 to 20000")
    if moves < 0:
        raise InputError(f"--moves {moves} is out of range; give 0 or more")
    started = time.monotonic()
    folder = state or user_cache_path("chipweir") / "fits"
    with use_language(lang), interruptible(folder):
        known = _load(facts, parse_day(as_of) if as_of else "", fact)
        extra = read_observations(observations) if observations else ()
        keep_compiled()
        with progress_bar() as progress, mapper(cluster) as mapped:
            found = fit(known, members, seed, moves, extra, folder, progress, mapped)
        if out is not None:
            beside = out.with_name(f".{out.name}.part")
            with beside.open("wb") as file:
                found.posterior.save(file)
            beside.replace(out)
        document = {**_fit_document(found), "elapsed_s": round(time.monotonic() - started, 1)}
        print_json(document) if as_json else _print_fit(document, out)


def _fit_document(found: "Fit") -> dict[str, Any]:
    import numpy as np

    from chipweir.calibration import counted, logs

    rows, use = found.observations, counted(found.observations)
    observed = logs(rows)
    low, middle, high = np.quantile(found.fitted, [0.1, 0.5, 0.9], axis=0)
    before = np.quantile(found.prior, [0.1, 0.9], axis=0)
    two = [i for i in use if not rows[i].bound]
    series: dict[str, list[int]] = {}
    for i in two:
        series.setdefault(rows[i].series, []).append(i)
    fits = [
        {
            "series": name,
            "rows": len(places),
            "median_z": float(
                np.median([abs(observed[i] - middle[i]) / np.hypot(rows[i].scale, found.sizes[name]) for i in places])
            ),
            "model_error": found.sizes[name],
        }
        for name, places in series.items()
    ]
    posterior = found.posterior
    order = np.argsort(-np.abs(posterior.mean))[:10]
    reach = [
        rows[i].id
        for i in use
        if not (
            (found.prior[:, i] > observed[i] - 3 * rows[i].below)
            & (found.prior[:, i] < observed[i] + 3 * rows[i].above)
        ).any()
    ]
    return {
        "as_of": posterior.as_of,
        "observations": len(rows),
        "used": len(use),
        "echoes": [row.id for row in rows if row.echo],
        "steps": found.steps,
        "moves": found.moves,
        "accepted": found.accepted,
        "members": len(posterior.rows),
        "scores": len(posterior.columns),
        "inside_80_prior": float(np.mean([before[0, i] <= observed[i] <= before[1, i] for i in two])) if two else None,
        "inside_80": float(np.mean([low[i] <= observed[i] <= high[i] for i in two])) if two else None,
        "moved": [
            {"name": posterior.columns[i], "mean": float(posterior.mean[i]), "sd": float(posterior.spread[i])}
            for i in order
        ],
        "series": sorted(fits, key=lambda fit: -fit["median_z"]),
        "out_of_reach": reach,
        "digest": posterior.digest,
    }


def _print_fit(document: dict[str, Any], out: Path | None) -> None:
    echo = typer.echo
    first = _("fit as of {day}: {used} observations ({echoes} inputs of the model left out), {members} members")
    echo(
        first.format(
            day=document["as_of"], used=document["used"], echoes=len(document["echoes"]), members=document["members"]
        )
    )
    spent = _("{steps} steps and {moves} moves in {seconds} s")
    echo(spent.format(steps=document["steps"], moves=document["moves"], seconds=round(document["elapsed_s"])))
    if document["inside_80"] is not None:
        inside = _("within 80 %: {before} before, {after} after")
        echo(inside.format(before=f"{document['inside_80_prior']:.0%}", after=f"{document['inside_80']:.0%}"))
    _tables.show(
        [_("what moved"), "#" + _("mean (prior sd)"), "#" + _("spread")],
        [[each["name"], f"{each['mean']:+.2f}", f"{each['sd']:.2f}"] for each in document["moved"]],
    )
    _tables.show(
        [_("series"), "#" + _("rows"), "#" + _("median |z|"), "#" + _("model error")],
        [
            [each["series"], str(each["rows"]), f"{each['median_z']:.2f}", f"{each['model_error']:.2f}"]
            for each in document["series"]
        ],
    )
    if document["out_of_reach"]:
        echo(_("out of reach of every prior member: {ids}").format(ids=", ".join(document["out_of_reach"])))
    if out is not None:
        echo(str(out))


def backtest(
    as_of: Annotated[
        list[str] | None,
        typer.Option("--as-of", metavar="DATE", help="A cut-off (repeatable); default the shipped ones."),
    ] = None,
    observations: ObservationsOption = None,
    forecast: Annotated[
        Path | None, typer.Option("--forecast", help="Score this dated forecast instead of refitting the past.")
    ] = None,
    horizon: Annotated[int, typer.Option(help="Months after a cut-off that are scored.")] = 12,
    members: MembersOption = 500,
    refit: Annotated[bool, typer.Option("--refit", help="Fit each cut-off anew.")] = False,
    prior: Annotated[bool, typer.Option("--prior", help="Forecast from the prior.")] = False,
    facts: FactsOption = None,
    cluster: ClusterOption = None,
    lang: LangOption = "en",
    as_json: JsonOption = False,
) -> None:
    """Forecasts from earlier days against what came, beside forecasts without a model."""
    from chipweir.calibration import CUTOFFS, parse_day, read_observations
    from chipweir.calibration import backtest as run
    from chipweir.world import Posterior, posterior_of

    if horizon < 1:
        raise InputError(f"--horizon {horizon} is out of range; give 1 or more months")
    if not 20 <= members <= 20_000:
        raise InputError(f"--members {members} is out of range; give 20 to 20000")
    with use_language(lang):
        later = read_observations(observations) if observations else None
        if forecast is not None:
            _score(forecast, later, facts, as_json)
            return
        days = [parse_day(day) for day in as_of] if as_of else list(CUTOFFS)
        keep_compiled()

        def posterior(day: str) -> Posterior | None:
            if prior:
                return None
            if refit:
                from chipweir.calibration import calibrate as fit

                return fit(_load(facts, day)).posterior
            return posterior_of(_load(facts, day))

        with progress_bar() as progress, mapper(cluster) as mapped:
            found = run(
                lambda day: _load(facts, day), days, later, posterior, members, horizon, tell=progress, mapper=mapped
            )
        document = {"cutoffs": [each.as_dict() for each in found]}
        print_json(document) if as_json else _print_backtest(document)


def _print_backtest(document: dict[str, Any]) -> None:
    from chipweir.report import backtest_records, published_records

    for records in (backtest_records(document), published_records(document)):
        if records:
            _tables.show(list(records[0]), [list(record.values()) for record in records])


def _score(path: Path, later: "tuple[Observation, ...] | None", facts: list[Path] | None, as_json: bool) -> None:
    """A dated forecast against later observations: those of a file, or of the facts that came after it."""
    from chipweir.calibration import observations, read_forecast, score_forecast

    made = read_forecast(path)
    known = made.manifest.get("facts_known_by", "")
    given = later if later is not None else tuple(o for o in observations(_load(facts)) if f"{o.known_by}" > known)
    rows = score_forecast(made, given)
    if not rows:
        raise InputError(f"{path}: none of its rows is among the observations (same quantity, operation and months)")
    inside = sum(row["inside_80"] for row in rows) / len(rows)
    crps = sum(row["crps"] for row in rows) / len(rows)
    if as_json:
        print_json({"forecast": dict(made.manifest), "n": len(rows), "coverage_80": inside, "crps": crps, "rows": rows})
        return
    heads = [_("quantity"), _("months"), "#10 %", "#50 %", "#90 %", "#" + _("observed"), "#CRPS"]
    _tables.show(
        heads,
        [
            [r["variable"], f"{r['start']} – {r['end']}", *(f"{r[k]:.4g}" for k in ("p10", "p50", "p90", "observed")),
             f"{r['crps']:.3f}"]
            for r in rows
        ],
    )  # fmt: skip
    told = _("{n} rows scored, {inside} of them within 80 %, CRPS {crps}")
    typer.echo(told.format(n=len(rows), inside=f"{inside:.0%}", crps=f"{crps:.3f}"))


def credibility(
    members: MembersOption = 500,
    seed: SeedOption = 0,
    facts: FactsOption = None,
    observations: ObservationsOption = None,
    cluster: ClusterOption = None,
    lang: LangOption = "en",
    as_json: JsonOption = False,
) -> None:
    """Every observation beside what the model believed before and after it saw them, whether or not they fit."""
    from chipweir.calibration import by_series, read_observations, summary
    from chipweir.calibration import credibility as measured

    if not 2 <= members <= 20_000:
        raise InputError(f"--members {members} is out of range; give 2 to 20000")
    with use_language(lang):
        rows = read_observations(observations) if observations else None
        keep_compiled()
        with progress_bar() as progress, mapper(cluster) as mapped:
            verdicts = measured(_load(facts), members, seed, rows=rows, tell=progress, mapper=mapped)
        records, whole = [verdict.as_dict() for verdict in verdicts], summary(verdicts)
        if as_json:
            print_json({"summary": whole, "series": by_series(verdicts), "observations": records})
            return
        _tables.show_credibility(records, lang)
        told = _("{n} observations, {echoes} inputs of the model, {bounds} bounds")
        typer.echo(told.format(n=whole["observations"], echoes=whole["echoes"], bounds=whole["bounds"]))
        if whole["two_sided"]:
            inside = _("within 80 %: {before} before, {after} after")
            typer.echo(inside.format(before=f"{whole['prior_80']:.0%}", after=f"{whole['fitted_80']:.0%}"))


def forecast(
    scenario: Annotated[
        str, typer.Argument(help="Scenario to forecast with; its policy events are drawn.")
    ] = "forecast",
    first: Annotated[str, typer.Option("--from", help="First year.")] = "2026",
    last: Annotated[str, typer.Option("--to", help="Last year.")] = "2028",
    members: MembersOption = 1_000,
    seed: SeedOption = 1,
    as_of: Annotated[str | None, typer.Option("--as-of", metavar="DATE", help="As of this day.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the table here; `backtest --forecast` scores it later.")
    ] = None,
    facts: FactsOption = None,
    lang: LangOption = "en",
    as_json: JsonOption = False,
) -> None:
    """What the model says of the years to come, as a dated table that later facts can be scored against."""
    from chipweir.calibration import forecast as foretell
    from chipweir.calibration import parse_day
    from chipweir.world import believing, posterior_of

    if not 20 <= members <= 20_000:
        raise InputError(f"--members {members} is out of range; give 20 to 20000")
    with use_language(lang):
        known = _load(facts, parse_day(as_of) if as_of else "")
        keep_compiled()
        with progress_bar() as progress, believing(posterior_of(known)):
            made = foretell(known, scenario, members, seed, first, last, progress)
        if out is not None:
            beside = out.with_name(f".{out.name}.part")
            beside.write_text(made.text(), encoding="utf-8")
            beside.replace(out)
        if as_json:
            print_json({"manifest": dict(made.manifest), "rows": [dict(row) for row in made.rows]})
        else:
            heads = [_("quantity"), _("months"), _("unit"), "#10 %", "#50 %", "#90 %"]
            _tables.show(
                heads,
                [
                    [
                        r["variable"],
                        f"{r['start']} – {r['end']}",
                        r["unit"],
                        *(f"{r[k]:.4g}" for k in ("p10", "p50", "p90")),
                    ]
                    for r in made.rows
                ],
            )
