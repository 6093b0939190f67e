"""Affordability: what a training run takes, and what a budget buys.

Work is 6 N D with the parameters one token activates, plus attention, as the performance room counts it; throughput, layout
and what binds come from its fitted training estimate; wall time adds failures and checkpoints; money is the owning cost of
a chip-hour. Published runs (`data/training_runs.csv`) stand beside the estimate where there are any.
"""

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from chipweir.errors import InputError
from chipweir.i18n import LANGUAGES, _, use_language
from chipweir.strategy._sentences import number
from chipweir.strategy._stated import stated


if TYPE_CHECKING:
    from chipweir.facts import Facts

SIZES = (1_024, 4_096, 16_384, 65_536)
STAND_IN = "meta-llama-3.1-405b"
"""The model whose speed stands in where a run is given as FLOP alone: dense, and measured on many clusters."""
YARDSTICKS = (("openai-gpt-4", {"en": "GPT-4 class", "ko": "GPT-4급"}),)
FRONTIER = "eco-048"
"""The fact that stands for today's frontier."""
BYTES_PER_FLOP = 1 / 300
"""Memory traffic of training in bytes per FLOP, for the power curve: own count for large matrix products."""
_BINDS: Mapping[str, str] = {
    "compute": "연산",
    "memory bandwidth": "메모리 대역폭",
    "link": "칩 간 링크",
    "network": "네트워크",
    "overhead": "오버헤드",
    "bubble": "파이프라인 공백",
}
"""What binds a training step, in Korean; in English it is called as the performance room does."""
QUANTILE_80 = 1.2815515655446004


@dataclass(frozen=True)
class TrainingOrder:
    """A run by its model or its FLOP, on a chip or system, with the sizes of clusters to try and perhaps a budget."""

    what: str
    on: str
    chips: tuple[int, ...] = ()
    tokens: float | None = None
    budget_krw: float | None = None
    days: float = 120.0
    precision: str = ""
    country: str = "KR"


@dataclass(frozen=True)
class Work:
    """What is to be computed: FLOP by the rule 6ND (as published estimates count) and with attention, tokens, parameters,
    and the model whose architecture tells the speed."""

    name: str
    model: str
    flop: float
    with_attention: float
    tokens: float
    active: float
    total: float
    precision: str
    stand_in: bool


@cache
def published_runs() -> Mapping[str, Mapping[str, str]]:
    """Published training runs by model."""
    file = resources.files("chipweir.strategy") / "data" / "training_runs.csv"
    return {row["model"]: row for row in csv.DictReader(file.read_text(encoding="utf-8").splitlines())}


def train(order: TrainingOrder) -> dict[str, Any]:
    """Work, time by cluster size, energy, cost, comparison and verdict, as a JSON document.

    Raises `InputError` and `UnknownName` for what is not known or cannot be.
    """
    from chipweir import facts as room

    if any(size < 1 for size in order.chips):
        raise InputError(f"--chips takes a number above 0, not {min(order.chips)}")
    if not 0 < order.days <= 3650:
        raise InputError(f"--days {order.days:g} is out of range; give up to 3650")
    known = room.load()
    work = _work(order, known)
    published = published_runs().get(work.name, {})
    sizes = sorted(
        {*(order.chips or SIZES), *((int(published["chips"]),) if not order.chips and published.get("chips") else ())}
    )
    clusters, notes = [], []
    for size in sizes:
        row = _cluster(work, order, size, known)
        if isinstance(row, str):
            notes.append(f"{size:,}: {row}")
        else:
            clusters.append(row)
    if not clusters:
        raise InputError(f"no cluster of these sizes can do it: {notes[0]}")
    notes += list(dict.fromkeys(n for row in clusters for n in row["notes"]))
    if work.stand_in:
        notes.append(_("Speed is that of {model}, since only FLOP are given.", model=work.model))
    document: dict[str, Any] = {
        "model": work.name,
        "system": order.on,
        "work": {
            "flop": work.flop,
            "flop_with_attention": work.with_attention,
            "tokens": work.tokens,
            "active_params": work.active,
            "total_params": work.total,
            "precision": work.precision,
        },
        "clusters": clusters,
        "beside": _beside(work, known),
        "published": _published(work, order, published, clusters, known),
        "budget": None if order.budget_krw is None else _budget(work, order, clusters, stated(known).krw_per_usd),
        "notes": notes,
    }
    document["sentences"] = _texts(document, order)
    document["text"] = {language: " ".join(lines) for language, lines in document["sentences"].items()}
    return document


