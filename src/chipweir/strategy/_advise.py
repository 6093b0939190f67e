"""Advice: how an actor's options fare over all futures, where each fails, what to watch, and what would reverse it.

No hidden score: every criterion is shown in its own unit; a score exists only under weights that the user sees, and what
follows for all weights is said beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from chipweir.errors import InputError, UnknownName
from chipweir.strategy import _robustness as robust
from chipweir.strategy._experiments import OTHERS, Experiments
from chipweir.strategy._information import Signpost, signposts
from chipweir.strategy._options import Criteria
from chipweir.strategy._prim import Box, prim
from chipweir.strategy._spread import LEVELS


FloatArray = npt.NDArray[np.float64]

WEIGHT_DRAWS = 10_000
FAILS_ABOVE = 0.8
"""An option fails in a future where its regret is above this quantile of the regrets of all options in all futures."""
WATCHED: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("hbm_arrived_china", {}),
    ("production_domestic", {}),
    ("domestic_share_compute", {}),
    ("smuggled_units", {}),
    ("premium_black_market", {}),
    ("lag_months", {}),
    ("nvidia_china_revenue", {}),
    ("korea_hbm_exports_total", {}),
    ("power_mw", {"region": "KOR"}),
    ("compute", {"region": "KOR"}),
)
ASKED: Mapping[str, tuple[str, str]] = {"korea": ("hedge", "partner")}
"""Pairs that the debate is about: shown whatever the weights choose."""
WATCH_YEARS = (2027, 2028, 2029)
_MOST_COLUMNS = 45


@dataclass(frozen=True)
class Standing:
    """One option: by criterion mean, worst tenth and quantiles, regret (in its unit, and as a share of its span) and mean
    utility; under the weights its score, regret and shares. `satisficing` is the share of futures in which all thresholds
    are met, `satisficing_telling` that in which those are that tell options apart."""

    name: str
    criteria: Mapping[str, Mapping[str, float]]
    regret: Mapping[str, Mapping[str, float]]
    utility: Mapping[str, float]
    max_regret: float
    mean_regret: float
    satisficing: float
    satisficing_telling: float
    meets: Mapping[str, float]
    weight_share: float
    best_share: float
    undominated: bool
    bound: bool
    score: float
    central_weights: Mapping[str, float] | None


@dataclass(frozen=True)
class Reversal:
    """The weight of one criterion, above or below today's, at which another option takes over, all other weights keeping
    their proportions. At 0 the answer rests on that criterion being asked at all."""

    criterion: str
    weight: float
    now: float
    option: str


@dataclass(frozen=True)
class Duel:
    """Two options: the `share` of futures in which the second is better, boxes of those in which the `rarer` winner of the
    two wins, and by criterion the second's difference from the first as median, 80 % interval, probability to be the better
    one (NaN where they are equal) and 90 % interval."""

    first: str
    second: str
    share: float
    rarer: str
    boxes: tuple[Box, ...]
    differences: Mapping[str, tuple[float, float, float, float, float, float]]


@dataclass(frozen=True)
class Advice:
    """Everything that `advise` answers; `scores` and `regrets` [O, F] and `utility` [C, O, F] for figures and tests."""

    experiments: Experiments
    weights: FloatArray
    standings: tuple[Standing, ...]
    chosen: int
    rival: int
    regret: FloatArray
    scores: FloatArray
    utility: FloatArray
    failures: Mapping[str, tuple[Box, ...]]
    duels: tuple[Duel, ...]
    posts: tuple[Signpost, ...]
    reversals: tuple[Reversal, ...]
    acceptability: robust.Acceptability


def weights_of(given: Mapping[str, float], criteria: Criteria) -> FloatArray:
    """Weights `[C]` that sum to 1: criteria not named count 1. Raises `UnknownName`, `InputError`."""
    names = [criterion.name for criterion in criteria.computed]
    for name in given:
        if name not in names:
            judged = [criterion.name for criterion in criteria.judged]
            if name in judged:
                raise InputError(
                    f"--weights {name}: this criterion is judged, not computed, and stays outside the score"
                )
            raise UnknownName("criterion", name, names)
    try:
        return robust.normalised([given.get(name, 1.0) for name in names])
    except ValueError as error:
        raise InputError(f"--weights: {error}") from None


def advise(experiments: Experiments, given: Mapping[str, float] | None = None) -> Advice:
    """What follows from experiments under the user's weights (equal ones by default), and under all weights."""
    weights = weights_of(given or {}, experiments.criteria)
    values, up, weight = experiments.values, experiments.up, experiments.weight
    eligible = experiments.eligible
    utility = robust.utilities(values, up)
    scores = robust.score(utility, weights)
    lost = robust.regret(scores, 1.0, eligible)
    mean = robust.mean(scores, weight)
    chosen = int(np.argmax(np.where(eligible, mean, -np.inf)))
    performance = robust.mean(utility, weight)
    found = robust.acceptability(performance, robust.simplex(len(weights), WEIGHT_DRAWS, experiments.seed), eligible)
    standings = _standings(experiments, weights, utility, scores, lost, found)
    advantage = scores - scores[chosen]
    others = [o for o in range(len(mean)) if o != chosen and eligible[o]]
    rival = max(others, key=lambda o: (float(weight @ (advantage[o] > 0)), mean[o])) if others else chosen
    pairs = [(chosen, rival)] if others else []
    named = [
        experiments.names().index(name) for name in ASKED.get(experiments.actor, ()) if name in experiments.names()
    ]
    if len(named) == 2 and tuple(named) not in pairs:
        pairs.append((named[0], named[1]))
    return Advice(
        experiments,
        weights,
        standings,
        chosen,
        rival,
        lost,
        scores,
        utility,
        _failures(experiments, lost),
        tuple(duel(experiments, scores, *pair) for pair in pairs),
        tuple(signposts(_observables(experiments, chosen), advantage[rival], weight)),
        tuple(_reversals(experiments, weights, performance, chosen)),
        found,
    )


