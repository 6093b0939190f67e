"""The command line in Korean: language chosen by option or environment, every help and option, errors in one line."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import typer
from babel.messages.pofile import read_po

from chipweir.cli import _language, main, root
from chipweir.i18n import CATALOGUES, language, use_language


Call = Callable[..., Any]


def commands(command: Any, name: str = "chipweir") -> Iterator[tuple[str, Any]]:
    yield name, command
    for each, below in getattr(command, "commands", {}).items():
        yield from commands(below, f"{name} {each}")


def helps() -> dict[str, str]:
    """Every text of the helps, by the command that shows it."""
    found: dict[str, str] = {}
    for name, command in commands(typer.main.get_command(root)):
        found.setdefault(" ".join((command.help or "").split()), name)
        for parameter in command.params:
            for text in (getattr(parameter, "help", None), getattr(parameter, "rich_help_panel", None)):
                if text:
                    found.setdefault(text, name)
    found.pop("", None)
    return found


def catalogue() -> dict[str, str]:
    from importlib import resources

    found: dict[str, str] = {}
    for name in CATALOGUES:
        source = resources.files("chipweir") / "locale" / "ko" / "LC_MESSAGES" / name
        with source.open("rb") as file:
            found |= {str(message.id): str(message.string) for message in read_po(file, locale="ko") if message.id}
    return found


def test_every_help_has_korean_and_none_is_left_over() -> None:
    texts, known = helps(), catalogue()
    missing = {text: name for text, name in texts.items() if not known.get(text)}
    assert not missing, f"add to commands.po: {list(missing.items())[:5]}"
    from importlib import resources

    own = resources.files("chipweir") / "locale" / "ko" / "LC_MESSAGES" / "commands.po"
    with own.open("rb") as file:
        stale = [message.id for message in read_po(file, locale="ko") if message.id and message.id not in texts]
    assert not stale


@pytest.mark.parametrize(
    ("arguments", "settings", "expected"),
    [
        (["facts"], {}, "en"),
        (["facts", "--lang", "ko"], {"LANG": "en_US.UTF-8"}, "ko"),
        (["facts", "--lang=ko"], {}, "ko"),
        (["--lang", "ko", "facts", "--lang", "en"], {}, "en"),
        (["facts", "--", "--lang", "ko"], {}, "en"),
        (["facts"], {"LANG": "ko_KR.UTF-8"}, "ko"),
        (["facts"], {"LANG": "ko_KR.UTF-8", "LC_ALL": "C"}, "en"),
        (["facts"], {"LANG": "de_DE.UTF-8"}, "en"),
        (["facts"], {"CHIPWEIR_LANG": "ko", "LC_ALL": "en_US.UTF-8"}, "ko"),
    ],
)
def test_the_language_of_a_call(arguments: list[str], settings: dict[str, str], expected: str) -> None:
    assert _language.chosen(arguments, settings) == expected


@pytest.mark.parametrize("name", [name for name, _command in commands(typer.main.get_command(root))])
def test_help_is_korean_on_every_command(name: str, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    answer = call(*name.split()[1:], "--lang", "ko", "--help") if " " in name else call("--help", "--lang", "ko")
    assert answer.code == 0, answer.err
    texts = re.sub(r"[─╭╮╰╯│]", " ", answer.out)
    described = [line for line in texts.splitlines() if re.search(r"\s{2,}\S", line.strip())]
    assert re.search("[가-힣]", texts)
    assert not [text for text in helps() if len(text) > 25 and " " in text and text in answer.out and text not in FINE]
    assert described


# Texts that are names of things alone.
FINE = {
    "fab, osat, chip_maker, distributor, ...",
    "chips, systems, models, entities, countries, measures, facts, events, prices, sources, conflicts.",
}


@pytest.mark.parametrize(
    ("arguments", "korean", "english"),
    [
        (["licens"], "혹시 licence", "did you mean licence"),
        (["licence", "H20", "--too", "CN"], "혹시 --to", "did you mean --to"),
        (["licence", "H20", "--to"], "--to에 값이 필요합니다", "--to needs a value"),
        (["match", "H20"], "B 값이 빠졌습니다", "B is missing"),
        (["estimate", "x", "--chips", "many"], "정수가 아닙니다", "no whole number"),
        (["facts", "list", "chips", "--page", "0"], "범위", "out of range"),
        (["facts", "show", "a", "b"], "인자가 너무 많습니다", "too many arguments"),
    ],
)
def test_a_wrong_call_is_one_line_in_either_language(
    arguments: list[str], korean: str, english: str, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    for lang, said in (("ko", korean), ("en", english)):
        monkeypatch.setenv("CHIPWEIR_LANG", lang)
        answer = call(*arguments)
        assert answer.code == 2
        assert answer.out == ""
        assert answer.err.count("\n") == 1
        assert said in answer.err


def test_an_unknown_language_names_those_we_have(call: Call) -> None:
    answer = call("facts", "list", "--lang", "kr")
    assert (answer.code, answer.err.count("\n")) == (2, 1)
    assert "ko" in answer.err


def test_the_environment_decides_where_no_option_does(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "ko_KR.UTF-8")
    assert "허가" in call("licence", "H20", "--to", "CN").out
    assert "licence" in call("licence", "H20", "--to", "CN", "--lang", "en").out
    assert language() == "en"


def test_helps_are_english_again_after_a_korean_call(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    call("licence", "--lang", "ko", "--help")
    assert "Destination: ISO code or name." in call("licence", "--help").out
    with use_language("en"):
        assert main.__doc__


# Words that Korean readers of this field write in Latin letters, names of things, and what the command line's own language
# is made of (columns, options, ids, units). What is not here must be Korean.
LATIN = {
    "is-informed", "letter", "authorised", "designer", "high", "medium", "low",
    "yes", "no", "max", "chip", "chips", "class", "reserved", "attention",
    "tok", "ktok", "free", "licence", "law", "off", "baseline", "blockade",
    "weir", "open", "glut", "hbm-cut", "sea-licence", "forecast", "systems", "models",
    "entities", "countries", "measures", "facts", "events", "prices", "sources", "conflicts",
    "trt", "sglang", "vllm",
}  # fmt: skip
# What the tables of law say of themselves as data: ids of rules and of conditions.
_IDS = re.compile(r"\S*[/_.=:]\S*|\b[A-Z]\S*|\S*\d\S*")
TOLD = [
    "licence H20 --to CN --on 2025-05-01",
    "licence H20 --to CN --history",
    "classify H20",
    "rules list",
    "match H20 H100 --model deepseek-v3",
    "facts list",
    "scenarios list",
    "levers us.quota",
]


@pytest.mark.parametrize("line", TOLD)
def test_what_commands_say_in_korean_is_korean(line: str, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """Latin words in Korean output are names or stand in the list of words that Korean writes so."""
    monkeypatch.setenv("COLUMNS", "300")
    answer = call(*line.split(), "--lang", "ko")
    assert not answer.code, answer.err
    text = re.sub(r"https?://\S+", " ", answer.out)
    words = set(re.findall(r"(?<![A-Za-z-])[a-z][a-z'-]{2,}", _IDS.sub(" ", text)))
    assert words <= LATIN, sorted(words - LATIN)


def test_statuses_are_the_same_word_in_command_picture_and_library(call: Call) -> None:
    from chipweir import library, rules

    for day in ("2023-01-01", "2025-05-01", "2026-03-01"):
        for lang in ("en", "ko"):
            with use_language(lang):
                decision = rules.decide({"item": "H20", "to": "CN", "export_date": day})
                word = rules.status_names()[rules.STATUSES.index(rules.status_word(decision))]
                said = library.licence("H20", to="CN", on=day).headline
            told = call("licence", "H20", "--to", "CN", "--on", day, "--lang", lang).out
            assert rules.STATUSES
            assert word.casefold().rstrip(".") in f"{said} {told}".casefold()
