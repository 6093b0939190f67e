"""A run in the hand: its variables by name, its pictures, its comparisons, its files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chipweir.errors import InputError, UnknownName
from chipweir.i18n import _, language, use_language
from chipweir.library._answer import Answer, Source, html_table
from chipweir.library._documents import plain
from chipweir.library._known import Known
from chipweir.library._run import (
    Order,
    attributed,
    check_order,
    filler,
    influences,
    keep_compiled,
    manifest,
)
from chipweir.library._run import simulate as simulated


if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go
    import xarray as xr

    from chipweir.store import Run
    from chipweir.world import Scenario

_YEARS = (2024, 2025, 2026, 2028, 2030, 2032)


@dataclass(frozen=True, repr=False)
class Quantity:
    """One variable of a run: quantiles over members by scenario and month. `labels` are the choices made so far."""

    results: "Results"
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def data(self) -> "xr.DataArray":
        """The quantiles as a labelled array."""
        return self.results.dataset[self.name].sel(dict(self.labels))

    @property
    def unit(self) -> str:
        return str(self.data.attrs.get("units", ""))

    def sel(self, **labels: str) -> "Quantity":
        """The same variable for one label of an axis: `sel(region="KOR")`. Raises `UnknownName`."""
        array = self.data
        for dim, label in labels.items():
            if dim not in array.dims:
                raise UnknownName(f"axis of {self.name}", dim, map(str, array.dims))
            if label not in array[dim].values:
                raise UnknownName(dim, label, map(str, array[dim].values))
        return Quantity(self.results, self.name, {**self.labels, **labels})

    def at(self, month: str = "2030-12") -> "pd.DataFrame":
        """Quantiles of one month, a row for each scenario and label."""
        return self.data.sel(month=month).squeeze("month", drop=True).to_series().unstack("quantile")

    def to_pandas(self) -> "pd.DataFrame":
        """A long table: scenario, month, further axes, quantile, value."""
        return self.data.to_dataframe().reset_index()

    def plot(
        self, *, scenarios: Sequence[str] | None = None, theme: str = "light", lang: str | None = None
    ) -> "go.Figure":
        """A fan chart over the years. Raises `InputError` where an axis is left open that the chart needs chosen."""
        from chipweir.report import figures

        dataset = self.results.dataset
        with use_language(lang or language()):
            named: dict[str, Any] = {"compute": figures.compute, "smuggled_units": figures.smuggled}
            draw = named.get(self.name)
            if draw is not None:
                return draw(dataset, scenarios=scenarios, theme=theme, **self.labels)
            return figures.anything(dataset, self.name, scenarios=scenarios, theme=theme, **self.labels)  # type: ignore[arg-type]

    def __repr__(self) -> str:
        axes = ", ".join(f"{dim} {size}" for dim, size in self.data.sizes.items())
        chosen = "".join(f", {dim}={label}" for dim, label in self.labels.items())
        return f"<{self.name}{chosen} in {self.unit or '1'}: {axes}>"

    def _repr_html_(self) -> str:
        from html import escape

        array = self.data
        if set(array.dims) != {"scenario", "quantile", "month"}:
            return f"<p>{escape(repr(self))}</p>"
        months = array["month"].values.astype("datetime64[M]").astype(str)
        kept = [f"{year}-12" for year in _YEARS if f"{year}-12" in months]
        rows = []
        for scenario in array["scenario"].values:
            cells = []
            for month in kept:
                low, middle, high = (
                    float(array.sel(scenario=scenario, month=month).sel(quantile=q, method="nearest").squeeze())
                    for q in (0.1, 0.5, 0.9)
                )
                cells.append(f"{middle:,.4g} ({low:,.4g} – {high:,.4g})")
            rows.append((str(scenario), *cells))
        told = _("median and 80 % interval in {unit}", unit=self.unit or "1")
        return f"<p><b>{escape(self.name)}</b>, {escape(told)}</p>{html_table(('', *kept), rows)}"


@dataclass(frozen=True, repr=False)
class Results:
    """The results of a run: `results.compute` is a variable, `results.dataset` all of them with seed and manifest.

    Made by `run` or `open_run`; `manifest` determines every number.
    """

    dataset: "xr.Dataset"
    manifest: Mapping[str, Any]
    order: Order

    @property
    def scenarios(self) -> list[str]:
        return [str(name) for name in self.dataset["scenario"].values]

    @property
    def variables(self) -> list[str]:
        """Names of what was simulated, without the differences and probabilities derived from them."""
        derived = ("delta_", "p_greater_")
        return [str(name) for name in self.dataset.data_vars if not str(name).startswith(derived)]

    def __getattr__(self, name: str) -> Quantity:
        if name.startswith("_") or name not in self.dataset.data_vars:
            raise AttributeError(f"the run holds no variable '{name}'")
        return Quantity(self, name)

    def __getitem__(self, name: str) -> Quantity:
        if name not in self.dataset.data_vars:
            raise UnknownName("variable", name, self.variables)
        return Quantity(self, name)

    def __dir__(self) -> list[str]:
        own = [name for name in dir(type(self)) if not name.startswith("_")]
        return sorted({*own, "dataset", "manifest", "order", *self.variables})

    def __repr__(self) -> str:
        many = len(self.scenarios)
        named = ", ".join(self.scenarios[:4]) + (", …" if many > 4 else "")
        axis = self.dataset["month"].values.astype("datetime64[M]")
        return (
            f"<run of {named}: {self.order.members:,} members, seed {self.order.seed}, {axis[0]} to {axis[-1]}, "
            f"{len(self.variables)} variables>"
        )

    def _repr_html_(self) -> str:
        from html import escape

        frame = self.headline()
        table = frame.loc[
            frame["year"].isin((2026, 2030)), ["quantity", "scenario", "year", "value", "interval", "unit"]
        ]
        rows = [tuple(map(str, row)) for row in table.itertuples(index=False)]
        said = "".join(f"<li>{escape(text)}</li>" for text in self.findings())
        return f"<p>{escape(repr(self))}</p><ul>{said}</ul>{html_table(tuple(table.columns), rows)}"

    def headline(self, lang: str | None = None) -> "pd.DataFrame":
        """The headline table: a row for each quantity, scenario and year, with 80 % intervals and paired differences."""
        import pandas as pd

        from chipweir.report import headline_table

        cells = headline_table(self.dataset, lang or language())
        return pd.DataFrame(
            {
                "key": [c.key for c in cells],
                "quantity": [c.label for c in cells],
                "scenario": [c.scenario for c in cells],
                "year": [c.year for c in cells],
                "median": [c.median for c in cells],
                "value": [c.text for c in cells],
                "interval": [c.interval_text for c in cells],
                "difference": [c.delta_text for c in cells],
                "p_greater": [c.p_greater for c in cells],
                "unit": [c.unit for c in cells],
            }
        )

    def findings(self, year: int = 2030, lang: str | None = None) -> list[str]:
        """What the run says of the end of `year`, in sentences with intervals and the chance of their sign."""
        from chipweir.report import findings

        return [each.text for each in findings(self.dataset, lang or language(), year)]

    def compare(
        self, b: str, a: str | None = None, years: Sequence[int] = (2026, 2028, 2030), lang: str | None = None
    ) -> Answer:
        """Paired differences `b` minus `a` (the run's first scenario) in every headline quantity."""
        from chipweir.report import _numbers, quantities
        from chipweir.strategy import differences

        with use_language(lang or language()):
            a = a or self.scenarios[0]
            found, rows = [], []
            for item in quantities(self.dataset):
                months = [f"{year}-12" for year in years]
                for each in differences(self.dataset, a, b, item.variable, months, **item.selection):
                    found.append({"key": item.key, "label": item.text(), **each.as_dict()})
                    interval = " … ".join(_numbers.signed(bound, item.kind) for bound in each.p80)
                    sign = "=" if each.p_greater is None else f"{each.p_greater:.0%}"
                    levels = (_numbers.quantity(level, item.kind) for level in (each.a, each.b))
                    rows.append(
                        (item.text(), each.month, *levels, _numbers.signed(each.median, item.kind), interval, sign)
                    )
            if not rows:
                raise InputError(f"no headline quantity has a value in December of {', '.join(map(str, years))}")
            headline = _("{b} minus {a}: {count} paired differences", a=a, b=b, count=len(rows))
            columns = (_("quantity"), _("month"), a, b, _("difference"), "80 %", "P(+)")
            record = {"a": a, "b": b, "members": self.order.members, "seed": self.order.seed, "differences": found}
            return Answer("comparison", headline, columns, tuple(rows), plain(record), self.sources, _model_limits())

    @property
    def sources(self) -> tuple[Source, ...]:
        """What the numbers follow from: this version of the model, its facts and rules, by their digests."""
        made = self.manifest
        return (
            Source(f"facts-{made['facts_digest'][:12]}", _("the facts of this run"), note=made["facts_digest"]),
            Source(f"rules-{made['rules_digest'][:12]}", _("the rules of this run"), note=made["rules_digest"]),
            Source(
                f"chipweir-{made['code_version']}",
                _("the model: equations, priors and their sources by `explain`"),
                note=made.get("git") or "",
            ),
        )

    def save(self, directory: Path | str | None = None, *, report: bool = True, lang: str | None = None) -> "Run":
        """Store the run as the command does: results, manifest, headline and report, whole or not at all."""
        from chipweir import store

        facts = self.order.known.load()
        with use_language(lang or language()):
            fill = filler(self.dataset, self.order, facts, lang or language(), report)
            target = store.runs_directory(Path(directory) if directory is not None else None)
            return store.write_run(target, self.dataset, dict(self.manifest), fill)

    def report(self, path: Path | str, *, lang: str | None = None) -> Path:
        """Write the HTML report, with the sections of trust that the command's report has."""
        from chipweir.library._run import unfolded
        from chipweir.report import write_html

        facts = self.order.known.load()
        with use_language(lang or language()):
            extras = {"facts": facts, **unfolded(self.order, facts)}
            return write_html(self.dataset, Path(path), lang=lang or language(), extras=extras)


def run(
    *scenarios: "str | Path | Scenario",
    members: int = 1_000,
    seed: int = 1,
    facts: Sequence[Path | str] = (),
    changes: Mapping[str, str] | None = None,
    as_of: str | None = None,
    prior: bool = False,
    settings: Mapping[str, Any] | None = None,
) -> Results:
    """Simulate scenarios (shipped ones by name, files by path), paired: the same draws in each; baseline by default.

    `settings` {lever: value or {month: value}} adds for each a twin with these levers set. `changes` {id: what-if} and
    `as_of` a day change what is known (see `facts.load`), `prior` draws from before any observation was learned.

    The first call of a version
    compiles the model, which takes a minute or more. Raises `InputError`.
    """
    from chipweir.world import Scenario, load_scenario

    chosen = [each if isinstance(each, Scenario) else load_scenario(str(each)) for each in scenarios or ("baseline",)]
    if settings:
        chosen += [each.with_settings(dict(settings), name=f"{each.name}-changed") for each in chosen]
    names = [each.name for each in chosen]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"two scenarios are called '{name}'; give one of them another name")
    order = Order(tuple(chosen), members, seed, _known(facts, changes, as_of), prior)
    check_order(order)
    known = order.known.load()
    made = manifest(order, known, ("chipweir", "run", *names, "--members", str(members), "--seed", str(seed)))
    results = simulated(order, known, None, None, lambda fraction, text: None)
    return Results(attributed(results, made), made, order)