def _work(order: TrainingOrder, known: "Facts") -> Work:
    from chipweir.perf import active_matrix_params, architecture, model_flops

    flop = _as_number(order.what)
    record = None if flop is not None else known.model(order.what)
    name = "" if record is None else record.id
    published = published_runs().get(name, {})
    if record is not None and record.active_params_b is None and not published.get("flop"):
        fact = next((f for f in known.select(measure="training_compute") if f.entity == name), None)
        if fact is None or fact.value.best is None:
            raise InputError(
                f"{record.name}: neither its size nor its training compute is known; give FLOP such as 2.1e25"
            )
        flop = float(fact.value.best)
    elif record is not None and record.active_params_b is None:
        flop = float(published["flop"])
    stand_in = flop is not None
    model = STAND_IN if stand_in else name
    built = architecture(model)
    per_token = float(model_flops(built, 8192.0))
    active, total = float(active_matrix_params(built)), float(built.total_params)
    precision = order.precision or ("fp8" if published.get("precision") == "fp8" else "bf16")
    if flop is not None:
        if not 1e18 <= flop <= 1e32:
            raise InputError(f"{flop:g} FLOP is no training run; give such as 2.1e25")
        tokens = flop / (6 * active)
        return Work(name, model, flop, per_token * tokens, tokens, active, total, precision, True)
    tokens = order.tokens or _tokens(name, published, known)
    return Work(name, model, 6 * active * tokens, per_token * tokens, tokens, active, total, precision, stand_in)


def _tokens(name: str, published: Mapping[str, str], known: "Facts") -> float:
    for fact in known.select(measure="training_tokens"):
        if fact.entity == name and fact.value.best:
            return float(fact.value.best)
    if published.get("tokens"):
        return float(published["tokens"])
    raise InputError(f"how many tokens {name} was trained on is not known; give --tokens, such as 15e12")


def _as_number(text: str) -> float | None:
    try:
        return float(text.replace(",", "").replace("_", ""))
    except ValueError:
        return None


def _cluster(work: Work, order: TrainingOrder, size: int, known: "Facts") -> dict[str, Any] | str:
    """One cluster size: days, chip-hours, energy, cost, or the reason why it cannot do it."""
    from chipweir.perf import estimate_training, goodput

    row = {
        "phase": "training",
        "model": work.model,
        "chip": order.on,
        "precision": work.precision,
        "n_chips": str(size),
    }
    try:
        found = estimate_training(row)
    except InputError as error:
        if "unknown" in str(error):
            raise
        return str(error)
    speed = found["tokens_s_chip_train"]
    useful = float(goodput(size))
    log_sd = math.log(speed["p90"] / speed["p10"]) / (2 * QUANTILE_80)
    hours = work.tokens / speed["p50"] / 3600 / useful
    watts, facility = _power(order.on, found, work.precision)
    cost, cost_sd, cost_source = _hourly(known, order, watts)
    return {
        "chips": size,
        "days": _interval(hours / size / 24, log_sd),
        "chip_hours": _interval(hours, log_sd),
        "goodput": useful,
        "mfu": found["mfu"],
        "energy_gwh": _interval(hours * facility / 1e9, log_sd),
        "power_mw": size * facility / 1e6,
        "usd_per_chip_hour": cost,
        "cost_source": cost_source,
        "cost_musd": _interval(hours * cost / 1e6, math.hypot(log_sd, cost_sd)),
        "cost_krw_tn": _interval(hours * cost * stated(known).krw_per_usd / 1e12, math.hypot(log_sd, cost_sd)),
        "binds": found["binds"],
        "plan": {key: value for key, value in found["plan"].items() if not math.isnan(value)},
        "notes": [n for n in found.get("notes", ()) if "not stated" not in n],
    }


def _power(on: str, found: Mapping[str, Any], precision: str) -> tuple[float, float]:
    """Watts of a chip at work, and with node and building."""
    from chipweir.perf import chip_power, equivalent_flops, facility_power, hardware, node_overhead

    chip = hardware(on)
    flops = found["tflops_chip"]["p50"] * 1e12
    drawn = float(chip_power(chip.tdp_w, equivalent_flops(chip, precision, flops), flops * BYTES_PER_FLOP))
    return drawn, float(facility_power(drawn + float(node_overhead(chip.tdp_w))))


def _hourly(known: "Facts", order: TrainingOrder, watts: float) -> tuple[float, float, str]:
    """USD per chip-hour, the standard deviation of its log, and the source: owning, else a recorded rent."""
    from chipweir.perf import rental_price, system_owning_cost

    try:
        cost = system_owning_cost(known, order.on, watts, country=order.country)
        return cost.total, cost.log_sd, f"owning ({cost.source})"
    except InputError:
        rent = rental_price(known, order.on)
        return float(rent.value.best), 0.25, f"renting ({rent.value.source})"


def _interval(centre: float, log_sd: float) -> dict[str, float]:
    factor = math.exp(QUANTILE_80 * log_sd)
    return {"p10": centre / factor, "p50": centre, "p90": centre * factor}


def _beside(work: Work, known: "Facts") -> list[dict[str, Any]]:
    """The run against GPT-4 class and today's frontier."""
    rows = []
    for model, words in YARDSTICKS:
        flop = float(published_runs()[model]["flop"])
        rows.append(
            {"name": dict(words), "flop": flop, "ratio": work.flop / flop, "source": published_runs()[model]["source"]}
        )
    fact = known.facts.get(FRONTIER)
    if fact is not None and fact.value.best:
        title = {"en": f"frontier ({fact.entity})", "ko": f"선두({fact.entity})"}
        flop = float(fact.value.best)
        rows.append({"name": title, "flop": flop, "ratio": work.flop / flop, "source": FRONTIER.upper()})
    return rows


