"""The Sankey picture of chip flows: from makers through channels to regions."""

from collections import defaultdict

import xarray as xr

from chipweir.errors import InputError
from chipweir.i18n import _
from chipweir.report import _access, _numbers
from chipweir.report._labels import label
from chipweir.report._style import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION, Theme, ink, rgba
from chipweir.report.figures._build import Spec, base, figure, source_line


_CHANNEL_COLOURS = {
    "direct": BLUE,
    "legal": BLUE,
    "licensed": SKY,
    "licensed_import": SKY,
    "domestic": GREEN,
    "smuggled": VERMILION,
    "rental": PURPLE,
}
_MAKERS = {
    "nvidia": "NVIDIA",
    "amd": "AMD",
    "google": "Google",
    "amazon": "Amazon",
    "aws": "Amazon",
    "microsoft": "Microsoft",
    "meta": "Meta",
    "intel": "Intel",
    "huawei": "Huawei",
    "cambricon": "Cambricon",
    "hygon": "Hygon",
    "moore-threads": "Moore Threads",
    "metax": "MetaX",
    "biren": "Biren",
    "baidu": "Baidu",
    "alibaba": "Alibaba",
    "t-head": "Alibaba",
    "enflame": "Enflame",
    "iluvatar": "Iluvatar",
    "kunlunxin": "Kunlunxin",
    "furiosa": "FuriosaAI",
    "rebellions": "Rebellions",
    "tesla": "Tesla",
    "openai": "OpenAI",
}

# What is less than this share of the whole is one flow with the others that are.
SMALL, OTHERS = 0.003, ""
Row = tuple[str, str, str, float]


def _maker(product: str) -> str:
    """The maker in a product id such as `huawei-ascend-910c`."""
    if product.startswith("cn-"):
        return _("Other Chinese")
    found = next((name for stem, name in _MAKERS.items() if product.startswith(stem + "-")), None)
    return found or product.split("-")[0].capitalize()


def _colour(channel: str) -> str:
    return next((colour for stem, colour in _CHANNEL_COLOURS.items() if channel.startswith(stem)), GREY)


@figure
def flows(
    dataset: xr.Dataset,
    scenario: str = "baseline",
    year: int = 2025,
    *,
    destination: str | None = "CHN",
    by: str = "maker",
    theme: Theme = "light",
) -> Spec:
    """Chips by maker (or `by="product"`), channel and region in one year; to one region or (None) to all."""
    _access.chosen(dataset, [scenario])
    if by not in ("maker", "product"):
        raise InputError(f"flows are shown by 'maker' or 'product', not by '{by}'")
    records = _access.flows(dataset, scenario, year, destination)
    rows = [
        (_maker(r["product"]) if by == "maker" else r["product"], r["channel"], r["region"], r["units"])
        for r in records
    ]
    for column in range(3):
        rows = _small_together(rows, column)
    sources: dict[tuple[str, str], float] = defaultdict(float)
    targets: dict[tuple[str, str], float] = defaultdict(float)
    for origin, channel, region, units in rows:
        sources[origin, channel] += units
        targets[channel, region] += units
    place = label("region", destination) if destination else _("all regions")
    title = _("Chips sold in {year}: {place}", year=year, place=place)
    total = sum(r["units"] for r in records)
    subtitle = _("{count} chips · {scenario}", count=_numbers.number(total), scenario=label("scenario", scenario))
    layout = base(title, subtitle, theme, _("mean of members") + f"<br>{source_line(dataset)}")
    layout["margin"] = {"l": 12, "r": 12, "t": 72, "b": 72}
    layout["height"] = 540  # a line for the label of each thin flow
    layout["hovermode"] = "closest"
    if not records:
        layout |= {"xaxis": {"visible": False}, "yaxis": {"visible": False}}
        layout["annotations"] = [*layout["annotations"], _empty(theme)]
        return {"data": [], "layout": layout}
    return {"data": [_sankey(sources, targets, theme)], "layout": layout}


def _small_together(rows: list[Row], column: int) -> list[Row]:
    """The makers, channels or regions that are each less than `SMALL` of the whole, as one; nothing is left out."""
    totals: dict[str, float] = defaultdict(float)
    for row in rows:
        totals[str(row[column])] += row[3]
    small = {name for name, units in totals.items() if units < SMALL * sum(totals.values())}
    if len(small) < 2:
        return rows
    return [_put_with_others(row, column) if row[column] in small else row for row in rows]


def _put_with_others(row: Row, column: int) -> Row:
    maker, channel, region = (OTHERS if place == column else str(name) for place, name in enumerate(row[:3]))
    return maker, channel, region, row[3]


def _empty(theme: Theme) -> Spec:
    return {
        "text": _("no chips flow here in this year"),
        "x": 0.5,
        "y": 0.5,
        "xref": "paper",
        "yref": "paper",
        "showarrow": False,
        "font": {"color": ink(theme), "size": 14},
    }


def _sankey(sources: dict[tuple[str, str], float], targets: dict[tuple[str, str], float], theme: Theme) -> Spec:
    names: dict[tuple[str, str], int] = {}

    def node(column: str, name: str) -> int:
        return names.setdefault((column, name), len(names))

    links = [(node("source", a), node("channel", b), b, units) for (a, b), units in _largest_first(sources)]
    links += [(node("channel", a), node("region", b), a, units) for (a, b), units in _largest_first(targets)]
    through: dict[tuple[int, str], float] = defaultdict(float)
    for start, end, _channel, units in links:
        through[start, "out"] += units
        through[end, "in"] += units
    called = [
        _("Others") if name == OTHERS else name if column == "source" else label(column, name) for column, name in names
    ]
    texts = [
        f"{name}  {_numbers.number(max(through[index, 'in'], through[index, 'out']))}"
        for index, name in enumerate(called)
    ]
    # A region that stands alone is named in the title; its label would lie over the thin channels.
    alone = sum(column == "region" for column, _name in names) == 1
    labels = ["" if alone and column == "region" else text for (column, _name), text in zip(names, texts, strict=True)]
    last = rgba(ORANGE, 0.25) if alone else ORANGE  # long names of channels reach over it on a telephone
    colours = [_colour(name) if column == "channel" else GREY if column == "source" else last for column, name in names]
    return {
        "type": "sankey",
        "arrangement": "snap",
        "domain": {"x": [0.0, 0.9] if alone else [0.01, 0.99], "y": [0.02, 0.98]},
        "node": {
            "label": labels,
            "customdata": texts,
            "color": colours,
            "pad": 16,
            "thickness": 14,
            "line": {"width": 0},
            "hovertemplate": "%{customdata}<extra></extra>",
        },
        "link": {
            "source": [link[0] for link in links],
            "target": [link[1] for link in links],
            "value": [link[3] for link in links],
            "color": [rgba(_colour(link[2]), 0.38) for link in links],
            "customdata": [
                f"{called[start]} → {called[end]}<br>{_numbers.number(units)}" for start, end, _channel, units in links
            ],
            "hovertemplate": "%{customdata}<extra></extra>",
        },
        "textfont": {"color": ink(theme), "size": 11, "shadow": "none"},
    }


def _largest_first(flows: dict[tuple[str, str], float]) -> list[tuple[tuple[str, str], float]]:
    return sorted(flows.items(), key=lambda item: -item[1])