def duel(e: Experiments, scores: FloatArray, first: int, second: int) -> Duel:
    """Where the second of two options is better than the first, and by how much on each criterion."""
    advantage = scores[second] - scores[first]
    share = float(e.weight @ (advantage > 0))
    wins = advantage > 0 if share <= 0.5 else advantage <= 0
    boxes = tuple(prim(_telling(e, advantage), wins, most=2))
    differences = {}
    for criterion, values in zip(e.criteria.computed, e.values, strict=True):
        gap = values[second] - values[first]
        outer, low, middle, high, end = (float(q) for q in robust.quantiles(gap, e.weight, tuple(LEVELS.values())))
        better, equal = float(e.weight @ (criterion.up * gap > 0)), float(e.weight @ (gap == 0))
        chance = better / (1 - equal) if equal < 1 - 1e-9 else float("nan")
        differences[criterion.name] = (middle, low, high, chance, outer, end)
    names = e.names()
    return Duel(names[first], names[second], share, names[second if share <= 0.5 else first], boxes, differences)


def _standings(
    e: Experiments,
    weights: FloatArray,
    utility: FloatArray,
    scores: FloatArray,
    lost: FloatArray,
    found: robust.Acceptability,
) -> tuple[Standing, ...]:
    names = [criterion.name for criterion in e.criteria.computed]
    mean = robust.mean(e.values, e.weight)
    p10, p50, p90 = robust.quantiles(e.values, e.weight)
    worst = np.stack([robust.worst_mean(v, u, e.weight) for v, u in zip(e.values, e.up, strict=True)])
    whole, each = robust.satisficing(e.values, e.up, e.threshold, e.weight)
    telling = robust.tells_apart(each, e.eligible)
    most = robust.meets(e.values, e.up, e.threshold)[telling].all(axis=0) @ e.weight
    front = robust.undominated(robust.mean(utility, e.weight), np.ones(len(names)))
    best = scores >= np.where(e.eligible[:, None], scores, -np.inf).max(axis=0) - 1e-12
    by_criterion = np.stack([robust.regret(v, u, e.eligible) for v, u in zip(e.values, e.up, strict=True)])
    spans = np.stack([robust.regret(u, 1.0, e.eligible) for u in utility])
    rows = []
    for o, option in enumerate(e.options):
        criteria = {
            name: {
                "mean": float(mean[c, o]),
                "cvar10": float(worst[c, o]),
                "p10": float(p10[c, o]),
                "p50": float(p50[c, o]),
                "p90": float(p90[c, o]),
            }
            for c, name in enumerate(names)
        }
        central = found.central[o]
        rows.append(
            Standing(
                name=option.name,
                criteria=criteria,
                regret={
                    name: {
                        "mean": float(by_criterion[c, o] @ e.weight),
                        "max": float(by_criterion[c, o].max()),
                        "share": float(spans[c, o] @ e.weight),
                    }
                    for c, name in enumerate(names)
                },
                utility={name: float(utility[c, o] @ e.weight) for c, name in enumerate(names)},
                max_regret=float(lost[o].max()),
                mean_regret=float(lost[o] @ e.weight),
                satisficing=float(whole[o]),
                satisficing_telling=float(most[o]),
                meets={name: float(each[c, o]) for c, name in enumerate(names)},
                weight_share=float(found.first[o]),
                best_share=float(best[o] @ e.weight),
                undominated=bool(front[o]),
                bound=option.bound,
                score=float(scores[o] @ e.weight),
                central_weights=None if np.isnan(central).any() else dict(zip(names, map(float, central), strict=True)),
            )
        )
    return tuple(rows)


