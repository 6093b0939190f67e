"""Options of `estimate` and `match`: what each is called, what its help says, and what a shell completes."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any

import typer


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


Model = Annotated[str, typer.Argument(help="A language model, such as DeepSeek-V3.1.", autocompletion=complete_model)]
On = Annotated[
    str, typer.Option("--on", metavar="CHIP|SYSTEM", help="A chip or a system.", autocompletion=complete_hardware)
]
Chips = Annotated[int | None, typer.Option(metavar="N", help="Number of chips; by default chosen.")]
Precision = Annotated[
    str,
    typer.Option(
        help="bf16, fp8, fp4, int8, int4 (training also mxfp8); by default as published, in training bf16.",
        autocompletion=_choices("bf16", "fp8", "fp4", "int8", "int4", "mxfp8"),
    ),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="FIELD=VALUE", help="A hardware number of your own in SI units (memory_bandwidth=5e12)."
    ),
]
PromptTokens = Annotated[
    float | None, typer.Option(help="Prompt tokens per request (default 2048).", rich_help_panel=LOAD)
]
OutputTokens = Annotated[
    float | None, typer.Option(help="Output tokens per request (default 512).", rich_help_panel=LOAD)
]
Concurrency = Annotated[float | None, typer.Option(help="Requests present at a time.", rich_help_panel=LOAD)]
TargetTpot = Annotated[
    float | None,
    typer.Option(metavar="MS", help="Most ms per output token (default 50).", rich_help_panel=LOAD),
]
TargetTtft = Annotated[
    float | None,
    typer.Option(metavar="MS", help="Most ms to the first token.", rich_help_panel=LOAD),
]
Best = Annotated[
    bool, typer.Option("--best", help="Most tokens/s per chip, whatever the latency.", rich_help_panel=LOAD)
]
Framework = Annotated[
    str,
    typer.Option(
        help="trt, sglang, vllm or other; by default the chip maker's usual one.",
        rich_help_panel=LOAD,
        autocompletion=_choices("trt", "sglang", "vllm", "other"),
    ),
]
FrameworkVersion = Annotated[str, typer.Option(metavar="V", help="Its version, such as 0.11.0.", rich_help_panel=LOAD)]
Date = Annotated[
    str,
    typer.Option("--date", metavar="YYYY-MM", help="Date of the software, and of prices (default: mid-2026, latest)."),
]
TensorDegree = Annotated[float | None, typer.Option(help="Chips a layer is split over.", rich_help_panel=LOAD)]
DataDegree = Annotated[float | None, typer.Option(help="Ranks of data-parallel attention.", rich_help_panel=LOAD)]
Stages = Annotated[float | None, typer.Option(help="Pipeline stages.", rich_help_panel=LOAD)]
Drafts = Annotated[float | None, typer.Option(help="Tokens drafted a step.", rich_help_panel=LOAD)]
AgainstPrices = Annotated[
    bool,
    typer.Option("--against-prices", help="Cost beside the dated API price, with margin.", rich_help_panel=LOAD),
]
Beside = Annotated[
    list[str] | None,
    typer.Option(metavar="MODEL", help="With --against-prices: the price of another model.", rich_help_panel=LOAD),
]
Country = Annotated[
    str,
    typer.Option(
        metavar="CC",
        help="Country whose power price is paid.",
        rich_help_panel=LOAD,
        autocompletion=complete_country,
    ),
]
Operators = Annotated[
    bool, typer.Option("--operators", help="Also the roofline of every operator.", rich_help_panel=LOAD)
]
Figure = Annotated[
    Path | None,
    typer.Option(help="Draw the roofline into this .html, .svg, .png or .pdf file.", rich_help_panel=LOAD),
]
Training = Annotated[bool, typer.Option("--training", help="Training instead of serving.", rich_help_panel=TRAIN)]
GlobalBatch = Annotated[float | None, typer.Option(help="Sequences per step.", rich_help_panel=TRAIN)]
SeqLen = Annotated[float | None, typer.Option(help="Tokens per sequence.", rich_help_panel=TRAIN)]
Tokens = Annotated[
    str,
    typer.Option(
        metavar="N",
        help="Tokens of the whole run, such as 14.8T: FLOP, chip-hours, days, cost.",
        rich_help_panel=TRAIN,
    ),
]
Batch = Annotated[
    Path | None, typer.Option(metavar="FILE.csv", help="Estimate every row of a table.", rich_help_panel=TABLES)
]
Validate = Annotated[
    Path | None,
    typer.Option(metavar="FILE.csv", help="Errors on a table of measurements.", rich_help_panel=TABLES),
]
LeaveOut = Annotated[
    str,
    typer.Option(
        metavar="chip|generation|vendor|model|family|date",
        help="With --validate: refit without each in turn.",
        rich_help_panel=TABLES,
        autocompletion=_choices(*LEAVE_OUT),
    ),
]
Fit = Annotated[
    Path | None,
    typer.Option(metavar="FILE.csv", help="Fit serving, training and power to a table.", rich_help_panel=TABLES),
]
Out = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE|FOLDER",
        help="With --fit: one file for all, or an existing folder for one file a part.",
        rich_help_panel=TABLES,
    ),
]
Quick = Annotated[
    bool, typer.Option("--quick", help="With --fit: no refits for the intervals.", rich_help_panel=TABLES)
]
PosteriorFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE|FOLDER", help="Estimate with a fit of your own (what --fit wrote).", rich_help_panel=TABLES
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON: one document, or one line per row with --batch.")]
