"""The levers as people see them: which controls a page shows, what each is called, its values in words."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chipweir.i18n import _, language
from chipweir.report import _numbers
from chipweir.report._labels import N_


if TYPE_CHECKING:
    from chipweir.world import Lever, Scenario

_BY_PRODUCT = {
    "us.allowed_products": ("h20-class", "h200-class", "blackwell-class", "rubin-class"),
    "us.quota": ("h20-class", "h200-class", "blackwell-class"),
    "us.fee_share": ("h20-class", "h200-class"),
    "china.import_stance": ("h20-class", "h200-class", "blackwell-class"),
}
STOPS: dict[str, tuple[float, ...]] = {
    "us.quota": (0, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000),
    "us.threshold_tpp": (1_000, 1_600, 2_400, 4_800, 7_000, 10_000, 15_000, 21_000, 40_000, 80_000, 200_000),
}

ACTORS = {
    "US": N_("United States"),
    "China": N_("China"),
    "hubs": N_("Transit hubs"),
    "Korea": N_("South Korea"),
    "technology": N_("Technology"),
    "demand": N_("Demand"),
}
CLASSES = {
    "h20-class": N_("H20 class"),
    "h200-class": N_("H200 class"),
    "blackwell-class": N_("Blackwell class"),
    "rubin-class": N_("Rubin class"),
    "all": N_("all chips"),
}
CHOICES = {
    "free": N_("free"),
    "licence": N_("licence"),
    "case_by_case": N_("case by case"),
    "denied": N_("denied"),
    "open": N_("open"),
    "discouraged": N_("discouraged"),
    "conditional": N_("conditional"),
    "blocked": N_("blocked"),
    "law": N_("as the law stands"),
}


@dataclass(frozen=True)
class Control:
    """One control: the full name of its setting and the lever behind it. `stops` are the values of a stepped slider."""

    name: str
    product: str
    lever: "Lever"
    stops: tuple[float, ...] = ()


def controls() -> list[Control]:
    """Every control of the page, in the order of the lever table."""
    from chipweir import world

    made = []
    for lever in world.levers().values():
        stops = STOPS.get(lever.name, ())
        if lever.by_product:
            made += [Control(f"{lever.name}.{p}", p, lever, stops) for p in _BY_PRODUCT.get(lever.name, ("all",))]
        else:
            made.append(Control(lever.name, "", lever, stops))
    return made


def lever_title(control: Control) -> str:
    """What the control is called, in the language in force."""
    lever = control.lever
    title = (lever.korean_name if language() == "ko" else "") or lever.title
    return f"{title}: {_(CLASSES.get(control.product, control.product))}" if control.product else title


def lever_text(control: Control) -> str:
    """What the lever does."""
    lever = control.lever
    return (lever.korean_description if language() == "ko" else "") or lever.description


def setting_text(name: str, value: float | str) -> str:
    """A setting in words: 'Enforcement in Malaysia: 2'."""
    control = next((each for each in controls() if each.name == name), None)
    if control is None:
        return f"{name}: {value}"
    return f"{lever_title(control)}: {value_text(control, value)}"


def value_text(control: Control, value: float | str) -> str:
    """A lever's value in words, with its unit."""
    if isinstance(value, str):
        return _(CHOICES.get(value, value))
    if control.lever.kind == "bool":
        return _("on") if value else _("off")
    if control.lever.unit.startswith("share"):
        return _numbers.share(value)
    return _numbers.number(value)


def effective(scenario: "Scenario", name: str, month: str) -> float | str:
    """What a lever stands at in `month`: a number, a choice's name, or `law`."""
    from chipweir import world

    lever, product = world.find_lever(name)
    months = [month]
    if lever.by_product and product in world.PRODUCT_CLASSES:
        code = float(scenario.product_series(lever.name, product, product, months)[0])
    else:
        code = float(scenario.series(name, months)[0])
    if math.isnan(code):
        return "law"
    if lever.kind == "choice":
        return str(next(word for word, value in lever.choices.items() if value == code))
    return code
