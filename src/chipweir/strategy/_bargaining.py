"""Bargaining power: what Korea could withhold, what that costs others and itself, and how it wears off.

Five worlds on the same draws: the law as it stands and with its memory rule lifted, each with and without a share of Korean
HBM held back from everybody (`korea.hbm_withhold`, and for China `korea.hbm_to_china`), and a full stop.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from chipweir.errors import InputError
from chipweir.i18n import LANGUAGES, _, filled, use_language
from chipweir.strategy._cells import Cells, Members, Progress, labels_of
from chipweir.strategy._futures import draws
from chipweir.strategy._leverage import Loss, ShadowPrice, months_to_replace, paired_leverage, vetoes, without_one
from chipweir.strategy._spread import spread


if TYPE_CHECKING:
    from chipweir.facts import Facts
    from chipweir.store import Mapper
    from chipweir.world import Scenario

FloatArray = npt.NDArray[np.float64]

LAWS: Mapping[str, Mapping[str, float]] = {"stands": {}, "lifted": {"us.hbm_control": 0.0}}
"""The memory rule as the scenario has it, and lifted from the month in which memory is held back."""
YEARS = (2027, 2032)
VETO_YEARS = (2026, 2030)
NOTHING = 0.05
"""Per cent of output below which a loss is none."""
FALLS_BY = 1e-6
"""Share of output from which a loss counts as one."""


@dataclass(frozen=True)
class Withholding:
    """A share of Korean HBM held back from a month on, in a scenario."""

    scenario: "Scenario"
    share: float
    start: str
    members: int
    seed: int

    def worlds(self) -> "dict[tuple[str, float], Scenario]":
        """The worlds by law and share held back. Raises `InputError` for a share that is none."""
        if not 0 < self.share <= 1:
            raise InputError(f"--withhold {self.share:g} is out of range; give a share above 0 and up to 1")
        found = {}
        for law, settings in LAWS.items():
            dated = {name: {self.start: value} for name, value in settings.items()}
            for share in (0.0, self.share, *((1.0,) if law == "stands" else ())):
                held = {"korea.hbm_withhold": {self.start: share}, "korea.hbm_to_china": {self.start: 1 - share}}
                every: dict[str, Any] = {**dated, **held}
                found[law, share] = self.scenario.with_settings(every, name=f"{law}-{round(100 * share)}")
        return found

    def cells(self, facts: "Facts", directory: Path) -> Cells:
        """The worlds to simulate or read."""
        return Cells(list(self.worlds().values()), facts, self.members, self.seed, directory)


def bargain(
    asked: Withholding, facts: "Facts", directory: Path, mapper: "Mapper" = map, progress: Progress | None = None
) -> dict[str, Any]:
    """Shadow prices by side, law and year, months to replace, vetoes and what falls with one supplier, for JSON."""
    found = asked.cells(facts, directory).run(mapper, progress)
    worlds = {key: found[scenario.digest] for key, scenario in asked.worlds().items()}
    base = worlds["stands", 0.0]
    prices = {law: paired_leverage(worlds[law, 0.0], worlds[law, asked.share], asked.share, *YEARS) for law in LAWS}
    stop = paired_leverage(base, worlds["stands", 1.0], 1.0, *YEARS)["us"]
    own = draws(asked.members, asked.seed).own
    years = range(YEARS[0], YEARS[1] + 1)
    document: dict[str, Any] = {
        "scenario": asked.scenario.name,
        "withheld": asked.share,
        "from": asked.start,
        "members": asked.members,
        "seed": asked.seed,
        "sides": {
            law: {side: [_price_row(year, price) for year, price in rows.items()] for side, rows in sides.items()}
            for law, sides in prices.items()
        },
        "stop": [_price_row(year, price) for year, price in stop.items()],
        "path": [_path_row(base, worlds["lifted", 0.0], year, own) for year in years],
        "vetoes": {
            region: [
                {"year": year, **{name: _spread(values) for name, values in row.items()}}
                for year, row in vetoes(base, region, VETO_YEARS).items()
            ]
            for region in ("KOR", "CHN", "USA")
        },
        "without_one": [loss.as_dict() for loss in _suppliers(base, VETO_YEARS[1])],
    }
    return document


def _spread(values: FloatArray) -> dict[str, float | None]:
    return {name: None if np.isnan(value) else value for name, value in spread(values).items()}


def _price_row(year: int, price: ShadowPrice) -> dict[str, Any]:
    return {
        "year": year,
        "lost_percent": _spread(100 * price.share),
        "lost": _spread(price.lost_by_others),
        "own_loss_usd_bn": _spread(price.lost_by_self),
        "per_unit": _spread(price.per_unit),
        "p_falls": float(np.mean(price.share > FALLS_BY)),
    }


def _path_row(base: Members, lifted: Members, year: int, own: Mapping[str, FloatArray]) -> dict[str, Any]:
    """Korea's share of HBM outside China, the months to replace half of it, and China's own part of the HBM it would get
    were the memory rule lifted."""
    share = base.at(year, "korea_hbm_share")
    home = sum(lifted.at(year, "hbm_by_vendor", vendor=name) for name in ("cxmt", "huawei"))
    arrived = lifted.at(year, "hbm_arrived_china")
    return {
        "year": year,
        "korean_share": _spread(share),
        "months_to_replace": _spread(months_to_replace(share, own["rival_growth"], own["qualification"])),
        "chinese_own_hbm": _spread(np.asarray(home) / np.maximum(arrived, 1e-9)),
    }


def _suppliers(world: Members, year: int) -> list[Loss]:
    """The N-1 table of one year: HBM of the world and of Korea's customers, and compute in Korea."""
    vendors = {name: world.at(year, "hbm_by_vendor", vendor=name) for name in labels_of("vendor")}
    abroad = {name: vendors[name] for name in ("sk-hynix", "samsung", "micron")}
    laws = {law: world.at(year, "compute_by_law", region="KOR", law=law) for law in labels_of("law")}
    return without_one({"HBM outside China": abroad, "HBM of the world": vendors, "compute in Korea": laws})


