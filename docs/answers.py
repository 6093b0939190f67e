"""The page of answers, in English and Korean: what strategic commands say with the beliefs that ship.

    python docs/answers.py                   # ask again (500 draws: ten minutes), then write the pages
    python docs/answers.py --pages           # the pages alone, from docs/results/answers.json

Every number is the commands' own; texts are in `answers.yaml`. Korea's advice is also what the playground shows before
anybody has run one there, so that the two never differ.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from believe import table

from chipweir import __version__
from chipweir.i18n import use_language
from chipweir.strategy import number, percent
from chipweir.world import description, shipped_posterior


HERE = Path(__file__).parent
RESULTS = HERE / "results" / "answers.json"
SHIPPED = HERE.parent / "src/chipweir/app/data/advice-korea.json"
ACTORS = ("korea", "us", "china")
GAMES = ("us,china", "us,china,korea")
EXPLORED = ("compute", "region=CHN")
NAMES = (*ACTORS, *GAMES, "leverage", "explore")
Words = Mapping[str, str]
Document = Mapping[str, Any]


def ask(names: Sequence[str], members: int, explored: int, found: dict[str, Any], runs: str, again: bool) -> None:
    """Put each answer into `found` and keep it at once, with its command, beliefs and the processor seconds that it took;
    `again` where worlds may be stored already."""
    for name in names:
        if name in ACTORS:
            found[name] = _call(["advise", name, "--futures", str(members)], runs)
        elif name in GAMES:
            found[name] = _call(["game", "--players", name, "--members", str(members)], runs)
            found[name]["answer"].pop("cells")
        elif name == "leverage":
            found[name] = _call(["leverage", "--members", str(members)], runs)
        else:
            told = ["explore", *EXPLORED, "--members", str(explored)]
            found[name], second = _call(told, runs), _call(told, runs)
            found[name]["stored"] = {key: second[key] for key in ("seconds", "elapsed")}
        found[name]["again"] = again
        RESULTS.write_text(json.dumps(found, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")


def _call(arguments: Sequence[str], runs: str) -> dict[str, Any]:
    command = ["chipweir", *arguments]
    program = Path(sys.executable).with_name("chipweir")
    started, before = time.monotonic(), os.times()
    done = subprocess.run(
        [program, *arguments, "--json"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "CHIPWEIR_RUNS": runs},
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stderr.strip().splitlines()[-1:]}")
    after = os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    print(f"{' '.join(command)}: {spent:.0f} s of processor", flush=True)
    return {
        "command": " ".join(command),
        "made": datetime.now(UTC).date().isoformat(),
        "beliefs": description(shipped_posterior()),
        "seconds": round(spent, 1),
        "elapsed": round(time.monotonic() - started, 1),
        "answer": json.loads(done.stdout),
    }


def shipped(told: Document) -> Document:
    """An answer as the package carries it, with what made it."""
    return {**told["answer"], "made": {"version": __version__, "day": told["made"], "beliefs": told["beliefs"]}}


def page(words: Words, language: str, found: Document) -> str:
    """The page in one language."""
    parts = [f"# {words['title']}", words["lead"]]
    for actor in ACTORS:
        parts += _advice(words, language, found[actor], words[actor])
    parts += [words["games"], words["games_text"]]
    for players in GAMES:
        parts += _game(words, language, found[players])
    parts += [
        words["explored"],
        _asked(words, found["explore"]),
        *_explored(words, language, found["explore"]["answer"]),
    ]
    parts += [words["cost"], words["cost_text"], table(words["cost_heads"], _costs(found))]
    return "\n\n".join(parts) + "\n"


def _asked(words: Words, told: Document) -> str:
    return words["asked"].format_map(told)


def _advice(words: Words, language: str, told: Document, title: str) -> list[str]:
    answer = told["answer"]
    options = [
        (
            o["title"][language],
            f"{o['score']:+.3f}",
            percent(o["best_share"]),
            "–" if o["bound"] else percent(o["weight_share"]),
            f"{o['max_regret']:.3f}",
            percent(o["satisficing"]),
            percent(o["satisficing_telling"]),
        )
        for o in answer["options"]
    ]
    parts = [f"## {title}", _asked(words, told), "\n".join(f"- {line}" for line in answer["sentences"][language])]
    parts += [table(words["option_heads"], options), table(words["turn_heads"], _turns(words, language, answer))]
    parts.append(table(words["criterion_heads"], _criteria(words, language, answer)))
    if answer["signposts"]:
        parts.append(table(words["sign_heads"], _signs(words, language, answer)))
    return parts


def _turns(words: Words, language: str, answer: Document) -> list[list[str]]:
    names = {each["name"]: each["title"][language] for each in (*answer["criteria"], *answer["options"])}
    return [
        [
            names[each["criterion"]],
            percent(each["now"]),
            f"{words['above' if each['weight'] > each['now'] else 'below']} {percent(each['weight'])}",
            names[each["option"]],
        ]
        for each in answer["reversals"]
    ]


def _criteria(words: Words, language: str, answer: Document) -> list[list[str]]:
    rows = []
    allowed = [o for o in answer["options"] if not o["bound"]]
    for each in answer["criteria"]:
        if each["kind"] != "computed":
            continue
        medians = [o["criteria"][each["name"]]["p50"] for o in allowed]
        met = [o["meets"][each["name"]] for o in allowed]
        asked = each["threshold"] is not None
        rows.append(
            [
                f"{each['title'][language]} ({each['unit'][language]})",
                f"{number(min(medians))} – {number(max(medians))}",
                ("≥ " if each["better"] == "more" else "≤ ") + number(each["threshold"]) if asked else "–",
                f"{percent(min(met))} – {percent(max(met))}" if asked else "–",
                words["yes" if each["tells_apart"] else "no"] if asked else "–",
                each["why"],
            ]
        )
    return rows


def _signs(words: Words, language: str, answer: Document) -> list[list[str]]:
    return [
        [
            each["title"][language],
            each["date"],
            f"{words['above' if each['above'] else 'below']} {number(each['level'])}",
            percent(each["hit"]),
            percent(each["false_alarm"]),
        ]
        for each in answer["signposts"]
    ]


def _game(words: Words, language: str, told: Document) -> list[str]:
    answer = told["answer"]
    titles = {
        player["name"]: {policy["name"]: policy["title"][language] for policy in player["policies"]}
        for player in answer["players"]
    }
    rows = [
        [
            ", ".join(f"{words[player]}: {titles[player][policy]}" for player, policy in each["profile"].items()),
            ", ".join(f"{words[player]} {value:+.3f}" for player, value in each["payoffs"].items()),
            percent(each["share_of_weights"]),
            percent(each["share_of_members"]),
        ]
        for each in answer["pure"]
    ]
    return [_asked(words, told), table(words["game_heads"], rows) if rows else words["no_pure"]]


def _explored(words: Words, language: str, answer: Document) -> list[str]:
    from chipweir.strategy import describe

    top = sorted((each for each in answer["indices"] if each["kind"] == "pawn"), key=lambda each: -each["value"])[:8]
    first = {each["name"]: each for each in answer["indices"] if each["kind"] == "first"}
    rows = [
        [
            f"`{each['name']}`",
            describe(each["name"])[0][language],
            *(f"{one['value']:.2f} ({one['low']:.2f}–{one['high']:.2f})" for one in (each, first[each["name"]])),
        ]
        for each in top
    ]
    boxes = [
        f"- {box['text'][language]} "
        f"({words['density']} {percent(box['density'])}, {words['coverage']} {percent(box['coverage'])})"
        for box in answer["boxes"]
    ]
    held = words["where"].format(condition=answer["where"]["condition"], share=percent(answer["where"]["share"]))
    return [table(words["factor_heads"], rows), held, "\n".join(boxes) if boxes else words["no_box"]]


def _costs(found: Document) -> list[list[object]]:
    told = [found[name] for name in NAMES]
    rows = [
        [f"`{each['command']}`" + " (2)" * each["again"], f"{each['seconds']:.0f}", f"{each['elapsed']:.0f}"]
        for each in told
    ]
    again = found["explore"]["stored"]
    return [*rows, [f"`{found['explore']['command']}` (2)", f"{again['seconds']:.0f}", f"{again['elapsed']:.0f}"]]


def main() -> None:
    """Ask, keep, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", action="store_true")
    parser.add_argument("--only", action="append", choices=NAMES, help="ask these alone (repeatable)")
    parser.add_argument("--members", type=int, default=500)
    parser.add_argument("--explored", type=int, default=512)
    parser.add_argument(
        "--runs", help="directory of runs; default one that is empty, so that times are those of a first call"
    )
    asked = parser.parse_args()
    found = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    if not asked.pages:
        with tempfile.TemporaryDirectory() as empty:
            ask(asked.only or NAMES, asked.members, asked.explored, found, asked.runs or empty, asked.runs is not None)
    SHIPPED.write_text(json.dumps(shipped(found["korea"]), ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
    texts: Mapping[str, Words] = yaml.safe_load((HERE / "answers.yaml").read_text(encoding="utf-8"))
    for language, name in (("en", "answers.md"), ("ko", "answers.ko.md")):
        words = {key: str(text).strip() for key, text in texts[language].items()}
        with use_language(language):
            (HERE / name).write_text(page(words, language, found), encoding="utf-8")


if __name__ == "__main__":
    main()
