"""Sentences that say what causes what, what somebody is up to, or what will come: tagged, and tied to the pair of
scenarios that bears on them."""

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from chipweir.evidence._frames import marked, modality, read_data
from chipweir.evidence._page import Page
from chipweir.evidence._verdict import Number, Status, Text
from chipweir.text import Extraction, quick


@dataclass(frozen=True, slots=True)
class Mechanism:
    """A claimed mechanism, the words that speak of it, and the scenario pair (A, B) whose difference bears on it."""

    id: str
    title: Mapping[str, str]
    a: str
    b: str
    outcome: str
    also: tuple[str, ...]
    claimed: str
    levers: Mapping[str, float | str]
    variant: str
    stance: str
    opposes: tuple[str, ...]
    command: str
    groups: tuple[Mapping[str, re.Pattern[str]], ...]
    isolates: bool = True


@dataclass(frozen=True, slots=True)
class Tag:
    """A sentence tied to a mechanism, or marked as judgement alone (`mechanism` is empty)."""

    id: str
    start: int
    end: int
    sentence: int
    kind: str
    modality: str
    mechanism: str = ""
    title: Mapping[str, str] = field(default_factory=dict)
    a: str = ""
    b: str = ""
    outcome: str = ""
    claimed: str = ""
    stance: str = ""
    command: str = ""
    scenario_file: str = ""
    status: Status = "not_checkable"
    numbers: tuple[Number, ...] = ()
    text: Text = field(default_factory=lambda: Text("scenario_run"))


@cache
def mechanisms() -> dict[str, Mechanism]:
    """All mechanisms by id."""
    result = {}
    for raw in read_data("mechanisms.yaml"):
        groups = tuple({lang: quick(text, ignore_case=True) for lang, text in group.items()} for group in raw["groups"])
        result[raw["id"]] = Mechanism(
            raw["id"],
            raw["title"],
            raw["a"],
            raw["b"],
            raw["outcome"],
            tuple(raw["also"]),
            raw["claimed"],
            raw["levers"],
            raw["variant"],
            raw["stance"],
            tuple(raw["opposes"]),
            raw["command"] or "",
            groups,
            raw.get("isolates", True),
        )
    return result


def tag(found: Extraction, page: Page | None = None) -> tuple[Tag, ...]:
    """The article's causal, strategic, predictive and opinion sentences, with the mechanisms they claim."""
    page = page or Page(found)
    systems = tuple(dict.fromkeys(e.id for e in found.entities if e.kind == "system"))
    tags: list[Tag] = []
    for number, sentence in enumerate(page.sentences):
        if sentence.dropped:
            continue
        text, lang = page.words(number), page.scripts[number]
        said = modality(page, number)
        kind = _kind(text, lang, said)
        spoken = _spoken_of(page, number)
        blank = Tag("", sentence.start, sentence.end, number, kind or "causal", said)
        tags += [_tie(blank, mechanism, systems) for mechanism in spoken]
        if kind and not spoken:
            tags.append(Tag("", sentence.start, sentence.end, number, kind, said, text=Text("judgement")))
    return tuple(replace(item, id=f"t{number:02d}") for number, item in enumerate(tags, 1))


def _kind(text: str, lang: str, said: str) -> str:
    if marked("causal", text, lang):
        return "causal"
    if marked("strategic", text, lang):
        return "strategy"
    if said == "forecast":
        return "forecast"
    return "opinion" if said == "opinion" else ""


@cache
def _any_opening(lang: str) -> re.Pattern[str]:
    """The first group of words of every mechanism, as one pattern: most sentences hold none."""
    return quick("|".join(f"(?:{raw['groups'][0][lang]})" for raw in read_data("mechanisms.yaml")), ignore_case=True)


def _spoken_of(page: Page, sentence: int) -> list[Mechanism]:
    """At most two mechanisms whose groups of words all stand in the sentence; those with more words first."""
    lang, text = page.scripts[sentence], page.words(sentence)
    if _any_opening(lang).search(text) is None:
        return []
    seen: dict[re.Pattern[str], re.Match[str] | None] = {}
    hits = []
    for mechanism in mechanisms().values():
        spans = _spans(mechanism, lang, text, seen)
        if spans and len(spans) >= min(2, len(mechanism.groups)):
            hits.append((len(spans), -(spans[-1][1] - spans[0][0]), mechanism.id))
    hits.sort(reverse=True)
    return [mechanisms()[identifier] for _, _, identifier in hits[:2]]


def _spans(
    mechanism: Mechanism, lang: str, text: str, seen: dict[re.Pattern[str], re.Match[str] | None]
) -> list[tuple[int, int]]:
    """Where the words of each group of a mechanism first stand, none if a group has no word in `text`. `seen` keeps
    what groups shared by several mechanisms found."""
    spans = set()
    for group in mechanism.groups:
        pattern = group[lang]
        if pattern not in seen:
            seen[pattern] = pattern.search(text)
        match = seen[pattern]
        if match is None:
            return []
        spans.add(match.span())
    return sorted(spans)


