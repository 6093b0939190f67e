"""Commands of the perf room: `estimate` and `match`."""

import json
import math
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from chipweir.cli import _tables
from chipweir.cli._common import OwnFactsOption
from chipweir.cli._perf_tables import (
    json_line,
    print_alternatives,
    print_answers,
    print_json,
    print_left_out,
    print_match,
    print_operators,
    print_prices,
    print_validation,
    quantity_rows,
    run_rows,
)
from chipweir.errors import InputError
from chipweir.i18n import _
from chipweir.library import QUANTITIES


AsJson = Annotated[bool, typer.Option("--json", help="Print JSON: one document, or one line per row with --batch.")]
DEFAULT_TPOT_MS = 50.0
DEFAULT_ISL, DEFAULT_OSL = 2048.0, 512.0


def register(app: typer.Typer) -> None:
    """Add this room's commands to `app`."""
    app.command("estimate")(estimate)
    app.command("match")(match)


def _starting(names: Iterable[str], incomplete: str) -> list[str]:
    """Names a shell can complete without quotes, in whatever case they were begun."""
    begun = incomplete.casefold()
    return sorted({name for name in names if name.casefold().startswith(begun) and not set(name) & set(" ()'|/")})


def complete_model(incomplete: str) -> list[str]:
    """Ids, names and aliases of language models."""
    from chipweir import facts

    return _starting((n for m in facts.load().models.values() for n in (m.id, m.name, *m.aliases)), incomplete)


def complete_hardware(incomplete: str) -> list[str]:
    """Ids, names and aliases of chips and systems."""
    from chipweir import facts

    known = facts.load()
    records: list[Any] = [*known.chips.values(), *known.systems.values()]
    return _starting((n for r in records for n in (r.id, r.name, *r.aliases)), incomplete)


def complete_country(incomplete: str) -> list[str]:
    """Codes of countries."""
    from chipweir import facts

    return _starting(facts.load().countries, incomplete)


def _choices(*names: str) -> Callable[[str], list[str]]:
    return lambda incomplete: _starting(names, incomplete)


LEAVE_OUT = ("chip", "generation", "vendor", "model", "family", "date")
LOAD, TRAIN, TABLES = "Serving", "Training", "Tables and fits"


