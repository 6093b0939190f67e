"""Commands of the perf room: `estimate` and `match`."""

import json
import math
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from chipweir.errors import InputError
from chipweir.i18n import _


AsJson = Annotated[bool, typer.Option("--json", help="Print JSON: one document, or one line per row with --batch.")]
UNITS = {
    "output_tok_s_chip": "output tokens/s per chip",
    "total_tok_s_chip": "all tokens/s per chip",
    "input_tok_s_chip": "input tokens/s per chip",
    "ttft_ms": "ms to the first token",
    "tpot_ms": "ms per output token",
    "power_w_chip": "W per chip",
    "j_per_output_token": "J per output token",
    "tokens_s_chip_train": "training tokens/s per chip",
    "step_time_s": "s per step",
    "tflops_chip": "TFLOP/s per chip",
    "mfu": "model FLOPs utilisation",
}
DEFAULT_TPOT_MS = 50.0
DEFAULT_ISL, DEFAULT_OSL = 2048.0, 512.0
SIZES = ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"))


def register(app: typer.Typer) -> None:
    """Add this room's commands to `app`."""
    app.command("estimate")(estimate)
    app.command("match")(match)


def estimate(
    model: Annotated[str, typer.Argument(help="A language model, such as DeepSeek-V3.1.")] = "",
    on: Annotated[str, typer.Option("--on", metavar="CHIP|SYSTEM", help="A chip or a system.")] = "",
    chips: Annotated[int | None, typer.Option(help="Number of chips.")] = None,
    isl: Annotated[float | None, typer.Option(help="Prompt tokens per request (default 2048).")] = None,
    osl: Annotated[float | None, typer.Option(help="Output tokens per request (default 512).")] = None,
    concurrency: Annotated[float | None, typer.Option(help="Requests present at a time.")] = None,
    target_tpot: Annotated[
        float | None, typer.Option(metavar="MS", help="Most ms per output token (default 50).")
    ] = None,
    best: Annotated[bool, typer.Option("--best", help="Most tokens/s per chip, whatever the latency.")] = False,
    precision: Annotated[str, typer.Option(help="bf16, fp8, fp4, int8, int4; by default as published.")] = "",
    framework: Annotated[str, typer.Option(help="trt, sglang, vllm or other.")] = "",
    country: Annotated[str, typer.Option(metavar="CC", help="Country whose power price is paid.")] = "US",
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="A hardware number of your own, SI units.")
    ] = None,
    training: Annotated[bool, typer.Option("--training", help="Training instead of serving.")] = False,
    global_batch: Annotated[float | None, typer.Option(help="Training: sequences per step.")] = None,
    seq_len: Annotated[float | None, typer.Option(help="Training: tokens per sequence.")] = None,
    operators: Annotated[bool, typer.Option("--operators", help="Also the roofline of every operator.")] = False,
    figure: Annotated[Path | None, typer.Option(help="Draw the roofline into this .html, .svg or .png file.")] = None,
    batch: Annotated[Path | None, typer.Option(metavar="FILE.csv", help="Estimate every row of a table.")] = None,
    fit: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Fit serving, training and power to measurements.")
    ] = None,
    validate: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Errors on a table of measurements.")
    ] = None,
    leave_out: Annotated[
        str, typer.Option(metavar="chip|model", help="With --validate: refit without each in turn.")
    ] = "",
    posterior: Annotated[
        Path | None, typer.Option(metavar="FILE|FOLDER", help="Estimate with a fit of your own (what --fit wrote).")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE|FOLDER", help="With --fit: one file for all, or an existing folder for one file a part."
        ),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="With --fit: no refits for the intervals.")] = False,
    as_json: AsJson = False,
) -> None:
    """Speed, latency, power and cost of a model on a chip or system, with 80 % intervals; of one or of a table."""
    modes = [name for name, value in (("--batch", batch), ("--fit", fit), ("--validate", validate)) if value]
    if len(modes) > 1:
        raise InputError(f"{' and '.join(modes)} cannot be combined")
    if modes and model:
        raise InputError(f"{modes[0]} takes a table, not the model '{model}'")
    fitted = _posterior(posterior)
    if batch:
        _run_batch(batch, fitted, as_json)
    elif fit:
        _run_fit(fit, out, quick, as_json)
    elif validate:
        _run_validate(validate, fitted, leave_out, as_json)
    elif not model or not on:
        raise InputError(
            "say which model and on what: chipweir estimate MODEL --on CHIP (or --batch, --fit, --validate FILE)"
        )
    elif training:
        serving = {"--isl": isl, "--osl": osl, "--concurrency": concurrency, "--target-tpot": target_tpot,
                   "--framework": framework or None, "--figure": figure}  # fmt: skip
        _refuse(
            {**serving, "--best": best or None, "--operators": operators or None}, "is about serving, not --training"
        )
        row = {"phase": "training", "model": model, "chip": on, "precision": precision}
        numbers = {"n_chips": chips, "global_batch": global_batch, "seq_len": seq_len}
        row |= {name: f"{value:g}" for name, value in numbers.items() if value is not None}
        _run_training(row, _overrides(overrides or []), fitted, as_json)
    else:
        _refuse({"--global-batch": global_batch, "--seq-len": seq_len}, "needs --training")
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
            chips=chips,
            isl=DEFAULT_ISL if isl is None else isl,
            osl=DEFAULT_OSL if osl is None else osl,
            concurrency=concurrency,
            target_tpot_ms=target_tpot,
            precision_name=precision,
            framework=_framework(framework),
            overrides=_overrides(overrides or []),
            country=country,
            posterior=fitted,
        )


