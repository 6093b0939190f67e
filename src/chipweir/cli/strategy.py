"""Commands of the strategy room: explore, advise, game, voi and train."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chipweir import reading
from chipweir.cli import _strategy_tables
from chipweir.cli._common import (
    ClusterOption,
    FactsOption,
    JsonOption,
    LabelsArgument,
    LangOption,
    MembersOption,
    OutOption,
    ScenarioOption,
    SeedOption,
    VariableArgument,
    interruptible,
    labels_of,
    mapper,
    print_json,
    progress_bar,
)
from chipweir.errors import InputError, UnknownName
from chipweir.i18n import _, use_language
from chipweir.library import keep_compiled


if TYPE_CHECKING:
    from chipweir.facts import Facts
    from chipweir.strategy import Order, Plan
    from chipweir.world import Scenario

MOST_MEMBERS = 100_000
GAME_MEMBERS = 100
SLOW_SECONDS = 5.0

ActorArgument = Annotated[
    str, typer.Argument(help="korea, us or china.", autocompletion=lambda: ["korea", "us", "china"])
]
FuturesOption = Annotated[
    int, typer.Option("--futures", "--members", "-n", help="Draws; each meets every choice of others.")
]
WeightsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--weights", "-w", metavar="FILE|NAME=W", help="Weights of criteria (repeatable); those not named count 1."
    ),
]
WriteOption = Annotated[
    Path | None, typer.Option("--write", help="A folder for figures (HTML), the answer (JSON) and the scenario files.")
]


def register(app: typer.Typer) -> None:
    """Add this room's commands to `app`."""
    app.command("explore")(explore)
    app.command("advise")(advise)
    app.command("game")(game)
    app.command("voi")(voi)
    app.command("train")(train)
    app.command("leverage")(leverage)
    app.command("mechanism")(mechanism)


def explore(
    outcome: VariableArgument,
    labels: LabelsArgument = None,
    scenario: ScenarioOption = "baseline",
    year: Annotated[int, typer.Option("--year", help="Stocks at its end, flows as its mean.")] = 2030,
    levers: Annotated[
        list[str] | None, typer.Option("--levers", help="Levers that vary over their ranges too (repeatable, or a,b).")
    ] = None,
    where: Annotated[
        str | None,
        typer.Option("--where", metavar="'OUTCOME > X'", help="Futures to describe; default the upper fifth."),
    ] = None,
    sobol: Annotated[
        int, typer.Option("--sobol", metavar="N", help="Run Saltelli's design with base N (a power of two).")
    ] = 0,
    members: MembersOption = 1_000,
    seed: SeedOption = 1,
    out: OutOption = None,
    facts: FactsOption = None,
    cluster: ClusterOption = None,
    write: WriteOption = None,
    lang: LangOption = "en",
    as_json: JsonOption = False,
) -> None:
    """What an outcome hangs on, and in which futures it passes a line: sensitivity and scenario discovery."""
    from chipweir import strategy

    with _running(lang, out, cluster, simulates=False) as (directory, mapped, bar):
        _check(members, seed)
        chosen = tuple(name for text in levers or [] for name in text.split(",") if name)
        source, overlays = _source(scenario, directory)
        question = strategy.Question(source, outcome, labels_of(labels), year, members, seed, chosen, sobol)
        known = _facts((*overlays, *(facts or ())))
        plan = strategy.exploration_cost(question, known, directory)
        _tell(plan)
        if plan.stored < plan.worlds:
            keep_compiled()
        found = strategy.explore(question, known, directory, where, mapped, bar)
        texts = strategy.box_texts(found.boxes)
        document = strategy.exploration_document(found, texts)
        if write is not None:
            from chipweir import report

            _write(write, "explore", document, report.exploration_page(found, document), [question.scenario], lang)
        if as_json:
            print_json(document)
        else:
            _strategy_tables.print_exploration(
                document, {name: _strategy_tables.said(strategy.describe(name)[0]) for name in found.columns}
            )