def open_run(name: str = "latest", directory: Path | str | None = None) -> Results:
    """A stored run by its id, the beginning of its id, its path, or `latest`. Raises `UnknownName` and `InputError`."""
    from chipweir import store

    stored = store.find_run(name, store.runs_directory(Path(directory) if directory is not None else None))
    made, order = stored.manifest, Order.of_run(stored)
    return Results(attributed(stored.results, made), made, order)


def _known(facts: Sequence[Path | str], changes: Mapping[str, str] | None, as_of: str | None) -> Known:
    return Known(tuple(map(Path, facts)), dict(changes or {}), as_of)


def compare(
    a: str, b: str, *, members: int = 1_000, seed: int = 1, facts: Sequence[Path | str] = (), **options: Any
) -> Answer:
    """Simulate two scenarios with the same draws and give the paired differences `b` minus `a`."""
    if a == b:
        raise InputError(f"compare needs two different scenarios; both are '{a}'")
    results = run(a, b, members=members, seed=seed, facts=facts)
    return results.compare(results.scenarios[1], **options)


def explain(
    variable: str,
    scenario: "str | Path | Scenario" = "baseline",
    month: str = "2030-12",
    *,
    top: int = 10,
    facts: Sequence[Path | str] = (),
    changes: Mapping[str, str] | None = None,
    as_of: str | None = None,
    lang: str | None = None,
    **labels: str,
) -> Answer:
    """How a number was made: the parameters and facts that move it most, with their sources, and the equations."""
    from chipweir import strategy
    from chipweir.world import Scenario, load_scenario

    with use_language(lang or language()):
        chosen = scenario if isinstance(scenario, Scenario) else load_scenario(str(scenario))
        known = _known(facts, changes, as_of).load()
        keep_compiled()
        found = strategy.explain(chosen, known, variable, month, top, **labels)
        record = plain({**found.as_dict(), **influences(found, known)})
        korean = language() == "ko"
        rows = tuple(
            (
                each["description_ko" if korean else "description"] or each["parameter"],
                f"{each['effect']:+.3g}",
                f"{each['low']:g} / {each['central']:g} / {each['high']:g}",
                each["unit"],
                each["source"],
            )
            for each in record["drivers"]
        )
        place = ", ".join(f"{dim} {label}" for dim, label in record["selection"].items())
        headline = f"{variable} ({place}), {chosen.name}, {month}: {record['value']:.4g} {record['unit']}"
        columns = (
            _("what moves it most"),
            _("one standard deviation up"),
            _("prior 5 / 50 / 95 %"),
            _("unit"),
            _("source"),
        )
        cited = {fact["id"]: Source(fact["id"], str(fact.get("source") or fact["id"]), url=str(fact.get("url") or ""),
                                    note=str(fact.get("text") or "")) for fact in record["facts"]}  # fmt: skip
        return Answer("explanation", headline, columns, rows, record, tuple(cited.values()), _model_limits(), found)


def _model_limits() -> tuple[str, ...]:
    return (
        _("Intervals are of the model's stated priors; events outside its equations are not in them."),
        _("A scenario is a question, not a forecast; the credibility table says where published figures were missed."),
        _("Made on {day}.", day=datetime.now(UTC).date().isoformat()),
    )
