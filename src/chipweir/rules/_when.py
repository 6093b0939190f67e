"""When a rule applies: the restrictions a rule can have, as data."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from operator import attrgetter
from typing import Any, NamedTuple


FIRST, LAST = date.min, date.max
QUANTITIES = frozenset(
    (
        "tpp", "pd", "io_gbps", "mem_bw_gbps", "mem_plus_io_gbps", "mbd", "node_nm", "non_planar", "transistors_bn",
        "has_hbm", "data_centre", "co_packaged_with_processor", "training_ops", "weights",
        "more_capable_than_best_open", "mbd_stated",
        "shipment_tpp", "year_tpp", "country_tpp", "listed_ownership", "quantity",
    )
)  # fmt: skip


class Test(NamedTuple):
    """One comparison of a quantity with a literal."""

    name: str
    sign: str
    threshold: Fraction | str | bool


@dataclass(frozen=True, slots=True)
class Way:
    """One way of meeting a paragraph: every test must hold."""

    name: str
    tests: tuple[Test, ...]
    name_ko: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """When a rule applies. Empty fields do not restrict; all that are given must hold.

    `hq` and `to_or_hq` hold where the seat *or* the ultimate parent lies within (two prongs, either is enough), `not_hq`
    where neither does; `hq_stated` and `hq_within`, which only favour, where every seat does: `hq_stated` asks that it be
    stated, `hq_within` takes the destination of group A:1 for one that is not. `leaves` is the country of dispatch or one
    passed through.
    """

    since: date = FIRST
    until: date = LAST
    modes: tuple[str, ...] = ()
    classes: frozenset[str] = frozenset()
    data_centre: bool | None = None
    kinds: frozenset[str] = frozenset()
    to: tuple[str, ...] = ()
    not_to: tuple[str, ...] = ()
    hq: tuple[str, ...] = ()
    not_hq: tuple[str, ...] = ()
    hq_stated: tuple[str, ...] = ()
    hq_within: tuple[str, ...] = ()
    to_or_hq: tuple[str, ...] = ()
    shipped_from: tuple[str, ...] = ()
    leaves: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    exporters: tuple[str, ...] = ()
    exporter_types: tuple[str, ...] = ()
    end_users: tuple[str, ...] = ()
    end_user_types: tuple[str, ...] = ()
    not_end_user_types: tuple[str, ...] = ()
    chips: tuple[str, ...] = ()
    eccns: tuple[str, ...] = ()
    eccns_not: tuple[str, ...] = ()
    maker_countries: tuple[str, ...] = ()
    maker_of: tuple[str, ...] = ()
    maker_countries_not: tuple[str, ...] = ()
    designer_status: tuple[str, ...] = ()
    packaged_by: tuple[str, ...] = ()
    packaged_not_in: tuple[str, ...] = ()
    any_of: tuple[Way, ...] = ()
    every: tuple[Way, ...] = ()
    tests: tuple[Test, ...] = ()
    us_available: bool | None = None
    certified: tuple[str, ...] = ()
    ownership_unknown: bool | None = None
    sdn_owned: bool | None = None
    joint_venture: bool | None = None
    bars: "Condition | None" = None
    facts: Callable[[Any], Any] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        names = dict.fromkeys(fact for name, facts in _FACTS.items() if self._restricts(name) for fact in facts)
        object.__setattr__(self, "facts", attrgetter(*names) if names else _nothing)

    def _restricts(self, name: str) -> bool:
        value = getattr(self, name)
        return value is not None and value not in ((), frozenset())


_FACTS: dict[str, tuple[str, ...]] = {
    "to": ("to", "code"), "not_to": ("to", "code"), "hq": ("seats",), "not_hq": ("seats",),
    "hq_stated": ("seats", "seat_stated"), "hq_within": ("seats",), "to_or_hq": ("to", "code", "seats"),
    "shipped_from": ("origin", "origin_stated"), "leaves": ("origin", "via"), "modes": ("mode",), "kinds": ("kind",),
    "routes": ("route",), "exporters": ("exporter",), "exporter_types": ("exporter_type",),
    "end_users": ("names", "raw_names"), "end_user_types": ("users", "possible_users"),
    "not_end_user_types": ("users", "possible_users"), "ownership_unknown": ("owners",), "sdn_owned": ("owners",),
    "joint_venture": ("owners",), "designer_status": ("designer_status",), "packaged_by": ("packaged_by",),
}  # fmt: skip
"""The facts of a case that the restrictions on places and parties look at."""


def _nothing(case: Any) -> None:
    del case


ALWAYS = Condition()
