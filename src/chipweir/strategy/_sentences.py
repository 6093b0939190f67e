"""The answer in sentences made from its numbers, in the language in force.

A sentence is made by one function of plain numbers, so that tests can hold it against them.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from chipweir.i18n import LANGUAGES, _, filled, language, use_language
from chipweir.strategy._advise import Advice, Duel, observable_title, telling_thresholds
from chipweir.strategy._experiments import EVENT, OTHERS, Experiments, describe
from chipweir.strategy._options import Criterion, Option, say
from chipweir.strategy._prim import Box


_NO_UNIT = ("", "1", "ratio", "fraction", "dimensionless", "elasticity")
_KOREAN_UNITS: Mapping[str, str] = {
    "month": "개월",
    "months": "개월",
    "day": "일",
    "year": "년",
    "per month": "(월간)",
    "per year": "(연간)",
    "fraction per month": "(월간)",
    "ratio per year": "배(연간)",
    "log points": "로그 포인트",
    "million dies": "백만 개",
    "USD": "달러",
    "USD/W": "달러/W",
    "BUSD per month": "10억 달러/월",
    "BUSD per year": "10억 달러/년",
    "thousand units per month": "천 개/월",
    "token/s": "토큰/초",
    "KRW tn per 100 days": "조 원/100일",
    "KRW tn per year": "조 원/년",
    "share": "",
    "x 2025": "(2025년=1)",
    "x central": "(중심값=1)",
    "x announced": "(발표=1)",
    "x plan": "(계획=1)",
}


def number(value: float) -> str:
    """Three significant digits, thousands apart; large ones with a power of ten."""
    if not math.isfinite(value):
        return "-"
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 1e7 or size < 1e-3:
        return f"{value:.2e}"
    digits = max(2 - math.floor(math.log10(size)), 0)
    return f"{value:,.{digits}f}"


def percent(share: float) -> str:
    """A share as whole per cents; what is not quite 0 or 1 says so."""
    if 1e-9 < share < 0.005:
        return "<1 %"
    if 0.995 < share < 1 - 1e-9:
        return ">99 %"
    return f"{round(100 * share)} %"


def advice_sentences(advice: Advice, weights_given: bool, command: str) -> dict[str, list[str]]:
    """Five to eight sentences by language."""
    found = {}
    for name in LANGUAGES:
        with use_language(name):
            found[name] = _sentences(advice, weights_given, command)
    return found


def _sentences(advice: Advice, weights_given: bool, command: str) -> list[str]:
    e = advice.experiments
    lines = [_winner(advice, weights_given), _regret(advice), _all_weights(advice)]
    if advice.duels:
        lines.append(_versus(e, advice.duels[0]))
    lines.append(_thresholds(advice))
    if advice.duels:
        lines.append(_where(e, advice.duels[-1]))
    if advice.posts:
        lines.append(_watch(advice))
    lines.append(_repeat(e, command))
    return lines


def title(e: Experiments, name: str) -> str:
    """An option's name in the language in force."""
    return say(next(option for option in e.options if option.name == name).title)


def title_of(e: Experiments, criterion: str) -> str:
    """A criterion's name in the language in force."""
    return say(next(each for each in e.criteria.computed if each.name == criterion).title)


def _winner(advice: Advice, weights_given: bool) -> str:
    e = advice.experiments
    own, rival = advice.standings[advice.chosen], advice.standings[advice.rival]
    text = (
        _("Under the given weights on {count} criteria, '{option}' scores highest on average over {futures} futures "
          "({members} draws, {choices} choices of others) and is best in {best} of them; '{rival}' in {second}.")
        if weights_given
        else _("With equal weights on {count} criteria, '{option}' scores highest on average over {futures} futures "
               "({members} draws, {choices} choices of others) and is best in {best} of them; '{rival}' in {second}.")
    )  # fmt: skip
    return filled(
        text,
        count=len(e.criteria.computed),
        option=title(e, own.name),
        futures=f"{e.values.shape[2]:,}",
        members=f"{e.members:,}",
        choices=len(e.choices),
        best=percent(own.best_share),
        rival=title(e, rival.name),
        second=percent(rival.best_share),
    )