def telling_thresholds(advice: Advice) -> tuple[str, ...]:
    """The criteria whose threshold tells options apart."""
    computed = [c.name for c in advice.experiments.criteria.computed if not np.isnan(c.threshold)]
    met = [[standing.meets[name] for standing in advice.standings] for name in computed]
    if not computed:
        return ()
    told = robust.tells_apart(met, advice.experiments.eligible)
    return tuple(name for name, apart in zip(computed, told, strict=True) if apart)


def _telling(e: Experiments, advantage: FloatArray) -> dict[str, FloatArray]:
    """The columns that move `advantage` [F] most by rank correlation, so that boxes are sought among few."""
    from scipy.stats import rankdata

    target = rankdata(advantage)
    if np.ptp(target) == 0:
        return {OTHERS: e.columns[OTHERS]} if OTHERS in e.columns else {}
    strength = {}
    for name, values in e.columns.items():
        if np.ptp(values) > 0:
            strength[name] = abs(float(np.corrcoef(rankdata(values), target)[0, 1]))
    strength = {name: value for name, value in strength.items() if np.isfinite(value)}
    kept = sorted(strength, key=lambda name: -strength[name])[:_MOST_COLUMNS]
    if OTHERS in e.columns and OTHERS not in kept:
        kept.append(OTHERS)
    return {name: e.columns[name] for name in kept}


def _failures(e: Experiments, lost: FloatArray) -> dict[str, tuple[Box, ...]]:
    """Boxes of the futures in which each option fails, against the regrets of all options someone could choose."""
    line = float(np.quantile(lost[e.eligible], FAILS_ABOVE))
    found = {}
    for o, option in enumerate(e.options):
        fails = lost[o] > line
        found[option.name] = tuple(prim(_telling(e, lost[o]), fails, most=1)) if fails.any() else ()
    return found


def _observables(e: Experiments, chosen: int) -> list[tuple[str, str, FloatArray]]:
    """What can be seen by the end of each of the next years under the chosen option: the world's numbers and events."""
    seen: list[tuple[str, str, FloatArray]] = []
    cases = e.cases[chosen]
    for variable, labels in WATCHED:
        name = "|".join((variable, *labels.values()))
        for year in WATCH_YEARS:
            if year in cases[0].world.years:
                values = np.concatenate([case.world.at(year, variable, **labels) for case in cases])
                seen.append((name, f"{year}-12", values))
    if e.actor == "korea":
        seen += _events(e, chosen)
    return seen