def _published(
    work: Work, order: TrainingOrder, run: Mapping[str, str], clusters: Sequence[Mapping[str, Any]], known: "Facts"
) -> dict[str, Any] | None:
    """The published chip-hours beside the estimate, where the run, the chip and the size are the published ones."""
    if not run.get("chip_hours") or known.chip(run["chip"]).id != _chip_of(order.on, known):
        return None
    mine = min(clusters, key=lambda row: abs(math.log(row["chips"] / float(run["chips"]))))
    hours = float(run["chip_hours"])
    return {
        "chip_hours": hours,
        "estimate": mine["chip_hours"],
        "ratio": mine["chip_hours"]["p50"] / hours,
        "inside": mine["chip_hours"]["p10"] <= hours <= mine["chip_hours"]["p90"],
        "chips": int(float(run["chips"])),
        "source": run["source"],
    }


def _chip_of(name: str, known: "Facts") -> str:
    from chipweir.perf import hardware

    return str(hardware(name, facts=known).id)


def _budget(
    work: Work, order: TrainingOrder, clusters: Sequence[Mapping[str, Any]], krw_per_usd: float
) -> dict[str, Any]:
    """What the money buys: the share of the run, and the largest run within the days, by the cheapest cluster."""
    assert order.budget_krw is not None
    usd = order.budget_krw / krw_per_usd
    cheapest = min(clusters, key=lambda row: row["cost_musd"]["p50"])
    costs = {key: value * 1e6 for key, value in cheapest["cost_musd"].items()}
    runs = {"p10": usd / costs["p90"], "p50": usd / costs["p50"], "p90": usd / costs["p10"]}
    reach = {key: work.flop * value for key, value in runs.items()}
    hours = usd / cheapest["usd_per_chip_hour"]
    return {
        "krw": order.budget_krw,
        "usd": usd,
        "runs": runs,
        "affordable": runs["p50"] >= 1,
        "p_affordable": _chance(usd, costs),
        "largest_flop": reach,
        "chips_for_days": math.ceil(hours / 24 / order.days),
        "days": order.days,
        "fits_days": any(row["days"]["p50"] <= order.days for row in clusters),
    }


def _chance(usd: float, costs: Mapping[str, float]) -> float:
    """Probability that a log-normal cost with these quantiles stays within the money."""
    sd = math.log(costs["p90"] / costs["p10"]) / (2 * QUANTILE_80)
    return 0.5 * (1 + math.erf(math.log(usd / costs["p50"]) / sd / math.sqrt(2)))


def _texts(document: Mapping[str, Any], order: TrainingOrder) -> dict[str, list[str]]:
    found = {}
    for name in LANGUAGES:
        with use_language(name):
            found[name] = _lines(document, order, name)
    return found


def _lines(document: Mapping[str, Any], order: TrainingOrder, language: str) -> list[str]:
    work, rows = document["work"], document["clusters"]
    lines = [
        _(
            "The run takes {flop} FLOP, 6 x {active} active parameters x {tokens} tokens ({attention} with attention).",
            attention=number(work["flop_with_attention"]),
            flop=number(work["flop"]),
            active=number(work["active_params"]),
            tokens=number(work["tokens"]),
        )
    ]
    beside = "; ".join(f"{row['name'][language]} x {number(row['ratio'])}" for row in document["beside"])
    lines.append(_("Beside others: {beside}.", beside=beside))
    quickest = min(rows, key=lambda row: abs(math.log(row["days"]["p50"] / 90)))
    lines.append(
        _(
            "{chips} of {system} need {days} days ({low} to {high}) and {cost} million USD ({least} to {most}); "
            "{binds} binds.",
            chips=f"{quickest['chips']:,}",
            system=document["system"],
            days=number(quickest["days"]["p50"]),
            low=number(quickest["days"]["p10"]),
            high=number(quickest["days"]["p90"]),
            cost=number(quickest["cost_musd"]["p50"]),
            least=number(quickest["cost_musd"]["p10"]),
            most=number(quickest["cost_musd"]["p90"]),
            binds=_BINDS.get(quickest["binds"], quickest["binds"]) if language == "ko" else quickest["binds"],
        )
    )
    if run := document["published"]:
        lines.append(
            _(
                "Published are {hours} chip-hours; the estimate is {ratio} of that ({low} to {high}).",
                hours=number(run["chip_hours"]),
                ratio=f"{100 * run['ratio']:.0f} %",
                low=number(run["estimate"]["p10"]),
                high=number(run["estimate"]["p90"]),
            )
        )
    if money := document["budget"]:
        lines.append(
            _(
                "{krw} KRW tn buy {runs} such runs ({low} to {high}); the run is affordable with P {chance}, and the "
                "largest affordable one has {flop} FLOP.",
                krw=number(money["krw"] / 1e12),
                runs=number(money["runs"]["p50"]),
                low=number(money["runs"]["p10"]),
                high=number(money["runs"]["p90"]),
                chance=f"{100 * money['p_affordable']:.0f} %",
                flop=number(money["largest_flop"]["p50"]),
            )
        )
    return lines