def _regret(advice: Advice) -> str:
    e = advice.experiments
    own = advice.standings[advice.chosen]
    safest = min((s for s in advice.standings if not s.bound), key=lambda s: s.max_regret)
    if safest.name == own.name:
        return _(
            "It also has the smallest largest regret: {largest} of a criterion's span from the 5th to the 95th percentile "
            "(mean {mean}).",
            largest=number(own.max_regret),
            mean=number(own.mean_regret),
        )
    return _(
        "Its largest regret is {largest} of a criterion's span from the 5th to the 95th percentile (mean {mean}); the "
        "smallest largest regret has '{safest}' with {least}.",
        largest=number(own.max_regret),
        mean=number(own.mean_regret),
        safest=title(e, safest.name),
        least=number(safest.max_regret),
    )


def _all_weights(advice: Advice) -> str:
    e = advice.experiments
    ranked = sorted((s for s in advice.standings if not s.bound), key=lambda s: -s.weight_share)[:3]
    shares = ", ".join(f"'{title(e, s.name)}' {percent(s.weight_share)}" for s in ranked)
    text = _("Over all weights the winners are {shares}.", shares=shares)
    if not advice.reversals:
        return text + " " + _("No change of a single weight makes another option the best.")
    first = advice.reversals[0]
    named = {
        "weight": percent(first.weight),
        "criterion": title_of(e, first.criterion),
        "now": percent(first.now),
        "option": title(e, first.option),
    }
    if first.weight > first.now:
        text += " " + _(
            "The nearest reversal is a weight above {weight} on '{criterion}' (now {now}), which makes '{option}' the best.",
            **named,
        )
    else:
        text += " " + _(
            "The nearest reversal is a weight below {weight} on '{criterion}' (now {now}), which makes '{option}' the best.",
            **named,
        )
    dropped = [each for each in advice.reversals if each.weight < each.now]
    if len(dropped) == 1:
        text += " " + _(
            "It rests on '{criterion}': leave it out, and another option is the best.",
            criterion=title_of(e, dropped[0].criterion),
        )
    elif dropped:
        text += " " + _(
            "It rests on {criteria}: leave one of these out, and another option is the best.",
            criteria=", ".join(f"'{title_of(e, each.criterion)}'" for each in dropped),
        )
    else:
        text += " " + _("Any single criterion can be left out without a change of the answer.")
    return text


def _spread(e: Experiments, name: str) -> float:
    place = [c.name for c in e.criteria.computed].index(name)
    low, high = np.quantile(e.values[place], (0.05, 0.95))
    return float(high - low) or 1.0


def _versus(e: Experiments, duel: Duel) -> str:
    """The largest gain and the largest loss of the first option against the second."""
    computed = {c.name: c for c in e.criteria.computed}
    gains = {name: -computed[name].up * row[0] / _spread(e, name) for name, row in duel.differences.items()}
    best, worst = max(gains, key=lambda k: gains[k]), min(gains, key=lambda k: gains[k])
    return _(
        "Against '{second}', '{first}' gains most on {best} and loses most on {worst}.",
        first=title(e, duel.first),
        second=title(e, duel.second),
        best=_difference(computed[best], duel.differences[best]),
        worst=_difference(computed[worst], duel.differences[worst]),
    )


def _difference(criterion: Criterion, row: tuple[float, ...]) -> str:
    """The first option's difference from the second on one criterion, with its interval and probability."""
    middle, low, high, chance = row[:4]
    return _(
        "'{criterion}' ({middle} {unit}; 80 % {low} to {high}; better with P {chance})",
        criterion=say(criterion.title),
        middle=signed(-middle),
        low=signed(-high),
        high=signed(-low),
        unit=say(criterion.unit),
        chance="-" if math.isnan(chance) else percent(1 - chance),
    )