def _tie(blank: Tag, mechanism: Mechanism, systems: Sequence[str]) -> Tag:
    command, file = pair_command(mechanism, systems)
    return replace(
        blank,
        mechanism=mechanism.id,
        title=mechanism.title,
        a=mechanism.a,
        b=variant_name(mechanism) if mechanism.levers else mechanism.b,
        outcome=mechanism.outcome,
        claimed=mechanism.claimed,
        stance=mechanism.stance,
        command=command,
        scenario_file=file,
        text=Text("scenario_run", {"command": command}),
    )


def variant_name(mechanism: Mechanism) -> str:
    """The name of the scenario that differs from A by the mechanism's levers."""
    return mechanism.variant or f"{mechanism.a}-{mechanism.id}"[:60]


# Levers change from here on: the history before it stays the same in both scenarios.
CHANGES_FROM = "2026-12"


def settings_of(mechanism: Mechanism) -> dict[str, Any]:
    """What the second scenario of a pair changes, as dated lever settings."""
    return {lever: {CHANGES_FROM: value} for lever, value in mechanism.levers.items()}


def pair_command(mechanism: Mechanism, systems: Sequence[str] = ()) -> tuple[str, str]:
    """The command that runs a mechanism's pair, and the text of the scenario file it needs ("" for presets)."""
    if mechanism.command:
        a, b = (list(systems) + ["huawei-cloudmatrix-384", "nvidia-gb200-nvl72"][len(systems[:2]) :])[:2]
        return mechanism.command.format(a=a, b=b), ""
    if not mechanism.levers:
        return f"chipweir compare {mechanism.a} {mechanism.b}", ""
    name = variant_name(mechanism)
    title = next(one.title["en"] for one in mechanisms().values() if one.levers and variant_name(one) == name)
    lines = [
        f"name: {name}",
        f"title: {json.dumps(title, ensure_ascii=False)}",
        f"extends: {mechanism.a}",
        "levers:",
    ]
    lines += [f"  {lever}: {{{CHANGES_FROM}: {value}}}" for lever, value in mechanism.levers.items()]
    return f"chipweir compare {mechanism.a} scenarios/{name}.yaml", "\n".join(lines) + "\n"


def shipped_scenarios() -> Path:
    """The folder of the package that holds the scenario file of every pair that no preset fits."""
    return Path(str(resources.files("chipweir.evidence") / "data" / "scenarios"))


def from_anywhere(text: str) -> str:
    """`text` with the scenario files of its commands where the package keeps them, so that they run in any folder."""
    return re.sub(r"(?<![\w/])scenarios/([\w-]+\.yaml)", lambda m: shlex.quote(str(shipped_scenarios() / m[1])), text)


def judge(tags: Sequence[Tag], runs: Sequence[Any]) -> tuple[Tag, ...]:
    """The tags with what runs say about their pair: the share of members with the claimed sign, and the size.

    Tags whose scenarios or outcome no run holds stay as they are.
    """
    from chipweir.evidence._runs import difference

    result = []
    for item in tags:
        if item.mechanism and not mechanisms()[item.mechanism].isolates:
            result.append(replace(item, text=Text("not_modelled")))
            continue
        found = difference(runs, item.a, item.b, item.outcome) if item.mechanism and item.outcome else None
        result.append(_judged(item, found, _beside(runs, item)) if found is not None else item)
    return tuple(result)


def _beside(runs: Sequence[Any], item: Tag) -> tuple[Number, ...]:
    """The differences in the further outcomes of a mechanism."""
    from chipweir.evidence._runs import difference

    numbers = []
    for outcome in mechanisms()[item.mechanism].also:
        found = difference(runs, item.a, item.b, outcome)
        if found is not None:
            name = f"{outcome}: {item.b} - {item.a}"
            numbers.append(Number(name, found["median"], found["unit"], found["low"], found["high"], found["source"]))
    return tuple(numbers)


def _judged(item: Tag, found: dict[str, Any], beside: tuple[Number, ...] = ()) -> Tag:
    share, low, mid, high = found["share_up"], found["low"], found["median"], found["high"]
    numbers = (
        Number(f"{item.outcome}: {item.b} - {item.a}", mid, found["unit"], low, high, found["source"]),
        Number("share of members that rise", share, "fraction", source=found["source"]),
    )
    agree = {"up": share, "down": 1 - share}.get(item.claimed)
    status: Status
    if item.claimed == "none":
        status = "consistent" if found["wide"][0] <= 0 <= found["wide"][1] else "contradicted"
    elif agree is None:
        status = "not_checkable"
    else:
        status = "consistent" if agree >= 0.8 else "contradicted" if agree <= 0.2 else "ambiguous"
    return replace(
        item,
        status=status,
        numbers=(*numbers, *beside),
        text=Text(
            "scenario_result",
            {
                "outcome": item.outcome,
                "a": item.a,
                "b": item.b,
                "median": mid,
                "low": low,
                "high": high,
                "share": Number("", share, "fraction"),
                "window": found["window"],
            },
        ),
    )
