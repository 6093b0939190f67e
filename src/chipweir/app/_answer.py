"""What the Contest page shows of an answer, as plain data: the page's script paints it."""

from collections.abc import Sequence
from typing import Any

from chipweir.app import _layout
from chipweir.app._engine import FULL_MEMBERS, QUICK_MEMBERS, Answer
from chipweir.app._state import View
from chipweir.errors import InputError
from chipweir.i18n import _
from chipweir.report import Quantity, _access, _numbers, figures, label, quantities
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


def reply(view: View, answer: Answer) -> dict[str, Any]:
    """Everything the page paints: tiles, status, charts, what was wrong with the address; is it the full ensemble?"""
    return {
        "tiles": tiles(view, answer),
        "status": status(view, answer),
        "charts": [{**_layout.fitted(spec), "label": _title(spec)} for spec in charts(view, answer)],
        "problems": list(view.problems),
        "members": answer.members,
        "done": bool(view.run) or answer.members >= FULL_MEMBERS,
    }


def _title(spec: Spec) -> str:
    return str(spec["layout"]["title"]["text"])


def charts(view: View, answer: Answer) -> list[Spec]:
    """The visible tab's figures, at most `SLOTS`, without those whose numbers the run lacks."""
    made = []
    for make in _tab(view, answer):
        try:
            made.append(make())
        except InputError:
            continue
    return made[:SLOTS]


def _tab(view: View, answer: Answer) -> Sequence[Any]:
    run, theme = answer.results, _layout.theme_of(view)
    both = list(dict.fromkeys(answer.names))
    second = answer.names[1]
    options: dict[str, Any] = {"scenarios": both, "theme": theme}
    tabs: dict[str, list[Any]] = {
        "compute": [
            lambda: figures.compute.spec(run, "CHN", **options),
            lambda: figures.compute_by_origin.spec(run, second, theme=theme),
            lambda: figures.ratio_to_us.spec(run, **options),
            lambda: figures.compute.spec(run, "USA", **options),
        ],
        "market": [
            lambda: figures.share.spec(run, "domestic_share_compute", **options),
            lambda: figures.share.spec(run, "nvidia_share", **options),
            lambda: figures.smuggled.spec(run, **options),
            lambda: figures.premium.spec(run, **options),
        ],
        "flows": [lambda name=name: figures.flows.spec(run, name, view.year, theme=theme) for name in both],
        "supply": [
            lambda: figures.binding.spec(run, **options),
            lambda: figures.production.spec(run, **options),
            lambda: figures.ecosystem_shares.spec(run, second, theme=theme),
            lambda: figures.maturity.spec(run, second, theme=theme),
        ],
        "models": [
            lambda: figures.token_price.spec(run, "CHN", **options),
            lambda: figures.lag.spec(run, **options),
            lambda: figures.largest_run.spec(run, "CHN", **options),
            lambda: figures.power.spec(run, "CHN", **options),
        ],
        "korea": [
            *(
                lambda name=name: figures.korea_hbm.spec(run, name, **options)
                for name in _access.labels(run, "korea_hbm_exports", "customer")[:3]
            ),
            lambda: figures.korea_at_risk.spec(run, **options),
        ],
    }
    return tabs[view.tab]


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
        "interval": f"{_numbers.share(coverage)}: {_numbers.interval(low, high, item.kind)}",
        "change": _change(answer, item, index),
    }


def spread(found: _access.Series, index: int) -> tuple[float, float, float]:
    """The narrowest interval of the run that covers at least `TILE_COVERAGE`, and what it covers."""
    bands = sorted(found.bands(), key=lambda band: band[0])
    coverage, low, high = next((band for band in bands if band[0] >= TILE_COVERAGE - 1e-6), bands[-1])
    return float(low[index]), float(high[index]), coverage


def _change(answer: Answer, item: Quantity, index: int) -> str:
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
    # No arrow where the interval holds zero: the direction is open.
    return told if low <= 0 <= high else f"{'▲' if middle > 0 else '▼'} {told}"


def status(view: View, answer: Answer) -> str:
    """One line: what is compared, with how many members, how long it took."""
    if answer.names[0] == answer.names[1]:
        what = label("scenario", answer.names[1])
    else:
        what = _("{b} against {a}", a=label("scenario", answer.names[0]), b=label("scenario", answer.names[1]))
    took = _(
        "{count} members in {time} s", count=_numbers.whole(answer.members), time=_numbers.number(answer.seconds, 2)
    )
    if not view.run and answer.members < QUICK_MEMBERS:
        took = _("{first}, a first look that is being refined", first=took)
    return f"{what} · {took}"


def signed_range(middle: float, low: float, high: float, kind: str) -> str:
    """A change with its interval: +1.2M (+0.3M … +2.0M)."""
    return f"{_numbers.signed(middle, kind)} ({_numbers.signed(low, kind)} … {_numbers.signed(high, kind)})"