def signed(value: float) -> str:
    """A number with its sign."""
    return number(value) if value <= 0 else f"+{number(value)}"


def _thresholds(advice: Advice) -> str:
    e = advice.experiments
    own = advice.standings[advice.chosen]
    asked = {c.name: c for c in e.criteria.computed if not math.isnan(c.threshold)}
    if not asked:
        return _("No criterion of this actor has a threshold.")
    met = {name: own.meets[name] for name in asked}
    most, least = max(met, key=lambda k: met[k]), min(met, key=lambda k: met[k])
    best = max((s for s in advice.standings if not s.bound), key=lambda s: s.satisficing)
    named = {
        "most": say(asked[most].title),
        "often": percent(met[most]),
        "least": say(asked[least].title),
        "seldom": percent(met[least]),
        "count": len(asked),
    }
    if best.satisficing == 0:
        text = _(
            "It meets its threshold most often on '{most}' ({often}) and least often on '{least}' ({seldom}); no option "
            "meets all {count} thresholds together in any future.",
            **named,
        )
    else:
        text = _(
            "It meets its threshold most often on '{most}' ({often}) and least often on '{least}' ({seldom}); all {count} "
            "together it meets in {whole} of futures, and no option in more than {top}.",
            **named,
            whole=percent(own.satisficing),
            top=percent(best.satisficing),
        )
    telling = telling_thresholds(advice)
    alike = [title_of(e, name) for name in asked if name not in telling]
    if alike:
        text += " " + _(
            "No option stands out by its threshold on {criteria}: all meet it about as often.",
            criteria=", ".join(f"'{each}'" for each in alike),
        )
    if alike and telling:
        first = max((s for s in advice.standings if not s.bound), key=lambda s: s.satisficing_telling)
        text += " " + _(
            "The other {count} together it meets in {own} of futures; most often '{option}' does ({top}).",
            count=len(telling),
            own=percent(own.satisficing_telling),
            option=title(e, first.name),
            top=percent(first.satisficing_telling),
        )
    return text


def _where(e: Experiments, duel: Duel) -> str:
    """In which futures the rarer winner of two options wins."""
    winner, loser = (duel.second, duel.first) if duel.rarer == duel.second else (duel.first, duel.second)
    share = duel.share if duel.rarer == duel.second else 1 - duel.share
    named = {"winner": title(e, winner), "loser": title(e, loser), "share": percent(share)}
    if not duel.boxes:
        return _("'{winner}' beats '{loser}' in {share} of futures, and no simple condition tells which.", **named)
    box = duel.boxes[0]
    return _(
        "'{winner}' beats '{loser}' in {share} of futures, above all where {box}: there it does in {density}, which is "
        "{coverage} of all such futures.",
        **named,
        box=box_text(box, e),
        density=percent(box.density),
        coverage=percent(box.coverage),
    )


def box_text(box: Box, e: Experiments | None = None, choices: Sequence[str] = ()) -> str:
    """The limits of a box in words."""
    parts = []
    for name, (low, high) in box.limits.items():
        if name == OTHERS:
            names = [say(choice.title) for choice in e.choices] if e is not None else list(choices)
            inside = [text for place, text in enumerate(names) if low <= place <= high]
            parts.append(_("others choose {names}", names=_(" or ").join(f"'{text}'" for text in inside)))
            continue
        texts, unit, _source = describe(name)
        parts.append(limit_text(say(texts), unit, low, high))
    return _(" and ").join(parts)


def limit_text(what: str, unit: str, low: float, high: float) -> str:
    """One limit in words: events by whether they come, standard scores as parts of their prior."""
    if unit == EVENT:
        return _("'{what}': yes", what=what) if low > 0 else _("'{what}': no", what=what)
    if unit == "standard deviations":
        return _part_of_prior(what, low, high)
    shown = unit_text(unit)
    if math.isinf(high):
        return _("'{what}' is above {low}{unit}", what=what, low=number(low), unit=shown)
    if math.isinf(low):
        return _("'{what}' is below {high}{unit}", what=what, high=number(high), unit=shown)
    return _("'{what}' lies from {low} to {high}{unit}", what=what, low=number(low), high=number(high), unit=shown)


