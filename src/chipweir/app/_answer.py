"""What the Contest page shows of an answer, as plain data: the page's script paints it."""

from collections.abc import Callable
from functools import partial
from typing import Any

from chipweir.app import _layout
from chipweir.app._engine import FULL_MEMBERS, QUICK_MEMBERS, Answer
from chipweir.app._state import View
from chipweir.errors import InputError, UnknownName
from chipweir.i18n import _
from chipweir.report import (
    Quantity,
    _access,
    _numbers,
    chance_text,
    figures,
    findings,
    h100e_text,
    label,
    quantities,
    source_of,
)
from chipweir.report.figures._build import Spec


SLOTS = 4
TILES = (
    "compute",
    "ratio_to_us",
    "domestic_share_compute",
    "nvidia_share",
    "smuggled_units",
    "premium",
    "token_price",
    "lag_months",
    "korea_hbm_exports",
)
TILE_COVERAGE = 0.8
SLOW_SECONDS = 60.0


def reply(view: View, answer: Answer) -> dict[str, Any]:
    """Everything the page paints: findings, tiles, status, charts, what was wrong; is it the full ensemble?"""
    return {
        "findings": said(view, answer),
        "tiles": tiles(view, answer),
        "status": status(view, answer),
        "charts": [
            {**_layout.fitted(spec), "name": name, "label": _title(spec), "source": source_of(spec)}
            for name, spec in charts(view, answer).items()
        ],
        "problems": list(view.problems),
        "members": answer.members,
        "done": bool(view.run) or answer.members >= FULL_MEMBERS,
    }


def said(view: View, answer: Answer) -> list[str]:
    """The findings in sentences: what scenario B changes first, then how things stand under A."""
    found = findings(answer.results, view.lang, view.year, answer.names)
    changes = [each.text for each in found if each.about in ("contrast", "diversion")]
    return changes + [each.text for each in found if each.about not in ("contrast", "diversion")]


def _title(spec: Spec) -> str:
    return str(spec["layout"]["title"]["text"])


def charts(view: View, answer: Answer) -> dict[str, Spec]:
    """The visible tab's figures by name, at most `SLOTS`, or the view's one chart, without those that the run can't show."""
    made: dict[str, Spec] = {}
    for name, make in _tab(view, answer).items():
        if view.chart and name != view.chart:
            continue
        try:
            made[name] = make()
        except InputError:
            continue
    return dict(list(made.items())[:SLOTS])


def chart(view: View, answer: Answer) -> Spec:
    """The view's one chart. Raises `UnknownName`, `InputError`."""
    found = _tab(view, answer)
    if view.chart not in found:
        raise UnknownName("chart", view.chart, found)
    return found[view.chart]()


def _tab(view: View, answer: Answer) -> dict[str, Callable[[], Spec]]:
    run, theme = answer.results, _layout.theme_of(view)
    both = list(dict.fromkeys(answer.names))
    second = answer.names[1]
    options: dict[str, Any] = {"scenarios": both, "theme": theme}
    match view.tab:
        case "market":
            return {
                "domestic-share": lambda: figures.share.spec(run, "domestic_share_compute", **options),
                "nvidia-share": lambda: figures.share.spec(run, "nvidia_share", **options),
                "smuggled": lambda: figures.smuggled.spec(run, **options),
                "premium": lambda: figures.premium.spec(run, **options),
            }
        case "flows":
            sankeys = {
                f"flows-{which}": partial(figures.flows.spec, run, name, view.year, theme=theme)
                for which, name in zip(("b", "a"), reversed(both), strict=False)
            }
            return {"diversion": lambda: figures.diversion.spec(run, second, year=view.year, theme=theme), **sankeys}
        case "supply":
            return {
                "binding": lambda: figures.binding.spec(run, **options),
                "production": lambda: figures.production.spec(run, **options),
                "ecosystems": lambda: figures.ecosystem_shares.spec(run, second, theme=theme),
                "maturity": lambda: figures.maturity.spec(run, second, theme=theme),
            }
        case "models":
            return {
                "token-price": lambda: figures.token_price.spec(run, "CHN", **options),
                "lag": lambda: figures.lag.spec(run, **options),
                "largest-run": lambda: figures.largest_run.spec(run, "CHN", **options),
                "power": lambda: figures.power.spec(run, "CHN", **options),
            }
        case "korea":
            customers = _access.labels(run, "korea_hbm_exports", "customer")[:3]
            return {
                **{
                    f"korea-hbm-{name.lower()}": partial(figures.korea_hbm.spec, run, name, **options)
                    for name in customers
                },
                "korea-at-risk": lambda: figures.korea_at_risk.spec(run, **options),
            }
        case _:
            return {
                "compute": lambda: figures.compute.spec(run, "CHN", **options),
                "origins": lambda: figures.compute_by_origin.spec(run, second, theme=theme),
                "ratio": lambda: figures.ratio_to_us.spec(run, **options),
                "compute-us": lambda: figures.compute.spec(run, "USA", **options),
            }