def estimate(
    context: typer.Context,
    model: Annotated[
        str, typer.Argument(help="A language model, such as DeepSeek-V3.1.", autocompletion=complete_model)
    ] = "",
    on: Annotated[
        str, typer.Option("--on", metavar="CHIP|SYSTEM", help="A chip or a system.", autocompletion=complete_hardware)
    ] = "",
    chips: Annotated[int | None, typer.Option(metavar="N", help="Number of chips; by default chosen.")] = None,
    precision: Annotated[
        str,
        typer.Option(
            help="bf16, fp8, fp4, int8, int4 (training also mxfp8); by default as published, in training bf16.",
            autocompletion=_choices("bf16", "fp8", "fp4", "int8", "int4", "mxfp8"),
        ),
    ] = "",
    overrides: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="FIELD=VALUE", help="A hardware number of your own in SI units (memory_bandwidth=5e12)."
        ),
    ] = None,
    isl: Annotated[
        float | None, typer.Option(help="Prompt tokens per request (default 2048).", rich_help_panel=LOAD)
    ] = None,
    osl: Annotated[
        float | None, typer.Option(help="Output tokens per request (default 512).", rich_help_panel=LOAD)
    ] = None,
    concurrency: Annotated[float | None, typer.Option(help="Requests present at a time.", rich_help_panel=LOAD)] = None,
    target_tpot: Annotated[
        float | None,
        typer.Option(metavar="MS", help="Most ms per output token (default 50).", rich_help_panel=LOAD),
    ] = None,
    target_ttft: Annotated[
        float | None,
        typer.Option(metavar="MS", help="Most ms to the first token.", rich_help_panel=LOAD),
    ] = None,
    best: Annotated[
        bool, typer.Option("--best", help="Most tokens/s per chip, whatever the latency.", rich_help_panel=LOAD)
    ] = False,
    framework: Annotated[
        str,
        typer.Option(
            help="trt, sglang, vllm or other; by default the chip maker's usual one.",
            rich_help_panel=LOAD,
            autocompletion=_choices("trt", "sglang", "vllm", "other"),
        ),
    ] = "",
    framework_version: Annotated[
        str, typer.Option(metavar="V", help="Its version, such as 0.11.0.", rich_help_panel=LOAD)
    ] = "",
    when: Annotated[
        str,
        typer.Option(
            "--date", metavar="YYYY-MM", help="Date of the software, and of prices (default: mid-2026, latest)."
        ),
    ] = "",
    tp: Annotated[float | None, typer.Option(help="Chips a layer is split over.", rich_help_panel=LOAD)] = None,
    dp: Annotated[float | None, typer.Option(help="Ranks of data-parallel attention.", rich_help_panel=LOAD)] = None,
    pp: Annotated[float | None, typer.Option(help="Pipeline stages.", rich_help_panel=LOAD)] = None,
    drafts: Annotated[float | None, typer.Option(help="Tokens drafted a step.", rich_help_panel=LOAD)] = None,
    against_prices: Annotated[
        bool,
        typer.Option("--against-prices", help="Cost beside the dated API price, with margin.", rich_help_panel=LOAD),
    ] = False,
    beside: Annotated[
        list[str] | None,
        typer.Option(metavar="MODEL", help="With --against-prices: the price of another model.", rich_help_panel=LOAD),
    ] = None,
    country: Annotated[
        str,
        typer.Option(
            metavar="CC",
            help="Country whose power price is paid.",
            rich_help_panel=LOAD,
            autocompletion=complete_country,
        ),
    ] = "US",
    operators: Annotated[
        bool, typer.Option("--operators", help="Also the roofline of every operator.", rich_help_panel=LOAD)
    ] = False,
    figure: Annotated[
        Path | None,
        typer.Option(help="Draw the roofline into this .html, .svg, .png or .pdf file.", rich_help_panel=LOAD),
    ] = None,
    training: Annotated[
        bool, typer.Option("--training", help="Training instead of serving.", rich_help_panel=TRAIN)
    ] = False,
    global_batch: Annotated[float | None, typer.Option(help="Sequences per step.", rich_help_panel=TRAIN)] = None,
    seq_len: Annotated[float | None, typer.Option(help="Tokens per sequence.", rich_help_panel=TRAIN)] = None,
    tokens: Annotated[
        str,
        typer.Option(
            metavar="N",
            help="Tokens of the whole run, such as 14.8T: FLOP, chip-hours, days, cost.",
            rich_help_panel=TRAIN,
        ),
    ] = "",
    batch: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Estimate every row of a table.", rich_help_panel=TABLES)
    ] = None,
    validate: Annotated[
        Path | None,
        typer.Option(metavar="FILE.csv", help="Errors on a table of measurements.", rich_help_panel=TABLES),
    ] = None,
    leave_out: Annotated[
        str,
        typer.Option(
            metavar="chip|generation|vendor|model|family|date",
            help="With --validate: refit without each in turn.",
            rich_help_panel=TABLES,
            autocompletion=_choices(*LEAVE_OUT),
        ),
    ] = "",
    fit: Annotated[
        Path | None,
        typer.Option(metavar="FILE.csv", help="Fit serving, training and power to a table.", rich_help_panel=TABLES),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE|FOLDER",
            help="With --fit: one file for all, or an existing folder for one file a part.",
            rich_help_panel=TABLES,
        ),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="With --fit: no refits for the intervals.", rich_help_panel=TABLES)
    ] = False,
    posterior: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE|FOLDER", help="Estimate with a fit of your own (what --fit wrote).", rich_help_panel=TABLES
        ),
    ] = None,
    own_facts: OwnFactsOption = None,
    as_json: AsJson = False,
) -> None:
    """Speed, latency, power and cost of a model on a chip or system, with 80 % intervals; of one or of a table."""
    modes = [name for name, value in (("--batch", batch), ("--fit", fit), ("--validate", validate)) if value]
    if len(modes) > 1:
        raise InputError(f"{' and '.join(modes)} cannot be combined")
    fitted = _posterior(posterior)
    on = _own_chip(context, on)
    numbers = {"n_chips": chips, "concurrency": concurrency, "isl": isl, "osl": osl, "tp": tp, "dp": dp, "pp": pp}
    said = {"model": model, "chip": on, "precision": precision, "framework": framework, "date": when}
    said |= {name: f"{value:g}" for name, value in numbers.items() if value is not None}
    said = {name: cell for name, cell in said.items() if cell}
    if batch:
        _run_batch(batch, said, fitted, as_json)
    elif fit:
        _run_fit(fit, said, out, quick, as_json)
    elif validate:
        _run_validate(validate, said, fitted, leave_out, as_json)
    elif not model or not on:
        raise InputError(
            "say which model and on what: chipweir estimate MODEL --on CHIP (or --batch, --fit, --validate FILE)"
        )
    elif training:
        serving = {"--isl": isl, "--osl": osl, "--concurrency": concurrency, "--target-tpot": target_tpot,
                   "--target-ttft": target_ttft, "--framework-version": framework_version or None, "--drafts": drafts,
                   "--figure": figure, "--against-prices": against_prices or None}  # fmt: skip
        _refuse(
            {**serving, "--best": best or None, "--operators": operators or None}, "is about serving, not --training"
        )
        row = {"phase": "training", "model": model, "chip": on, "precision": precision, "date": when}
        row |= {"framework": framework or ("megatron" if when else "")}
        numbers = {"n_chips": chips, "global_batch": global_batch, "seq_len": seq_len, "tp": tp, "dp": dp, "pp": pp}
        row |= {name: f"{value:g}" for name, value in numbers.items() if value is not None}
        _run_training(row, _overrides(overrides or []), tokens, country, fitted, as_json)
    else:
        _refuse({"--global-batch": global_batch, "--seq-len": seq_len, "--tokens": tokens or None}, "needs --training")
        if beside and not against_prices:
            raise InputError("--beside needs --against-prices")
        layout = {name: degree for name, degree in (("tp", tp), ("dp", dp), ("pp", pp)) if degree is not None}
        if sum(x is not None for x in (concurrency, target_tpot)) + best > 1:
            raise InputError("give only one of --concurrency, --target-tpot and --best")
        if concurrency is None and target_tpot is None and not best:
            target_tpot = DEFAULT_TPOT_MS
        _run_one(
            model,
            on,
            figure,
            operators,
            as_json,
            (beside or []) if against_prices else None,
            chips=chips,
            isl=DEFAULT_ISL if isl is None else isl,
            osl=DEFAULT_OSL if osl is None else osl,
            concurrency=concurrency,
            target_tpot_ms=target_tpot,
            target_ttft_ms=target_ttft,
            precision_name=precision,
            framework=_framework(framework),
            framework_version=framework_version,
            date=when,
            layout=layout,
            drafts=drafts,
            overrides=_overrides(overrides or []),
            country=country,
            posterior=fitted,
        )


