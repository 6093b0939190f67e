"""Tables for people: what `explore`, `advise`, `game`, `voi` and `train` print."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from chipweir.cli._common import print_json
from chipweir.cli._tables import console, show
from chipweir.i18n import _, language


def said(text: Mapping[str, str]) -> str:
    """A text in the language in force."""
    return text.get(language()) or text["en"]


def print_lines(lines: Sequence[str]) -> None:
    out = console()
    for line in lines:
        out.print(Text(f"- {line}"), soft_wrap=True)


def print_advice(found: Mapping[str, Any]) -> None:
    """Sentences, the standing of the options, criteria by option, what is judged, and what to watch."""
    from chipweir.strategy import percent

    out = console()
    print_lines(found["sentences"][language()])
    out.print()
    rows = [
        (
            said(o["title"]),
            f"{o['score']:+.3f}",
            f"{o['mean_regret']:.3f}",
            f"{o['max_regret']:.3f}",
            percent(o["best_share"]),
            _("bound") if o["bound"] else percent(o["weight_share"]),
            percent(o["satisficing"]),
            _("no") if not o["undominated"] else _("yes"),
        )
        for o in found["options"]
    ]
    columns = (
        _("option"), "#" + _("score"), "#" + _("mean regret"), "#" + _("largest regret"), "#" + _("best in futures"),
        "#" + _("best over weights"), "#" + _("meets all"), _("undominated"),
    )  # fmt: skip
    show(columns, rows, _("Options under the weights, and over all weights"))
    out.print()
    _criteria_table(found, "computed")
    if any(c["kind"] == "judged" for c in found["criteria"]):
        out.print()
        _judged_table(found)
    if found["reversals"]:
        out.print()
        _reversals(found)
    if found["signposts"]:
        out.print()
        _signposts(found["signposts"])


def _reversals(found: Mapping[str, Any]) -> None:
    """Which weight turns the answer, and to what."""
    from chipweir.strategy import percent

    titles = {each["name"]: said(each["title"]) for each in (*found["criteria"], *found["options"])}
    rows = [
        (
            titles[each["criterion"]],
            percent(each["now"]),
            (_("above") if each["weight"] > each["now"] else _("below")) + f" {percent(each['weight'])}",
            titles[each["option"]],
        )
        for each in found["reversals"]
    ]
    columns = (_("weight on"), "#" + _("now"), "#" + _("turns the answer"), _("best then"))
    show(columns, rows, _("What turns the answer, other weights in proportion"))


def _criteria_table(found: Mapping[str, Any], kind: str) -> None:
    """Criterion by option: mean with the worst tenth below it, and the share of futures that meet the threshold."""
    from chipweir.strategy import number, percent

    columns = (_("criterion"), "#" + _("threshold"), *("#" + said(option["title"]) for option in found["options"]))
    rows = []
    for criterion in (c for c in found["criteria"] if c["kind"] == kind):
        sign = "≥ " if criterion["better"] == "more" else "≤ "
        line = "–" if criterion["threshold"] is None else sign + number(criterion["threshold"])
        asked = criterion["threshold"] is not None
        cells = []
        for option in found["options"]:
            row = option["criteria"][criterion["name"]]
            cells.append(
                Text.assemble(
                    number(row["mean"]),
                    "\n",
                    (
                        number(row["cvar10"]) + (f"; {percent(option['meets'][criterion['name']])}" if asked else ""),
                        "dim",
                    ),
                )
            )
        name = Text.assemble(said(criterion["title"]), "\n", (said(criterion["unit"]), "dim"))
        rows.append((name, line, *cells))
    show(columns, rows, _("Mean; mean of the worst tenth; share of futures that meet the threshold"))


def _judged_table(found: Mapping[str, Any]) -> None:
    from chipweir.strategy import number

    judged = [c for c in found["criteria"] if c["kind"] == "judged"]
    rows = []
    for criterion in judged:
        values = [
            number(o["judged"][criterion["name"]]["value"]) if criterion["name"] in o["judged"] else "–"
            for o in found["options"]
        ]
        rows.append((f"{said(criterion['title'])} ({said(criterion['unit'])})", *values))
    columns = (_("judged, outside the score"), *("#" + said(o["title"]) for o in found["options"]))
    show(columns, rows)


def _signposts(posts: Sequence[Mapping[str, Any]]) -> None:
    from chipweir.strategy import number, percent

    rows = []
    for post in posts:
        level = number(post["level"])
        change = _("above {level}", level=level) if post["above"] else _("below {level}", level=level)
        told = (percent(post["hit"]), percent(post["false_alarm"]), number(post["gain"]))
        rows.append((said(post["title"]), post["date"], change, *told))
    columns = (_("signpost"), _("date"), _("change if"), "#" + _("tells"), "#" + _("false alarms"), "#" + _("gain"))
    show(columns, rows)


def print_exploration(found: Mapping[str, Any], described: Mapping[str, str]) -> None:
    """Indices and boxes."""
    from chipweir.strategy import number, percent

    out = console()
    outcome = found["outcome"]
    labels = ", ".join(f"{dim} {label}" for dim, label in outcome["labels"].items())
    name = f"{outcome['variable']} ({labels})" if labels else outcome["variable"]
    out.print(
        f"{name}, {outcome['scenario']}, {outcome['year']}: {number(outcome['p50'])} {outcome['unit']} "
        f"(80 % {number(outcome['p10'])} – {number(outcome['p90'])}; {outcome['members']:,})",
        style="bold",
    )
    kinds = list(dict.fromkeys(index["kind"] for index in found["indices"]))
    main = "sobol_total" if "sobol_total" in kinds else "pawn"
    by_name: dict[str, dict[str, Any]] = {}
    for index in found["indices"]:
        by_name.setdefault(index["name"], {})[index["kind"]] = index
    ranked = sorted(by_name, key=lambda each: -by_name[each][main]["value"])[:12]
    rows = []
    for each in ranked:
        cells = [
            f"{by_name[each][k]['value']:.2f} ({by_name[each][k]['low']:.2f}–{by_name[each][k]['high']:.2f})"
            for k in kinds
        ]
        rows.append((each, described.get(each, ""), *cells))
    titles = {
        "pawn": "PAWN",
        "first": _("first order"),
        "sobol_first": _("Sobol first"),
        "sobol_total": _("Sobol total"),
    }
    show((_("factor"), _("what it is"), *("#" + titles[k] for k in kinds)), rows)
    if found["noise"]:
        floor = ", ".join(f"{titles[k]} {v:.2f}" for k, v in found["noise"].items())
        out.print(_("Chance alone shows up to: {floor}", floor=floor), style="dim")
    out.print()
    share = percent(found["where"]["share"])
    out.print(_("Where {condition} ({share} of members):", condition=found["where"]["condition"], share=share))
    if not found["boxes"]:
        out.print(_("no simple condition tells"))
    for box in found["boxes"]:
        told = _(
            "density {density}, coverage {coverage}", density=percent(box["density"]), coverage=percent(box["coverage"])
        )
        out.print(Text(f"- {box['text'][language()]} ({told})"), soft_wrap=True)


def print_game(found: Mapping[str, Any]) -> None:
    """Equilibria, commitment and best replies."""
    from chipweir.strategy import percent

    out = console()
    titles = {(p["name"], q["name"]): said(q["title"]) for p in found["players"] for q in p["policies"]}

    def named(profile: Mapping[str, str]) -> str:
        return ", ".join(f"{player}: {titles[player, policy]}" for player, policy in profile.items())

    rows = [
        (named(each["profile"]), *(f"{v:+.3f}" for v in each["payoffs"].values()), percent(each["share_of_weights"]),
         percent(each["share_of_members"]))
        for each in found["pure"]
    ]  # fmt: skip
    players = [p["name"] for p in found["players"]]
    columns = (_("pure equilibrium"), *("#" + p for p in players), "#" + _("of all weights"), "#" + _("of members"))
    if rows:
        show(columns, rows)
    else:
        out.print(_("No pure equilibrium."))
    for each in found["mixed"]:
        mixes = "; ".join(
            f"{player}: " + ", ".join(f"{titles[player, k]} {percent(v)}" for k, v in mix.items())
            for player, mix in each["strategies"].items()
        )
        out.print(Text(_("mixed equilibrium: {mixes}", mixes=mixes)), soft_wrap=True)
    for each in found["stackelberg"]:
        if each["profile"] is None:
            continue
        gain = "–" if each["gain"] is None else f"{each['gain']:+.3f}"
        told = _(
            "If {leader} commits first: {profile} (gain {gain})",
            leader=each["leader"],
            profile=named(each["profile"]),
            gain=gain,
        )
        out.print(Text(told), soft_wrap=True)
    out.print()
    rows = [
        (each["player"], named(each["given"]), titles[each["player"], each["reply"]], percent(each["probability"]))
        for each in found["best_responses"]
    ]
    show((_("player"), _("if others play"), _("best reply"), "#P"), rows)
    if found["unknown_to_world"]:
        out.print(_("The world does not know yet: {names}", names=", ".join(found["unknown_to_world"])), style="dim")


def print_information(found: Mapping[str, Any]) -> None:
    """What knowing each quantity would be worth."""
    from chipweir.strategy import percent

    out = console()
    out.print(
        _(
            "Knowing everything before choosing would be worth {value} of a criterion's span.",
            value=f"{found['evpi']:.3f}",
        )
    )
    rows = [
        (
            row["name"],
            said(row["title"]),
            f"{row['value']:.4f} ({row['low']:.4f}–{row['high']:.4f})",
            percent(row["share"]),
            percent(row["switch"]),
            _("yes") if row["above_noise"] else _("no"),
            row["source"],
        )
        for row in found["quantities"]
    ]
    columns = (
        _("quantity"), _("what it is"), "#" + _("worth knowing"), "#" + _("of everything"), "#" + _("choice changes"),
        _("above chance"), _("source"),
    )  # fmt: skip
    show(columns, rows)


def print_training(found: Mapping[str, Any]) -> None:
    """A training run: work, time by cluster, energy, cost, what binds."""
    from chipweir.strategy import number

    out = console()
    work = found["work"]
    head = f"{found['model'] or 'FLOP'}: {number(work['flop'])} FLOP"
    out.print(Text(head, "bold"))
    for line in found["sentences"][language()]:
        out.print(Text(f"- {line}"), soft_wrap=True)
    out.print()
    rows = [
        (
            f"{row['chips']:,}",
            _interval(row["days"]),
            _interval(row["chip_hours"]),
            f"{row['goodput']:.0%}",
            f"{row['mfu']['p50']:.0%}",
            _interval(row["energy_gwh"]),
            _interval(row["cost_musd"]),
            row["binds"],
        )
        for row in found["clusters"]
    ]
    columns = (
        "#" + _("chips"), "#" + _("days"), "#" + _("chip-hours"), "#" + _("goodput"), "#MFU", "#GWh",
        "#" + _("cost, USD m"), _("binds"),
    )  # fmt: skip
    show(columns, rows, found["system"])
    for note in found["notes"]:
        out.print(Text(note, "dim"), soft_wrap=True)


def _interval(row: Mapping[str, float]) -> str:
    from chipweir.strategy import number

    return f"{number(row['p50'])} ({number(row['p10'])}–{number(row['p90'])})"


def print_leverage(found: Mapping[str, Any]) -> None:
    """Sentences, what each side loses by year, and what falls with one supplier."""
    out = console()
    print_lines(found["sentences"][language()])
    sides = {"us": _("US: NVIDIA revenue"), "china": _("China: accelerator output")}
    laws = {"stands": _("law as it stands"), "lifted": _("memory rule lifted")}
    rows = [
        (f"{sides[side]}, {laws[law]}", row["year"], _spread(row["lost_percent"]), _spread(row["own_loss_usd_bn"]),
         _spread(row["per_unit"]))
        for law, parts in found["sides"].items()
        for side, each in parts.items()
        for row in each
    ]  # fmt: skip
    columns = (
        _("side"), "#" + _("year"), "#" + _("lost, %"), "#" + _("Korea gives up, USD bn"), "#" + _("per unit given up")
    )  # fmt: skip
    out.print()
    show(columns, rows, _("Loss of each side, median and 80 % interval"))
    out.print()
    lost = [
        (
            row["resource"],
            row["supplier"],
            f"{100 * row['share_lost']:.0f}",
            f"{100 * row['low']:.0f}-{100 * row['high']:.0f}",
        )
        for row in found["without_one"]
    ]
    show((_("resource"), _("without"), "#" + _("lost, %"), "#80 %"), lost, _("What falls with one supplier, 2030"))


def _spread(row: Mapping[str, float | None]) -> str:
    from chipweir.strategy import number

    low, middle, high = (float("nan") if row[key] is None else row[key] for key in ("p10", "p50", "p90"))
    return f"{number(middle or 0.0)} ({number(low or 0.0)}; {number(high or 0.0)})"


def list_mechanisms(known: Mapping[str, Any], as_json: bool) -> None:
    """Every mechanism with the command that measures it, or what is not modelled."""
    if as_json:
        print_json(
            [
                {"id": m.id, "title": dict(m.title), "claims": list(m.claims), "modelled": m.modelled, "command": m.command,
                 "why": dict(m.why)}
                for m in known.values()
            ]
        )  # fmt: skip
        return
    rows = [(m.id, said(m.title), m.command if m.modelled else _("not modelled")) for m in known.values()]
    show((_("mechanism"), _("claim"), _("command")), rows, _("Mechanisms and the pair that bears on each"))


def print_mechanisms(found: Sequence[Mapping[str, Any]]) -> None:
    """Each mechanism: its pair, what moved, and why."""
    out = console()
    for each in found:
        verdict = _("as expected") if each["holds"] else _("not as expected")
        out.print(Text(f"{said(each['title'])} ({verdict})", style="bold"), soft_wrap=True)
        out.print(Text(f"A: {_side(each['a'])}\nB: {_side(each['b'])}", style="dim"), soft_wrap=True)
        print_lines(each["sentences"][language()])
        out.print()


def _side(side: Mapping[str, Any]) -> str:
    settings = "; ".join(f"{name}: {value}" for name, value in side["set"].items())
    return f"{side['scenario']} + {settings}" if settings else str(side["scenario"])