def _events(e: Experiments, chosen: int) -> list[tuple[str, str, FloatArray]]:
    """Dated events of Korea's futures, 1 from the year in which they have come, and slow quantities of this room."""
    cases = e.cases[chosen]
    seen: list[tuple[str, str, FloatArray]] = []
    for year in WATCH_YEARS:
        place = year - e.criteria.first
        rows: dict[str, list[npt.NDArray[Any]]] = {
            "event:measures": [case.measures.comes & (case.measures.year <= year) for case in cases],
            "event:large_measures": [case.measures.large & (case.measures.year <= year) for case in cases],
            "event:tools": [case.late[0] & (case.late[2] <= year) for case in cases],
            "event:refused": [case.late[1] & (case.late[2] <= year) for case in cases],
            "event:duty": [case.duty[:, place] > 0 for case in cases],
            "event:cycle": [case.down_cycle[:, place] for case in cases],
            "slow:memory_lost": [100 * case.lost(year) for case in cases],
        }
        seen += [(name, f"{year}-12", np.concatenate(row).astype(float)) for name, row in rows.items()]
        if len(e.choices) > 1:
            for number, choice in enumerate(e.choices):
                first = min((min(s) for s in choice.levers.values() if isinstance(s, dict)), default="9999")
                if int(first[:4]) <= year:
                    seen.append((f"choice:{choice.name}", f"{year}-12", (e.columns[OTHERS] == number).astype(float)))
    return seen


def _reversals(e: Experiments, weights: FloatArray, performance: FloatArray, chosen: int) -> list[Reversal]:
    """For each criterion the nearest weights above and below today's at which another option takes over; nearest first."""
    found = []
    eligible = np.flatnonzero(e.eligible)
    for c, criterion in enumerate(e.criteria.computed):
        rest = weights.copy()
        rest[c] = 0.0
        if rest.sum() == 0:
            continue
        rest = rest / rest.sum()
        # Score of option o at weight w of criterion c: (1 - w) base + w own, linear in w.
        base, own = rest @ performance, performance[c]
        now, above, below = float(weights[c]), [], []
        for o in eligible:
            gap, slope = base[chosen] - base[o], (own[o] - own[chosen]) + (base[chosen] - base[o])
            if o == chosen or abs(slope) <= 1e-12:
                continue
            at = float(gap / slope)
            if slope > 0 and now < at <= 1:
                above.append((at, int(o)))
            elif slope < 0 and 0 <= at < now:
                below.append((at, int(o)))
        takes = [*sorted(above)[:1], *sorted(below, reverse=True)[:1]]
        found += [Reversal(criterion.name, at, now, e.options[option].name) for at, option in takes]
    return sorted(found, key=lambda reversal: abs(reversal.weight - reversal.now))