def match(
    context: typer.Context,
    a: Annotated[str, typer.Argument(metavar="A", help="A chip or system.", autocompletion=complete_hardware)],
    b: Annotated[
        str,
        typer.Argument(metavar="B", help="The chip or system whose job A is to do.", autocompletion=complete_hardware),
    ],
    model: Annotated[
        str, typer.Option("--model", help="The model to serve and train.", autocompletion=complete_model)
    ] = "DeepSeek-V3.1",
    tpot: Annotated[float, typer.Option(metavar="MS", help="Decode at this many ms per output token.")] = 50.0,
    isl: Annotated[float, typer.Option(help="Prompt tokens per request.")] = 4096.0,
    osl: Annotated[float, typer.Option(help="Output tokens per request.")] = 1024.0,
    own_facts: OwnFactsOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """How many of A do the job of B: by datasheet, training, prefill, decode at equal latency, power and capital."""
    from chipweir.perf import match as compare

    a, b = _own_chip(context, a), _own_chip(context, b)
    found = compare(a, b, model, tpot_s=tpot / 1e3, isl=isl, osl=osl)
    if as_json:
        print_json(found.record())
    else:
        print_match(found)


def _refuse(options: Mapping[str, Any], why: str) -> None:
    """Raise `InputError` for the first option that was given and would be ignored."""
    for name, value in options.items():
        if value is not None:
            raise InputError(f"{name} {why}")


def _own_chip(context: typer.Context, name: str) -> str:
    """The id of the chip of a datasheet file, in force until the command ends; another name as it is."""
    if not name.lower().endswith((".yaml", ".yml")):
        return name
    from tempfile import TemporaryDirectory

    from chipweir import facts
    from chipweir.perf._datasheet import lay_over

    folder = Path(context.with_resource(TemporaryDirectory(prefix="chipweir-")))
    identifier = lay_over(Path(name), folder)
    context.with_resource(facts.in_force(facts.load(folder)))
    return identifier


def _run_one(
    model: str,
    on: str,
    figure: Path | None,
    operators: bool,
    as_json: bool,
    beside: Sequence[str] | None,
    **options: Any,
) -> None:
    """`beside`: models whose price stands beside, None without prices."""
    from chipweir.perf import estimate as one

    found = one(model, on, **options)
    if figure is not None:
        _draw(found, figure, options["overrides"])
    record = found.record()
    if beside is not None:
        record["prices"] = _prices(found, beside, options["date"])
    if not operators:
        record.pop("operators")
    if as_json:
        print_json(record)
        return
    title = f"{found.model} ({found.dtype}) · {found.chips} x {found.chip} · {found.isl:g} + {found.osl:g} tokens"
    _tables.show([_("quantity"), "#" + _("median"), "#" + _("80 % interval")], quantity_rows(found.quantities), title)
    plan, memory = found.plan, found.memory
    layout = (
        f"tp {plan['tp']:g}, attention dp {plan['attention_dp']:g}, "
        + (f"{plan['pp']:g} pipeline stages, " if plan["pp"] > 1 else "")
        + f"{plan['replicas']:g} x "
        f"{memory['chips_per_replica']:g} chips"
    )
    typer.echo(_("plan: {layout}; {n} requests at a time", layout=layout, n=f"{plan['concurrency']:g}"))
    typer.echo(_("binds: {what}", what=found.binds))
    typer.echo(
        _("memory: weights {weights} GB, cache {cache} kB per token, room for {sequences} sequences",
          weights=f"{memory['weights_bytes'] / 1e9:,.1f}", cache=f"{memory['cache_bytes_per_token'] / 1e3:,.1f}",
          sequences=f"{memory['most_sequences_per_replica']:,.0f}")
    )  # fmt: skip
    if "usd_per_million_output" in found.cost:
        rows = [(k, found.cost[k]) for k in ("usd_per_chip_hour", "usd_per_million_output", "usd_per_million_tokens")]
        costs = (f"{_(QUANTITIES[k])} {v['p50']:.3g} ({v['p10']:.3g}-{v['p90']:.3g})" for k, v in rows)
        typer.echo(_("cost of owning: {costs}", costs="; ".join(costs)))
    if found.alternatives:
        print_alternatives(found.alternatives)
    if beside is not None:
        print_prices(record["prices"])
    for note in found.notes:
        typer.echo(_("note: {what}", what=note))
    if operators:
        print_operators(found.operators)


def _prices(found: Any, beside: Sequence[str], day: str) -> list[dict[str, Any]]:
    """Dated list prices beside the cost of an estimate, on the latest day where none is given."""
    from datetime import date

    from chipweir import facts
    from chipweir.perf._cost import list_prices

    if "usd_per_million_output" not in found.cost:
        raise InputError(f"no cost to set beside prices: {found.cost.get('note', 'no price of the chip is known')}")
    return list_prices(
        facts.load(), found.model, day or f"{date.today():%Y-%m-%d}", found.cost["usd_per_million_output"],
        input_per_output=found.isl / found.osl, beside=beside,
    )  # fmt: skip


def _run_training(
    row: Mapping[str, str], overrides: Mapping[str, float | str], tokens: str, country: str, fitted: Any, as_json: bool
) -> None:
    from chipweir.perf._training_rows import estimate_training, run_totals

    answer = estimate_training(row, overrides, fitted.training if fitted else None)
    if tokens:
        answer |= {"run": run_totals(answer, row, tokens, country)}
    if as_json:
        print_json({"model": row["model"], "on": row["chip"], **answer})
        return
    quantities = {k: v for k, v in answer.items() if isinstance(v, Mapping) and "p50" in v}
    title = f"{row['model']} · {row['chip']} · training"
    _tables.show([_("quantity"), "#" + _("median"), "#" + _("80 % interval")], quantity_rows(quantities), title)
    plan = ", ".join(f"{k} {v:g}" for k, v in answer["plan"].items() if not math.isnan(v))
    typer.echo(_("plan: {layout}", layout=plan))
    typer.echo(_("binds: {what}", what=answer["binds"]))
    if tokens:
        _tables.show([_("quantity"), _("median"), _("80 % interval")], run_rows(answer["run"]), _("the whole run"))
    for note in answer.get("notes", ()):
        typer.echo(_("note: {what}", what=note))


def _run_batch(path: Path, said: Mapping[str, str], posterior: Any, as_json: bool) -> None:
    from chipweir.perf._batch import predict_rows
    from chipweir.perf._measured import read_rows

    answers = predict_rows(read_rows(path, said), posterior)
    if as_json:
        sys.stdout.writelines(json_line(answer) for answer in answers)
        return
    print_answers(answers, path.name)


def _run_fit(path: Path, said: Mapping[str, str], out: Path | None, quick: bool, as_json: bool) -> None:
    from chipweir.perf._fitted import fit_everything, together
    from chipweir.perf._measured import read_rows

    folder = out is not None and out.is_dir()
    if out is not None and not out.absolute().parent.is_dir():
        raise InputError(f"{out}: no such folder")
    rows = read_rows(path, said)
    command = f"chipweir estimate --fit {path.name}"
    try:
        documents = fit_everything(rows, command, quick=quick, say=_log)
    except ImportError as error:
        raise InputError(f"fitting needs the 'fit' extra: pip install 'chipweir[fit]' ({error})") from None
    text = together(documents)
    if out is not None:
        for target, content in [(out / n, d) for n, d in documents.items()] if folder else [(out, text)]:
            _write(target, content)
            _log(f"wrote {target} ({len(content) / 1e3:.0f} kB)")
    if as_json or out is None:
        print_json(json.loads(text))


def _log(line: str) -> None:
    """Progress goes to the error stream: the standard one holds the answer alone."""
    print(line, file=sys.stderr, flush=True)


def _run_validate(path: Path, said: Mapping[str, str], posterior: Any, leave_out: str, as_json: bool) -> None:
    from chipweir.perf._measured import read_rows
    from chipweir.perf._validate import validate

    if leave_out not in ("", *LEAVE_OUT):
        raise InputError(f"--leave-out takes {', '.join(LEAVE_OUT[:-1])} or {LEAVE_OUT[-1]}, not '{leave_out}'")
    rows = read_rows(path, said)
    report = {"left_out": _left_out(rows, leave_out)} if leave_out else validate(rows, posterior)
    if as_json:
        print_json(report)
    elif leave_out:
        print_left_out(report["left_out"])
    else:
        print_validation(report)


def _left_out(rows: Sequence[Mapping[str, str]], by: str) -> dict[str, Any]:
    """Errors of serving and of training on what the fit has not seen; a table may hold only one of them."""
    try:
        from chipweir.perf._training_fit import left_out_table
        from chipweir.perf._validate import leave_out

        report: dict[str, Any] = {"by": by, "overall": {}, "groups": {}}
        reasons = []
        for table in (left_out_table, leave_out):
            try:
                found = table(rows, by, _log)
            except InputError as error:
                reasons.append(str(error))
                continue
            report["overall"] |= found["overall"]
            for name, scores in found["groups"].items():
                report["groups"].setdefault(name, {}).update(scores)
    except ImportError as error:
        raise InputError(f"refitting needs the 'fit' extra: pip install 'chipweir[fit]' ({error})") from None
    if not report["overall"]:
        raise InputError("; ".join(reasons))
    return report


def _draw(found: Any, path: Path, overrides: Mapping[str, float | str]) -> None:
    from chipweir.perf._figure import roofline_figure

    drawing = roofline_figure(found, overrides)
    suffix = path.suffix.lower()
    if suffix not in (".html", ".svg", ".png", ".pdf"):
        raise InputError(f"{path}: a figure is .html, .svg, .png or .pdf")
    if suffix == ".html":
        _write(path, drawing.to_html(include_plotlyjs=True, full_html=True))
        return
    try:
        picture = drawing.to_image(format=suffix[1:], scale=2)
    except Exception as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InputError(
            f"{path}: a {suffix} picture needs kaleido and a Chrome browser ({first}); .html needs neither"
        ) from None
    _write(path, picture)


def _write(path: Path, content: str | bytes) -> None:
    """Write beside the target and rename, so that nothing half-written stays."""
    part = path.with_name(path.name + ".part")
    try:
        if isinstance(content, bytes):
            part.write_bytes(content)
        else:
            part.write_text(content, encoding="utf-8")
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise InputError(f"{path}: cannot be written ({error.strerror or error})") from None


def _posterior(path: Path | None) -> Any:
    if path is None:
        return None
    from chipweir.perf._fitted import read_fitted

    return read_fitted(path)


def _framework(name: str) -> str:
    if name and name not in ("trt", "sglang", "vllm", "other"):
        raise InputError(f"framework must be trt, sglang, vllm or other, not '{name}'")
    return name


def _overrides(texts: Sequence[str]) -> dict[str, float | str]:
    found: dict[str, float | str] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign:
            raise InputError(f"--set takes FIELD=VALUE, not '{text}'")
        try:
            found[name.strip()] = float(value)
        except ValueError:
            found[name.strip()] = value.strip()
    return found
