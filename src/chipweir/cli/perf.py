"""Commands of the perf room: `estimate` and `match`."""

import json
import math
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from chipweir.cli import _tables
from chipweir.cli._common import OwnFactsOption
from chipweir.cli._perf_options import (
    LEAVE_OUT,
    AgainstPrices,
    AsJson,
    Batch,
    Beside,
    Best,
    Chips,
    Concurrency,
    Country,
    DataDegree,
    Date,
    Drafts,
    Figure,
    Fit,
    Framework,
    FrameworkVersion,
    GlobalBatch,
    LeaveOut,
    Model,
    On,
    Operators,
    Out,
    OutputTokens,
    Overrides,
    PosteriorFile,
    Precision,
    PromptTokens,
    Quick,
    SeqLen,
    Stages,
    TargetTpot,
    TargetTtft,
    TensorDegree,
    Tokens,
    Training,
    Validate,
    complete_hardware,
    complete_model,
)
from chipweir.cli._perf_tables import (
    json_line,
    layout_words,
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


DEFAULT_TPOT_MS = 50.0
DEFAULT_ISL, DEFAULT_OSL = 2048.0, 512.0


def register(app: typer.Typer) -> None:
    """Add this room's commands to `app`."""
    app.command("estimate")(estimate)
    app.command("match")(match)


def estimate(
    context: typer.Context,
    model: Model = "",
    on: On = "",
    chips: Chips = None,
    precision: Precision = "",
    overrides: Overrides = None,
    isl: PromptTokens = None,
    osl: OutputTokens = None,
    concurrency: Concurrency = None,
    target_tpot: TargetTpot = None,
    target_ttft: TargetTtft = None,
    best: Best = False,
    framework: Framework = "",
    framework_version: FrameworkVersion = "",
    when: Date = "",
    tp: TensorDegree = None,
    dp: DataDegree = None,
    pp: Stages = None,
    drafts: Drafts = None,
    against_prices: AgainstPrices = False,
    beside: Beside = None,
    country: Country = "US",
    operators: Operators = False,
    figure: Figure = None,
    training: Training = False,
    global_batch: GlobalBatch = None,
    seq_len: SeqLen = None,
    tokens: Tokens = "",
    batch: Batch = None,
    validate: Validate = None,
    leave_out: LeaveOut = "",
    fit: Fit = None,
    out: Out = None,
    quick: Quick = False,
    posterior: PosteriorFile = None,
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
            target_tpot_ms=_target(concurrency, target_tpot, best),
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


def _target(concurrency: float | None, tpot_ms: float | None, best: bool) -> float | None:
    """The limit on ms per output token: as given, none with a load of its own or for the best, else the default."""
    if sum(x is not None for x in (concurrency, tpot_ms)) + best > 1:
        raise InputError("give only one of --concurrency, --target-tpot and --best")
    return DEFAULT_TPOT_MS if concurrency is None and tpot_ms is None and not best else tpot_ms


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
    from chipweir.perf import lay_over

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
    layout = layout_words(plan, memory["chips_per_replica"])
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
    from chipweir.perf import list_prices

    if "usd_per_million_output" not in found.cost:
        raise InputError(f"no cost to set beside prices: {found.cost.get('note', 'no price of the chip is known')}")
    return list_prices(
        facts.load(), found.model, day or f"{date.today():%Y-%m-%d}", found.cost["usd_per_million_output"],
        input_per_output=found.isl / found.osl, beside=beside,
    )  # fmt: skip


def _run_training(
    row: Mapping[str, str], overrides: Mapping[str, float | str], tokens: str, country: str, fitted: Any, as_json: bool
) -> None:
    from chipweir.perf import estimate_training, run_totals

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
    from chipweir.perf import predict_rows, read_rows

    answers = predict_rows(read_rows(path, said), posterior)
    if as_json:
        sys.stdout.writelines(json_line(answer) for answer in answers)
        return
    print_answers(answers, path.name)


def _run_fit(path: Path, said: Mapping[str, str], out: Path | None, quick: bool, as_json: bool) -> None:
    from chipweir.perf import fit_everything, read_rows, together

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
    from chipweir.perf import read_rows, validate

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
        from chipweir.perf import leave_out, left_out_table

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
    from chipweir.perf import roofline_figure

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
    from chipweir.perf import read_fitted

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