def match(
    a: Annotated[str, typer.Argument(metavar="A", help="A chip or system.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The chip or system whose job A is to do.")],
    model: Annotated[str, typer.Option("--model", help="The model to serve and train.")] = "DeepSeek-V3.1",
    tpot: Annotated[float, typer.Option(metavar="MS", help="Decode at this many ms per output token.")] = 50.0,
    isl: Annotated[float, typer.Option(help="Prompt tokens per request.")] = 4096.0,
    osl: Annotated[float, typer.Option(help="Output tokens per request.")] = 1024.0,
    as_json: AsJson = False,
) -> None:
    """How many of A do the job of B: by datasheet, training, prefill, decode at equal latency, power and capital."""
    from chipweir.perf import match as compare

    found = compare(a, b, model, tpot_s=tpot / 1e3, isl=isl, osl=osl)
    if as_json:
        _print_json(found.record())
    else:
        _print_match(found)


def _print_match(found: Any) -> None:
    """The comparison at a width of 80: values, ratios, then notes, intervals and where A wins in words."""
    rows = [
        [
            _(m.quantity), _with_unit(m.a, m.unit), _with_unit(m.b, m.unit), _short(m.needed), _short(m.per_chip),
            _short(m.per_watt), _short(m.per_dollar),
        ]
        for m in found.measures
    ]  # fmt: skip
    head = ["", "A", "B", _("A for one B"), _("A/B per chip"), _("per watt"), _("per dollar")]
    for line in (
        _("{a} against {b}, {model}", a=found.a, b=found.b, model=found.model),
        f"A: {found.a}" + (f" ({found.chips[0]:,})" if found.chips[0] > 1 else ""),
        f"B: {found.b}" + (f" ({found.chips[1]:,})" if found.chips[1] > 1 else ""),
    ):
        _echo_wrapped(line)
    _print_table(head, rows, "", narrow=True)
    for m in found.measures:
        if m.note:
            _echo_wrapped(f"{_(m.quantity)}: {m.note}")
    uncertain = [m for m in found.measures if m.log_sd > 0 and 0 < m.needed < math.inf]
    ranges = (
        f"{_(m.quantity)} {_short(m.needed / factor)}-{_short(m.needed * factor)}"
        for m in uncertain
        for factor in [math.exp(1.2816 * m.log_sd)]
    )
    _echo_wrapped(_("80 % interval of A for one B: {ranges}", ranges=", ".join(ranges) or "-"))
    for basis in ("unit", "chip", "watt", "dollar"):
        # A single chip against a single chip: the unit is the chip.
        if basis != "unit" or found.chips != (1, 1):
            _echo_wrapped(_where_a_wins(found, basis))