def bargain_sentences(found: Mapping[str, Any], command: str) -> dict[str, list[str]]:
    """Six or seven sentences by language, made from the document."""
    texts = {}
    for name in LANGUAGES:
        with use_language(name):
            texts[name] = _sentences(found, command)
    return texts


def _interval(spread: Mapping[str, float | None]) -> dict[str, str]:
    from chipweir.strategy._sentences import number

    return {key: number(float("nan") if value is None else value) for key, value in spread.items()}


def _towards_china(now: Mapping[str, Any], soon: Mapping[str, Any], late: Mapping[str, Any]) -> str:
    """What China loses: nothing where the law leaves nothing to withhold, and what it would were the rule lifted."""
    lifted = {
        "later": _interval(late["lost_percent"])["p50"],
        "last": late["year"],
        "year": soon["year"],
        **_interval(soon["lost_percent"]),
    }
    if abs(now["lost_percent"]["p50"] or 0.0) < NOTHING:
        text = _(
            "Towards China the law as it stands leaves nothing to withhold; were the memory rule lifted, Chinese output "
            "would fall by {p50} % in {year} ({p10} to {p90}) and by {later} % in {last}."
        )
        return filled(text, **lifted)
    text = _(
        "Chinese output falls by {now} % in {year} under the law as it stands, and would by {p50} % ({p10} to {p90}) and in "
        "{last} by {later} % were the memory rule lifted."
    )
    return filled(text, now=_interval(now["lost_percent"])["p50"], **lifted)


def _nothing_falls(found: Mapping[str, Any], early: Mapping[str, Any]) -> str:
    """Where memory is not what binds."""
    from chipweir.strategy._sentences import percent

    text = _(
        "Holding back {share} of Korean HBM from {start} takes nothing from NVIDIA's data-centre revenue in {year} at the "
        "median (80 % {p10} to {p90} %): what foreign makers take is less than is offered, other makers fill the gap, and "
        "the price of HBM does not answer in this model."
    )
    return filled(
        text,
        share=percent(found["withheld"]),
        start=found["from"],
        year=early["year"],
        **_interval(early["lost_percent"]),
    )


def _given_up(early: Mapping[str, Any]) -> str:
    """What Korea's own sales lose, and what that costs NVIDIA a dollar."""
    own = _interval(early["own_loss_usd_bn"])["p50"]
    if abs(early["lost_percent"]["p50"] or 0.0) < NOTHING:
        text = _("Korea itself gives up USD {own} bn of sales outside China in {year} for it.")
        return filled(text, own=own, year=early["year"])
    text = _(
        "Korea gives up USD {own} bn of sales outside China in {year} for it: every dollar given up costs NVIDIA {p50} "
        "dollars ({p10} to {p90})."
    )
    return filled(text, own=own, year=early["year"], **_interval(early["per_unit"]))


def _sentences(found: Mapping[str, Any], command: str) -> list[str]:
    from chipweir.strategy._sentences import number, percent

    us, open_china = found["sides"]["stands"]["us"], found["sides"]["lifted"]["china"]
    china, path = found["sides"]["stands"]["china"], found["path"]
    early, late, stop = us[1], us[-1], found["stop"]
    lines = [
        _nothing_falls(found, early)
        if abs(early["lost_percent"]["p50"] or 0.0) < NOTHING
        else _(
            "Holding back {share} of Korean HBM from {start} lowers NVIDIA's data-centre revenue by {p50} % in {year} "
            "(80 % {p10} to {p90}; it falls in {chance} of the draws) and by {later} % in {last}.",
            share=percent(found["withheld"]), start=found["from"], year=early["year"], chance=percent(early["p_falls"]),
            later=_interval(late["lost_percent"])["p50"], last=late["year"], **_interval(early["lost_percent"]),
        ),
        _given_up(early),
        _(
            "A full stop would lower NVIDIA's revenue by {p50} % in {year} ({p10} to {p90}) and by {later} % in {last}.",
            year=stop[0]["year"], last=stop[2]["year"], later=_interval(stop[2]["lost_percent"])["p50"],
            **_interval(stop[0]["lost_percent"]),
        ),
        _towards_china(china[1], open_china[1], open_china[-1]),
        _(
            "Were the rule lifted China would still make {now} of the HBM it gets itself in {year}, and {later} in {last}, "
            "at the median.",
            now=percent(path[1]["chinese_own_hbm"]["p50"]), year=early["year"],
            later=percent(path[-1]["chinese_own_hbm"]["p50"]), last=late["year"],
        ),
        _(
            "Korea makes {share} of the HBM outside China in 2030; others would need {p50} months ({p10} to {p90}) to "
            "replace half of it.",
            share=percent(path[3]["korean_share"]["p50"]), **_interval(path[3]["months_to_replace"]),
        ),
    ]  # fmt: skip
    veto = found["vetoes"]["KOR"][-1]
    first = found["without_one"][0]
    lines.append(
        _(
            "In return one foreign government can stop {veto} of the compute in Korea in {year} (concentration {hhi}); "
            "without {supplier} the world outside China loses {lost} of its HBM at once.",
            veto=percent(veto["one_veto"]["p50"]), year=veto["year"], hhi=number(veto["hhi"]["p50"]),
            supplier=first["supplier"], lost=percent(first["share_lost"]),
        )
    )  # fmt: skip
    lines.append(_("To repeat it: `{command}`.", command=command))
    return lines