def tiles(view: View, answer: Answer) -> list[dict[str, str]]:
    """Headline tiles for the view's year: scenario B, its interval, and the paired change against scenario A."""
    by_key = {item.key: item for item in quantities(answer.results)}
    return [tile for key in TILES if key in by_key and (tile := _tile(view, answer, by_key[key])) is not None]


def _tile(view: View, answer: Answer, item: Quantity) -> dict[str, str] | None:
    second = answer.names[1]
    found = _access.series(answer.results, item.variable, second, **item.selection)
    index = None if found is None else _access.month_index(found.months, view.year)
    if found is None or index is None:
        return None
    low, high, coverage = spread(found, index)
    return {
        "key": item.key,
        "label": item.text(),
        "value": _numbers.quantity(float(found.median[index]), item.kind),
        "unit": "" if item.kind in ("usd", "share") else item.unit(),
        "gloss": h100e_text() if item.unit() == "H100e" else "",
        "interval": f"{_numbers.share(coverage)}: {_numbers.interval(low, high, item.kind)}",
        "change": _change(answer, item, index, view.year),
    }


def spread(found: _access.Series, index: int) -> tuple[float, float, float]:
    """The narrowest interval of the run that covers at least `TILE_COVERAGE`, and what it covers."""
    bands = sorted(found.bands(), key=lambda band: band[0])
    coverage, low, high = next((band for band in bands if band[0] >= TILE_COVERAGE - 1e-6), bands[-1])
    return float(low[index]), float(high[index]), coverage


def _change(answer: Answer, item: Quantity, index: int, year: int) -> str:
    first, second = answer.names
    if first == second:
        return ""
    delta = _access.series(answer.results, _access.delta_name(item.variable), second, **item.selection)
    if delta is None:
        return ""
    low, high, _coverage = spread(delta, index)
    middle = float(delta.median[index])
    level = _access.require(answer.results, item.variable, first, **item.selection).median[index]
    if _access.is_nothing((middle, low, high), float(level)):
        return ""
    told = signed_range(middle, low, high, item.kind)
    chance = _access.probability(answer.results, item.variable, second, year, **item.selection)
    if chance is not None:
        told += " · " + _("P {chance}", chance=chance_text(max(chance, 1 - chance)))
    # No arrow where the interval holds zero: the direction is open.
    return told if low <= 0 <= high else f"{'▲' if middle > 0 else '▼'} {told}"


def status(view: View, answer: Answer) -> str:
    """One line: what is compared, with how many members, how long it took."""
    if answer.names[0] == answer.names[1]:
        what = label("scenario", answer.names[1])
    else:
        what = _("{b} against {a}", a=label("scenario", answer.names[0]), b=label("scenario", answer.names[1]))
    count = _numbers.whole(answer.members)
    took = _("{count} members in {time} s", count=count, time=_numbers.number(answer.seconds, 2))
    if answer.seconds > SLOW_SECONDS:  # it waited for the model to be compiled, which tells nobody anything
        took = _("{count} members", count=count)
    if not view.run and answer.members < QUICK_MEMBERS:
        took = _("{first}, a first look that is being refined", first=took)
    return f"{what} · {took}"


def signed_range(middle: float, low: float, high: float, kind: str) -> str:
    """A change with its interval: +1.2M (+0.3M … +2.0M)."""
    return f"{_numbers.signed(middle, kind)} ({_numbers.signed(low, kind)} … {_numbers.signed(high, kind)})"