def advise(
    actor: ActorArgument,
    options: Annotated[
        Path | None, typer.Option("--options", help="An option file or a folder of them in place of the shipped set.")
    ] = None,
    futures: FuturesOption = 1_000,
    seed: SeedOption = 1,
    weights: WeightsOption = None,
    criteria: Annotated[
        str | None, typer.Option("--criteria", metavar="FILE|a,b", help="Criteria of your own, or only these.")
    ] = None,
    choices: Annotated[
        Path | None, typer.Option("--choices", help="A file with choices of others in place of the shipped ones.")
    ] = None,
    out: OutOption = None,
    facts: FactsOption = None,
    cluster: ClusterOption = None,
    write: WriteOption = None,
    lang: LangOption = "en",
    as_json: JsonOption = False,
) -> None:
    """How an actor's options fare over many futures: regret, worst cases, thresholds, all weights, what to watch."""
    from chipweir import strategy

    with _running(lang, out, cluster) as (directory, mapped, bar):
        order = _order(actor, options, futures, seed, criteria, choices)
        known, given = _facts(facts), _weights(weights)
        strategy.weights_of(given, order.criteria)  # what is wrong with them is said before anything is simulated
        _tell(strategy.plan(order, known, directory))
        _warn_unknown(order)
        experiments = strategy.run_experiments(order, known, directory, mapped, bar)
        found = strategy.advise(experiments, given)
        said = strategy.advice_sentences(found, bool(given), _command("advise"))
        document = strategy.advice_document(found, said)
        if write is not None:
            from chipweir import report

            scenarios = [option.under(choice) for option in order.options for choice in order.choices]
            _write(write, "advise", document, report.advice_page(found, document), scenarios, lang)
        if as_json:
            print_json(document)
        else:
            _strategy_tables.print_advice(document)


def voi(
    actor: ActorArgument,
    options: Annotated[Path | None, typer.Option("--options", help="An option file or a folder of them.")] = None,
    futures: FuturesOption = 1_000,
    seed: SeedOption = 1,
    weights: WeightsOption = None,
    top: Annotated[int, typer.Option("--top", help="How many quantities to list.")] = 15,
    out: OutOption = None,
    facts: FactsOption = None,
    cluster: ClusterOption = None,
    lang: LangOption = "en",
    as_json: JsonOption = False,
) -> None:
    """Which uncertain quantity, if known before choosing, would most improve the choice."""
    from chipweir import strategy

    if top < 1:
        raise InputError(f"--top {top} is out of range; give 1 or more")
    with _running(lang, out, cluster) as (directory, mapped, bar):
        order = _order(actor, options, futures, seed, None, None)
        known, given = _facts(facts), _weights(weights)
        strategy.weights_of(given, order.criteria)
        _tell(strategy.plan(order, known, directory))
        experiments = strategy.run_experiments(order, known, directory, mapped, bar)
        document = strategy.information(experiments, given, top)
        if as_json:
            print_json(document)
        else:
            _strategy_tables.print_information(document)


def game(
    players: Annotated[str, typer.Option("--players", help="us,china or us,china,korea.")] = "us,china",
    menu: Annotated[
        Path | None, typer.Option("--menu", help="YAML: for each player a list of shipped policies or option files.")
    ] = None,
    leader: Annotated[str | None, typer.Option("--leader", help="Only this player's commitment.")] = None,
    weights: WeightsOption = None,
    members: MembersOption = GAME_MEMBERS,
    seed: SeedOption = 1,
    out: OutOption = None,
    facts: FactsOption = None,
    cluster: ClusterOption = None,
    write: WriteOption = None,
    lang: LangOption = "en",
    as_json: JsonOption = False,
) -> None:
    """Policies of two or three governments against one another: equilibria, commitment, best replies."""
    from chipweir import strategy

    with _running(lang, out, cluster) as (directory, mapped, bar):
        _check(members, seed)
        names = [name.strip() for name in players.split(",") if name.strip()]
        table = strategy.game_table(names, _menu(menu), members, seed)
        if leader is not None and leader not in names:
            raise UnknownName("leader", leader, names)
        known = _facts(facts)
        given: dict[str, dict[str, float]] = {}
        for key, value in _weights(weights).items():
            player, dot, criterion = key.partition(".")
            if not dot or player not in names:
                raise InputError(f"--weights {key}: write PLAYER.CRITERION=W with a player of this game")
            given.setdefault(player, {})[criterion] = value
        _tell(strategy.game_cells(table, known, directory).plan)
        played = strategy.play(table, known, directory, given, mapped, bar)
        document = strategy.game_document(played, leader)
        if write is not None:
            from chipweir import report

            scenarios = [table.scenario(profile) for profile in table.profiles()]
            _write(write, "game", document, report.game_page(document), scenarios, lang)
        if as_json:
            print_json(document)
        else:
            _strategy_tables.print_game(document)