def advice_document(advice: Advice, sentences: Mapping[str, list[str]]) -> dict[str, Any]:
    """The answer as JSON: options, futures, signposts and text, with everything the figures show."""
    e = advice.experiments
    names, telling = e.names(), telling_thresholds(advice)
    return {
        "actor": e.actor,
        "options": [
            {
                "name": s.name,
                "title": dict(option.title),
                "bound": s.bound,
                "criteria": {name: dict(row) for name, row in s.criteria.items()},
                "regret": {name: dict(row) for name, row in s.regret.items()},
                "utility": dict(s.utility),
                "score": s.score,
                "max_regret": s.max_regret,
                "mean_regret": s.mean_regret,
                "satisficing": s.satisficing,
                "satisficing_telling": s.satisficing_telling,
                "meets": dict(s.meets),
                "weight_share": s.weight_share,
                "best_share": s.best_share,
                "undominated": s.undominated,
                "central_weights": s.central_weights,
                "judged": {name: {"value": r.value, "source": r.source} for name, r in option.judged.items()},
                "unknown_to_world": option.unknown_to_world(),
                "fails": [box_dict(box) for box in advice.failures[s.name]],
            }
            for s, option in zip(advice.standings, e.options, strict=True)
        ],
        "futures": e.members,
        "experiments": int(e.values.shape[1] * e.values.shape[2]),
        "choices": [{"name": c.name, "title": dict(c.title), "prior": c.prior, "source": c.source} for c in e.choices],
        "criteria": [
            {
                "name": c.name,
                "title": dict(c.title),
                "unit": dict(c.unit),
                "what": dict(c.what),
                "better": "more" if c.up > 0 else "less",
                "threshold": None if np.isnan(c.threshold) else c.threshold,
                "why": c.why,
                "kind": "judged" if c.judged else "computed",
                "weight": None if c.judged else float(advice.weights[k]),
                "tells_apart": None if c.judged or np.isnan(c.threshold) else c.name in telling,
            }
            for k, c in enumerate((*e.criteria.computed, *e.criteria.judged))
        ],
        "chosen": names[advice.chosen],
        "rival": names[advice.rival],
        "duels": [
            {
                "first": duel.first,
                "second": duel.second,
                "second_better": duel.share,
                "rarer": duel.rarer,
                "boxes": [box_dict(box) for box in duel.boxes],
                "differences": {
                    name: {
                        "median": middle,
                        "p05": outer,
                        "p10": low,
                        "p90": high,
                        "p95": end,
                        "p_better": None if np.isnan(chance) else chance,
                    }
                    for name, (middle, low, high, chance, outer, end) in duel.differences.items()
                },
            }
            for duel in advice.duels
        ],
        "signposts": [{**post.as_dict(), "title": observable_title(post.name)} for post in advice.posts],
        "reversals": [dict(vars(reversal)) for reversal in advice.reversals],
        "text": {language: " ".join(lines) for language, lines in sentences.items()},
        "sentences": {language: list(lines) for language, lines in sentences.items()},
        "seed": e.seed,
    }


def box_dict(box: Box) -> dict[str, Any]:
    """A box for JSON; an open side is null."""
    limits = {
        name: [None if np.isinf(low) else low, None if np.isinf(high) else high]
        for name, (low, high) in box.limits.items()
    }
    return {
        "limits": limits,
        "coverage": box.coverage,
        "density": box.density,
        "mass": box.mass,
        "quasi_p": dict(box.quasi_p),
    }


_EVENTS: Mapping[str, Mapping[str, str]] = {
    "event:measures": {"en": "Chinese measures against Korea have come", "ko": "중국의 대한국 조치 발생"},
    "event:large_measures": {
        "en": "Chinese measures of the size of 2017 have come",
        "ko": "2017년 규모의 중국 조치 발생",
    },
    "event:tools": {
        "en": "tools for the Korean fabs in China come late or not at all",
        "ko": "중국 내 한국 팹용 장비의 지연·거부",
    },
    "event:refused": {"en": "tools for the Korean fabs in China are refused", "ko": "중국 내 한국 팹용 장비 거부"},
    "event:duty": {"en": "a US duty on Korean chips is in force", "ko": "미국의 한국산 칩 관세 시행"},
    "event:cycle": {"en": "memory exports have fallen by a quarter in a year", "ko": "메모리 수출의 연간 4분의 1 감소"},
    "slow:memory_lost": {
        "en": "% of memory sales to China lost to Chinese makers",
        "ko": "중국 업체에 잃은 대중 메모리 판매 비중(%)",
    },
}


def observable_title(name: str) -> dict[str, str]:
    """What an observable is, in both languages."""
    from chipweir.world import variables

    if name in _EVENTS:
        return dict(_EVENTS[name])
    if name.startswith("choice:"):
        from chipweir.strategy._options import ACTORS, shipped_choices

        wanted = name.removeprefix("choice:")
        for actor in ACTORS:
            for choice in shipped_choices(actor):
                if choice.name == wanted:
                    return dict(choice.title)
        return {"en": wanted, "ko": wanted}
    variable, *labels = name.split("|")
    row = next(row for row in variables() if row["name"] == variable)
    tail = f" ({', '.join(labels)})" if labels else ""
    unit = "" if row["unit"] == "1" else f" [{row['unit']}]"
    return {"en": row["long_name"] + tail + unit, "ko": row["long_name_ko"] + tail + unit}