def _where_a_wins(found: Any, basis: str) -> str:
    """One sentence: by unit, chip, watt or dollar, where A is ahead of B, behind it, or within 2 %."""
    name = {"unit": "ratio", "chip": "per_chip", "watt": "per_watt", "dollar": "per_dollar"}[basis]
    ahead, behind = found.wins.get(basis, ()), found.losses.get(basis, ())
    even = [
        m.quantity
        for m in found.measures
        if m.quantity not in (*ahead, *behind, "chips") and not math.isnan(getattr(m, name))
    ]
    if not (ahead or behind or even):
        return _("by {basis}: not known", basis=_(basis))
    words = [", ".join(_(q) for q in names) or _("nothing") for names in (ahead, behind, even)]
    line = _("by {basis}: A wins in {ahead}; loses in {behind}", basis=_(basis), ahead=words[0], behind=words[1])
    return line + (_("; within 2 % in {even}", even=words[2]) if even else "")


def _with_unit(value: float, unit: str) -> str:
    """A number with a prefixed unit, short enough for a narrow column."""
    if math.isnan(value):
        return "-"
    short = {"tokens/s": "tok/s", "chips": ""}.get(unit, unit)
    size, prefix = next(((size, name) for size, name in (*SIZES, (1e3, "k")) if abs(value) >= size), (1.0, ""))
    if not short or value == 0:
        return f"{value:,.0f} {short}".strip()
    return f"{value / size:.3g} {prefix}{short}"


def _echo_wrapped(text: str) -> None:
    """Text folded at the width of the terminal, further lines indented."""
    from textwrap import fill

    width = max(40, min(shutil.get_terminal_size((100, 24)).columns, 120))
    typer.echo(fill(text, width, subsequent_indent="  ", break_on_hyphens=False))


def _refuse(options: Mapping[str, Any], why: str) -> None:
    """Raise `InputError` for the first option that was given and would be ignored."""
    for name, value in options.items():
        if value is not None:
            raise InputError(f"{name} {why}")


def _run_one(model: str, on: str, figure: Path | None, operators: bool, as_json: bool, **options: Any) -> None:
    from chipweir.perf import estimate as one

    found = one(model, on, **options)
    if figure is not None:
        _draw(found, figure)
    record = found.record()
    if not operators:
        record.pop("operators")
    if as_json:
        _print_json(record)
        return
    title = f"{found.model} ({found.dtype}) · {found.chips} x {found.chip} · {found.isl:g} + {found.osl:g} tokens"
    _print_table([_("quantity"), _("median"), _("80 % interval")], _quantity_rows(found.quantities), title)
    plan, memory = found.plan, found.memory
    layout = (
        f"tp {plan['tp']:g}, attention dp {plan['attention_dp']:g}, {plan['replicas']:g} x "
        f"{memory['chips_per_replica']:g} chips"
    )
    typer.echo(_("plan: {layout}; {n} requests at a time", layout=layout, n=f"{plan['concurrency']:g}"))
    typer.echo(_("binds: {what}", what=found.binds))
    typer.echo(
        f"memory: weights {memory['weights_bytes'] / 1e9:,.1f} GB, "
        f"cache {memory['cache_bytes_per_token'] / 1e3:,.1f} kB per token, "
        f"room for {memory['most_sequences_per_replica']:,.0f} sequences"
    )
    if "usd_per_million_output" in found.cost:
        rows = [(k, found.cost[k]) for k in ("usd_per_chip_hour", "usd_per_million_output", "usd_per_million_tokens")]
        typer.echo(
            "cost of owning: "
            + "; ".join(f"{k.replace('_', ' ')} {v['p50']:.3g} ({v['p10']:.3g}-{v['p90']:.3g})" for k, v in rows)
        )
    for note in found.notes:
        typer.echo(f"note: {note}")
    if operators:
        _print_operators(found.operators)