def leverage(
    withhold: Annotated[float, typer.Option("--withhold", help="Share of Korean HBM held back from everybody.")] = 0.1,
    start: Annotated[str, typer.Option("--from", metavar="MONTH", help="From this month on.")] = "2027-01",
    scenario: ScenarioOption = "baseline",
    members: MembersOption = 256,
    seed: SeedOption = 1,
    out: OutOption = None,
    facts: FactsOption = None,
    cluster: ClusterOption = None,
    lang: LangOption = "en",
    as_json: JsonOption = False,
) -> None:
    """What Korea could withhold: loss of US and Chinese output and its own, months to replace, vetoes, lone suppliers."""
    from chipweir import strategy

    with _running(lang, out, cluster) as (directory, mapped, bar):
        _check(members, seed)
        source, overlays = _source(scenario, directory)
        asked = strategy.Withholding(source, withhold, start, members, seed)
        known = _facts((*overlays, *(facts or ())))
        _tell(asked.cells(known, directory).plan)
        document = strategy.bargain(asked, known, directory, mapped, bar)
        document["sentences"] = strategy.bargain_sentences(document, _command("leverage"))
        if as_json:
            print_json(document)
        else:
            _strategy_tables.print_leverage(document)


def mechanism(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Mechanisms; without one, the list. all: every one.")
    ] = None,
    members: MembersOption = 64,
    seed: SeedOption = 1,
    out: OutOption = None,
    facts: FactsOption = None,
    cluster: ClusterOption = None,
    lang: LangOption = "en",
    as_json: JsonOption = False,
) -> None:
    """Claimed mechanisms, each as a pair of worlds on the same draws: what moves, by how much, and why."""
    from chipweir import strategy

    if not names:
        with use_language(lang):
            _strategy_tables.list_mechanisms(strategy.mechanisms(), as_json)
        return
    with _running(lang, out, cluster) as (directory, mapped, bar):
        _check(members, seed)
        every = [each for each in strategy.mechanisms().values() if each.modelled]
        chosen = every if names == ["all"] else [strategy.find_mechanism(name) for name in names]
        known = _facts(facts)
        _tell(strategy.mechanism_cost(chosen, known, directory, members, seed))
        found = strategy.measure_mechanisms(chosen, known, directory, members, seed, mapped, bar)
        for each in found:
            each["sentences"] = {language: strategy.mechanism_sentences(each, language) for language in ("en", "ko")}
        if as_json:
            print_json(found)
        else:
            _strategy_tables.print_mechanisms(found)