def _part_of_prior(what: str, low: float, high: float) -> str:
    """Limits of a standard score as percentiles of its prior."""
    from scipy.special import ndtr

    lower, upper = percent(float(ndtr(low))), percent(float(ndtr(high)))
    if math.isinf(high):
        return _("'{what}' is above {low} of its prior", what=what, low=lower)
    if math.isinf(low):
        return _("'{what}' is below {high} of its prior", what=what, high=upper)
    return _("'{what}' lies from {low} to {high} of its prior", what=what, low=lower, high=upper)


def limits_in_short(name: str, low: float, high: float) -> str:
    """The limits of a column beside a bar: yes or no for an event, parts of the prior for a standard score."""
    _texts, unit, _source = describe(name)
    if unit == EVENT:
        return _("yes") if low > 0 else _("no")
    if unit == "standard deviations":
        from scipy.special import ndtr

        low, high, shown = 100 * float(ndtr(low)), 100 * float(ndtr(high)), " %"
        low, high = low if low > 0 else -math.inf, high if high < 100 else math.inf
    else:
        shown = unit_text(unit)
    if math.isinf(high):
        return f"≥ {number(low)}{shown}"
    return f"≤ {number(high)}{shown}" if math.isinf(low) else f"{number(low)} – {number(high)}{shown}"


def unit_text(unit: str) -> str:
    """A unit after a number, in the language in force; nothing where there is none to say."""
    if unit in _NO_UNIT:
        return ""
    return f" {_KOREAN_UNITS.get(unit, unit)}" if language() == "ko" else f" {unit}"


def _watch(advice: Advice) -> str:
    e = advice.experiments
    post = advice.posts[0]
    rival = title(e, advice.standings[advice.rival].name)
    what = say(observable_title(post.name))
    told = {"hit": percent(post.hit), "alarm": percent(post.false_alarm), "gain": number(post.gain), "rival": rival}
    if post.name.startswith(("event:", "choice:")):
        yes = (
            _("Watch by {date} whether this holds: {what}. If so, change to '{rival}' "
              "(it tells {hit} of the futures where that is better, with {alarm} false alarms; gain {gain}).")
            if post.above
            else _("Watch by {date} whether this holds: {what}. If not, change to '{rival}' "
                   "(it tells {hit} of the futures where that is better, with {alarm} false alarms; gain {gain}).")
        )  # fmt: skip
        return filled(yes, date=post.date, what=what, **told)
    text = (
        _("Watch '{what}': if it is above {level} in {date}, change to '{rival}' "
          "(it tells {hit} of the futures where that is better, with {alarm} false alarms; gain {gain}).")
        if post.above
        else _("Watch '{what}': if it is below {level} in {date}, change to '{rival}' "
               "(it tells {hit} of the futures where that is better, with {alarm} false alarms; gain {gain}).")
    )  # fmt: skip
    return filled(text, what=what, level=number(post.level), date=post.date, **told)


def _repeat(e: Experiments, command: str) -> str:
    unknown = unknown_settings(e.options)
    text = _("To repeat it: `{command}`.", command=command)
    if unknown:
        names = ", ".join(unknown)
        text += " " + _(
            "The world does not know {names} yet; they act through processes of this room only.", names=names
        )
    return text


def unknown_settings(options: Sequence[Option]) -> list[str]:
    """Settings of these options that the world does not know, in order."""
    return list(dict.fromkeys(name for option in options for name in option.unknown_to_world()))


def box_texts(boxes: Sequence[Box]) -> dict[str, list[str]]:
    """Every box in words, by language."""
    found = {}
    for name in LANGUAGES:
        with use_language(name):
            found[name] = [box_text(box) for box in boxes]
    return found