def _run_training(row: Mapping[str, str], overrides: Mapping[str, float | str], fitted: Any, as_json: bool) -> None:
    from chipweir.perf._training_rows import estimate_training

    answer = estimate_training(row, overrides, fitted.training if fitted else None)
    if as_json:
        _print_json({"model": row["model"], "on": row["chip"], **answer})
        return
    quantities = {k: v for k, v in answer.items() if isinstance(v, Mapping) and "p50" in v}
    title = f"{row['model']} · {row['chip']} · training"
    _print_table([_("quantity"), _("median"), _("80 % interval")], _quantity_rows(quantities), title)
    plan = ", ".join(f"{k} {v:g}" for k, v in answer["plan"].items() if not math.isnan(v))
    typer.echo(_("plan: {layout}", layout=plan))
    typer.echo(_("binds: {what}", what=answer["binds"]))
    for note in answer.get("notes", ()):
        typer.echo(f"note: {note}")


def _run_batch(path: Path, posterior: Any, as_json: bool) -> None:
    from chipweir.perf._batch import predict_rows
    from chipweir.perf._measured import read_rows

    answers = predict_rows(read_rows(path), posterior)
    if as_json:
        sys.stdout.writelines(_line(answer) for answer in answers)
        return
    rows = []
    for answer in answers:
        made = answer.get("predictions", {})
        cells = [
            _short(made[q]["p50"]) if q in made else ""
            for q in ("output_tok_s_chip", "tpot_ms", "ttft_ms", "power_w_chip", "tokens_s_chip_train")
        ]
        rows.append([str(answer["row"]), answer["id"] or "", *cells, answer.get("reason", "")])
    head = [_("row"), "id", "output tok/s", "TPOT ms", "TTFT ms", "W", "train tok/s", _("reason")]
    _print_table(head, rows, path.name)


def _run_fit(path: Path, out: Path | None, quick: bool, as_json: bool) -> None:
    from chipweir.perf._fitted import fit_everything, together
    from chipweir.perf._measured import read_rows

    folder = out is not None and out.is_dir()
    if out is not None and not out.absolute().parent.is_dir():
        raise InputError(f"{out}: no such folder")
    rows = read_rows(path)
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
        _print_json(json.loads(text))


def _log(line: str) -> None:
    """Progress goes to the error stream: the standard one holds the answer alone."""
    print(line, file=sys.stderr, flush=True)


def _run_validate(path: Path, posterior: Any, leave_out: str, as_json: bool) -> None:
    from chipweir.perf._measured import read_rows
    from chipweir.perf._validate import validate

    if leave_out not in ("", "chip", "model"):
        raise InputError(f"--leave-out takes chip or model, not '{leave_out}'")
    rows = read_rows(path)
    report = {"left_out": _left_out(rows, leave_out)} if leave_out else validate(rows, posterior)
    if as_json:
        _print_json(report)
    elif leave_out:
        _print_left_out(report["left_out"])
    else:
        _print_validation(report)


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


def _print_validation(report: Mapping[str, Any]) -> None:
    head = ["", _("quantity"), "n", _("median error"), _("mean error"), _("bias (ln)"), _("in 80 %")]
    _print_table(head, [_score_row("all", q, s) for q, s in report["overall"].items()], _("All rows"))
    for group, table in report["groups"].items():
        _print_table(
            head,
            [_score_row(label, q, s) for label, by in table.items() for q, s in by.items()],
            _("By {group}", group=_(group)),
        )
    for quantity, table in report["baselines"].items():
        rows = [
            [name, str(s["n"]), f"{s['median_ape']:.1%}", f"{s['mean_ape']:.1%}", f"{s['bias_log']:+.2f}"]
            for name, s in table.items()
        ]
        _print_table(
            [quantity, "n", _("median error"), _("mean error"), _("bias (ln)")],
            rows,
            _("Beside the baselines, same rows"),
        )
    for reason, count in sorted(report["without"].items(), key=lambda item: -item[1])[:20]:
        typer.echo(f"{count} without a prediction: {reason}")