def train(
    what: Annotated[str, typer.Argument(metavar="MODEL|FLOP", help="A language model, or FLOP such as 2.1e25.")],
    on: Annotated[str, typer.Option("--on", metavar="CHIP|SYSTEM", help="What it is trained on.")] = "nvidia-h100-sxm",
    chips: Annotated[
        list[int] | None, typer.Option("--chips", help="Size of the cluster (repeatable; default four sizes).")
    ] = None,
    tokens: Annotated[
        str | None, typer.Option("--tokens", help="Tokens trained on, such as 14.8e12; default as published.")
    ] = None,
    budget: Annotated[
        str | None, typer.Option("--budget", metavar="KRW", help="Money at hand in KRW, such as 5.2e12.")
    ] = None,
    days: Annotated[float, typer.Option("--days", help="Longest time for the verdict on a budget.")] = 120.0,
    precision: Annotated[str, typer.Option(help="bf16, fp8; by default fp8 where the model was trained so.")] = "",
    country: Annotated[str, typer.Option(metavar="CC", help="Country whose power price is paid.")] = "KR",
    lang: LangOption = "en",
    as_json: JsonOption = False,
) -> None:
    """What a training run takes: FLOP, chip-hours, days by cluster size, energy, cost with interval, and what binds."""
    from chipweir import strategy

    with use_language(lang):
        order = strategy.TrainingOrder(
            what=what,
            on=on,
            chips=tuple(chips or ()),
            tokens=_amount(tokens, "--tokens"),
            budget_krw=_amount(budget, "--budget"),
            days=days,
            precision=precision,
            country=country,
        )
        document = strategy.train(order)
        if as_json:
            print_json(document)
        else:
            _strategy_tables.print_training(document)


@contextmanager
def _running(
    lang: str, out: Path | None, cluster: str | None, simulates: bool = True
) -> Iterator[tuple[Path, Any, Any]]:
    """Language, the directory of runs, the map of a cluster or of this machine, and a progress bar; where nothing is
    simulated for sure, the compiler is left alone."""
    from chipweir import store

    directory = store.runs_directory(out)
    with use_language(lang), interruptible(directory), mapper(cluster) as mapped, progress_bar() as bar:
        if simulates:
            keep_compiled()
        yield directory, mapped, bar


def _check(members: int, seed: int) -> None:
    if not 1 <= members <= MOST_MEMBERS:
        raise InputError(f"--members {members} is out of range; give 1 to {MOST_MEMBERS}")
    if not 0 <= seed < 2**63:
        raise InputError(f"--seed {seed} is out of range; give 0 to {2**63 - 1}")


def _source(name: str, directory: Path) -> "tuple[Scenario, tuple[Path, ...]]":
    """A scenario by its name or file, or the first of a stored run with the user's own facts behind it."""
    from chipweir import store
    from chipweir.world import load_scenario, preset_names

    if name not in preset_names() and Path(name).suffix not in {".yaml", ".yml"}:
        try:
            stored = store.find_run(name, directory)
        except UnknownName:
            return load_scenario(name), ()
        folder = stored.path / "facts"
        return stored.scenarios[0], tuple(sorted(folder.iterdir())) if folder.is_dir() else ()
    return load_scenario(name), ()


def _facts(extra: Sequence[Path] | None) -> "Facts":
    from chipweir import facts

    return facts.load(tuple(extra or ()))


def _order(
    actor: str, options: Path | None, futures: int, seed: int, criteria: str | None, choices: Path | None
) -> "Order":
    from chipweir import strategy

    _check(futures, seed)
    chosen = strategy.shipped_options(actor) if options is None else strategy.load_options(options)
    others = [option.name for option in chosen if option.actor != actor]
    if others:
        raise InputError(f"option {others[0]} is not of {actor}")
    empty = strategy.empty_options(chosen)
    for option in empty:
        missing = ", ".join(option.unknown_to_world())
        typer.echo(f"chipweir: warning: {option.name} is left out: the world does not know {missing} yet", err=True)
    chosen = tuple(option for option in chosen if option not in empty)
    if len(chosen) < 2:
        raise InputError("advice needs at least two options to compare")
    return strategy.Order(actor, chosen, _choices(actor, choices), _criteria(actor, criteria), futures, seed)


def _choices(actor: str, path: Path | None) -> Any:
    from chipweir import strategy

    return (
        strategy.shipped_choices(actor)
        if path is None
        else strategy.read_choices(reading.read_text(path, "file of choices"), str(path))
    )