def _print_left_out(report: Mapping[str, Any]) -> None:
    rows = [
        ["all", q, str(s["n"]), f"{s['median_ape']:.1%}", f"{s['mean_ape']:.1%}", f"{s['bias_log']:+.2f}"]
        for q, s in report["overall"].items()
    ]
    for label, by in report["groups"].items():
        rows += [
            [label, q, str(s["n"]), f"{s['median_ape']:.1%}", f"{s['mean_ape']:.1%}", f"{s['bias_log']:+.2f}"]
            for q, s in by.items()
        ]
    head = ["", _("quantity"), "n", _("median error"), _("mean error"), _("bias (ln)")]
    _print_table(head, rows, _("Left out in turn: {what}", what=report["by"]))


def _score_row(label: str, quantity: str, s: Mapping[str, float]) -> list[str]:
    return [
        label,
        quantity,
        f"{s['n']}",
        f"{s['median_ape']:.1%}",
        f"{s['mean_ape']:.1%}",
        f"{s['bias_log']:+.2f}",
        f"{s['coverage_80']:.0%}",
    ]


def _print_operators(operators: Sequence[Mapping[str, Any]]) -> None:
    rows = [
        [
            o["pass"],
            o["operator"].replace("_", " "),
            _short(o["gflop"]),
            _short(o["mbyte"]),
            f"{o['intensity']:.3g}",
            f"{o['roofline_us']:.3g}",
            f"{o['estimate_us']:.3g}",
            o["binds"],
        ]
        for o in operators
    ]
    head = [_("pass"), _("operator"), "GFLOP", "MB", "FLOP/B", _("roofline µs"), _("estimate µs"), _("binds")]
    _print_table(head, rows, _("One pass on one chip"))


def _draw(found: Any, path: Path) -> None:
    from chipweir.perf._figure import roofline_figure

    drawing = roofline_figure(found)
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


def _quantity_rows(quantities: Mapping[str, Mapping[str, float]]) -> list[list[str]]:
    return [
        [_(UNITS.get(k, k)), _short(v["p50"]), f"{_short(v['p10'])} - {_short(v['p90'])}"]
        for k, v in quantities.items()
    ]


def _short(value: float) -> str:
    if value is None or math.isnan(value):
        return "-"
    if math.isinf(value):
        return "none can"
    if 1000 <= abs(value) < 1e7:
        return f"{value:,.0f}"
    return next((f"{value / size:.3g} {name}" for size, name in SIZES if abs(value) >= size), f"{value:.3g}")


def _plain(value: Any) -> Any:
    """JSON has no NaN: null instead."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _line(answer: Mapping[str, Any]) -> str:
    """One line of JSON; numbers that are none, which are rare, are looked for only where they are."""
    try:
        return json.dumps(answer, ensure_ascii=False, allow_nan=False) + "\n"
    except (TypeError, ValueError):
        return json.dumps(_plain(answer), ensure_ascii=False, allow_nan=False) + "\n"


def _print_json(document: Any) -> None:
    sys.stdout.write(json.dumps(_plain(document), ensure_ascii=False, indent=2, allow_nan=False) + "\n")


def _print_table(head: Sequence[str], rows: Sequence[Sequence[str]], title: str, *, narrow: bool = False) -> None:
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=escape(title) or None, title_justify="left", box=box.SIMPLE_HEAD if narrow else box.HEAVY_HEAD)
    if narrow:
        table.padding, table.pad_edge = (0, 1, 0, 0), False
    for place, name in enumerate(head):
        shown = name.replace(" ", "\n") if narrow else name
        right = narrow and place > 0
        table.add_column(escape(shown), overflow="fold", no_wrap=narrow, justify="right" if right else "left")
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    # A pipe has no width: wide enough that no number is folded.
    console = Console() if sys.stdout.isatty() else Console(width=200)
    console.print(table)