def _criteria(actor: str, given: str | None) -> Any:
    from dataclasses import replace

    from chipweir import strategy

    known = strategy.shipped_criteria(actor)
    if given is None:
        return known
    if Path(given).suffix in {".yaml", ".yml"}:
        return strategy.read_criteria(reading.read_text(Path(given), "file of criteria"), given)
    names = [name.strip() for name in given.split(",") if name.strip()]
    computed = {criterion.name: criterion for criterion in known.computed}
    for name in names:
        if name not in computed:
            raise UnknownName("criterion", name, computed)
    return replace(known, computed=tuple(computed[name] for name in dict.fromkeys(names)))


def _weights(given: Sequence[str] | None) -> dict[str, float]:
    """Weights by criterion, from files and from NAME=W."""
    found: dict[str, float] = {}
    for text in given or ():
        name, sign, value = text.partition("=")
        entries: Mapping[str, Any] = {name.strip(): value.strip()}
        if not sign:
            tree = reading.read_yaml(Path(text), "weights file").data
            if not isinstance(tree, dict):
                raise InputError(f"--weights {text}: a file holds a mapping of criteria to weights")
            entries = tree
        for key, entry in entries.items():
            try:
                found[str(key)] = float(entry)
            except (TypeError, ValueError):
                raise InputError(f"--weights {key}: '{entry}' is not a number") from None
            if not 0 <= found[str(key)] < float("inf"):
                raise InputError(f"--weights {key}: {entry} is out of range; give 0 or more")
    return found


def _menu(path: Path | None) -> dict[str, list[str]] | None:
    if path is None:
        return None
    tree = reading.read_yaml(path, "menu file").data
    if not isinstance(tree, dict) or not all(isinstance(menu, list) for menu in tree.values()):
        raise InputError(f"{path}: a menu file holds for each player a list of policies")
    beside = path.parent
    return {
        str(player): [str(beside / name) if str(name).endswith((".yaml", ".yml")) else str(name) for name in menu]
        for player, menu in tree.items()
    }


def _amount(text: str | None, option: str) -> float | None:
    if text is None:
        return None
    try:
        value = float(text.replace(",", "").replace("_", ""))
    except ValueError:
        raise InputError(f"{option} {text}: not a number; write such as 14.8e12") from None
    if not 0 < value < 1e40:
        raise InputError(f"{option} {text} is out of range; give a number above 0")
    return value


def _tell(plan: "Plan") -> None:
    """Say what is about to be simulated, where that takes more than a moment."""
    missing = plan.worlds - plan.stored
    if missing and plan.seconds > SLOW_SECONDS:
        text = _(
            "{missing} of {worlds} worlds with {members} members each to simulate: about {seconds} s, and up to half a "
            "minute to compile; stored ones are read",
            missing=missing,
            worlds=plan.worlds,
            members=f"{plan.members:,}",
            seconds=f"{plan.seconds:,.0f}",
        )
        typer.echo(f"chipweir: {text}", err=True)


def _warn_unknown(order: "Order") -> None:
    from chipweir import strategy

    unknown = strategy.unknown_settings(order.options)
    if unknown:
        text = _("the world does not know {names} yet; they act through processes of the strategy room only",
                 names=", ".join(unknown))  # fmt: skip
        typer.echo(f"chipweir: warning: {text}", err=True)


def _command(name: str) -> str:
    """The command line as it was given, without what only says how to print it."""
    given = [each for each in sys.argv[1:] if each != "--json"]
    return " ".join(["chipweir", *given]) if given[:1] == [name] else f"chipweir {name}"


def _write(
    folder: Path, name: str, document: Mapping[str, Any], page: Any, scenarios: Sequence[Any], lang: str
) -> None:
    """Figures, answer and scenario files into `folder`."""
    from chipweir.library import dumps
    from chipweir.report import write_page
    from chipweir.store import writing

    with writing(folder):
        (folder / "scenarios").mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.json").write_text(dumps(document), encoding="utf-8")
        for scenario in {each.digest: each for each in scenarios}.values():
            (folder / "scenarios" / f"{scenario.name}.yaml").write_text(scenario.to_yaml(), encoding="utf-8")
        write_page(folder / f"{name}.html", page, lang=lang)
    typer.echo(str(folder), err=True)
