"""Documents that somebody else wrote: what comes back is plain and bounded, what does not is one line."""

import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from chipweir import reading
from chipweir.errors import InputError
from chipweir.reading import Limits, dump_yaml, parse_json, parse_yaml, read_cells, read_text, yaml_value


SMALL = Limits(characters=5_000, depth=6, values=40, text=200, digits=20)
ALIAS_BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
MERGE_BOMB = "a0: &a0 {k: 1}\n" + "".join(f"a{i}: &a{i} {{<<: [*a{i - 1}, *a{i - 1}]}}\n" for i in range(1, 30))
YAML_ATTACKS = {
    "aliases": (ALIAS_BOMB, "aliases"),
    "merge keys": (MERGE_BOMB, "aliases"),
    "an alias of itself": ("a: &a {b: *a}", "aliases"),
    "nested lists": ("[" * 30, "nested deeper"),
    "deep lists": ("[" * 900_000, "nest"),
    "deep mappings": ("{a: " * 200_000, "nested deeper"),
    "deep blocks": ("- " * 400_000, "nested deeper"),
    "question marks": ("? " * 400_000, "key must be a plain word"),
    "many values": ("- a\n" * 240_000, "more than"),
    "many keys": ("".join(f"k{i}: 1\n" for i in range(90_000)), "more than"),
    "many documents": ("---\n" * 240_000, "one document"),
    "directives": ("".join(f"%TAG !{i}! x\n" for i in range(60_000)) + "--- a", "begins with %"),
    "a long text": ('"' + "a" * 900_000 + '"', "a text of"),
    "a number of 400 digits": ("a: " + "9" * 400, "a number of 400"),
    "a number too large": ("a: 1.0e+999", "larger than a number"),
    "infinity": ("a: .inf", "no number"),
    "no number": ("a: .NaN", "no number"),
    "python tags": ("a: !!python/object/apply:os.system ['true']", "tags"),
    "own tags": ("a: !x 1", "tags"),
    "binary": ("a: !!binary aGk=", "tags"),
    "a set": ("!!set {a, b}", "tags"),
    "control characters": ("a: b\n\nc: \x07", "x.yaml:3: holds the control character U.0007"),
    "escaped control characters": ('a: "\\0\\e[31m"', "control character U.0000"),
    "half a pair": ("a: \ud800", "control character U.D800"),
    "a key twice": ("a: 1\nb: 2\na: 3", "x.yaml:3: 'a' is given twice"),
    "a key that is a list": ("[a]: 1", "plain word"),
    "an open bracket": ("a: [1, 2", "not valid YAML: did not find"),
    "two documents": ("a: 1\n---\nb: 2", "one document"),
    "too long": ("a" * 1_000_001, "at most 1,000,000"),
}
JSON_ATTACKS = {
    "deep lists": ("[" * 900_000, "nested deeper"),
    "deep mappings": ('{"a":' * 150_000, "nested deeper"),
    "many values": ("[" + "1," * 400_000 + "1]", "more than"),
    "many empty lists": ("[" + "[]," * 300_000 + "[]]", "more than"),
    "quotation marks": ('"' + '\\"' * 450_000, "not valid JSON"),
    "a long text": ('"' + "a" * 900_000 + '"', "a text of"),
    "commas in a text": ('{"a": "' + "," * 300_000 + '"}', "a text of"),
    "a number of 400 digits": ("9" * 400, "a number of 400"),
    "a number too large": ("1e999", "larger than a number"),
    "infinity": ('{"a": Infinity}', "Infinity is not a number"),
    "no number": ("[NaN]", "NaN is not a number"),
    "control characters": ('{"a": "\\u0007"}', "control character U.0007"),
    "half a pair": ('{"a": "\\ud800"}', "control character U.D800"),
    "half a pair in a key": ('{"\\ud800": 1}', "control character U.D800"),
    "a key twice": ('{"a": 1, "a": 2}', "'a' is given twice"),
    "an open bracket": ('{"a": [1,\n 2', "x.json:2: not valid JSON"),
    "nothing": ("", "not valid JSON"),
    "two documents": ("1 2", "not valid JSON"),
    "too long": ('"' + "a" * 1_000_001 + '"', "at most 1,000,000"),
}


@pytest.mark.parametrize("attack", YAML_ATTACKS)
def test_a_hostile_yaml_is_one_line(attack: str) -> None:
    text, expected = YAML_ATTACKS[attack]
    with pytest.raises(InputError, match=expected) as caught:
        parse_yaml(text, "x.yaml")
    assert str(caught.value).startswith("x.yaml")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("attack", JSON_ATTACKS)
def test_a_hostile_json_is_one_line(attack: str) -> None:
    text, expected = JSON_ATTACKS[attack]
    with pytest.raises(InputError, match=expected) as caught:
        parse_json(text, "x.json")
    assert str(caught.value).startswith("x.json")
    assert "\n" not in str(caught.value)


def test_a_document_is_measured_before_it_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a million nested lists only as many events are asked for as may be read."""
    asked = []
    parse = yaml.parse
    monkeypatch.setattr(yaml, "parse", lambda *args, **kw: (asked.append(0) or event for event in parse(*args, **kw)))
    for text in ("[" * 900_000, "- a\n" * 200_000):
        asked.clear()
        with pytest.raises(InputError):
            parse_yaml(text, "x", SMALL)
        assert len(asked) < SMALL.values + 10


def test_words_are_what_they_look_like_and_nothing_more() -> None:
    written = """
    integer: 50_000
    negative: -3
    number: 1.5e-3
    short: 1e6
    control: 4E091
    zero: 007
    dotted: 1.2.3
    country: NO
    answer: yes
    day: 2026-12-01
    month: 2026-12
    time: 12:30
    true: True
    nothing: ~
    blank:
    quoted: "1"
    hexadecimal: 0x1F
    """
    assert parse_yaml(written, "x").data == {
        "integer": 50_000, "negative": -3, "number": 0.0015, "short": 1e6, "control": "4E091", "zero": "007",
        "dotted": "1.2.3", "country": "NO", "answer": "yes", "day": "2026-12-01", "month": "2026-12", "time": "12:30",
        "true": True, "nothing": None, "blank": None, "quoted": "1", "hexadecimal": "0x1F",
    }  # fmt: skip


def test_every_key_and_item_has_its_line() -> None:
    found = parse_yaml("a: 1\nb:\n  - x\n  - c: 2\n\nd: 3\n", "x")
    assert found.lines == {("a",): 1, ("b",): 2, ("b", "0"): 3, ("b", "1"): 4, ("b", "1", "c"): 4, ("d",): 6}
    assert parse_yaml("", "x").data is None
    assert parse_yaml("# nothing\n", "x").data is None


def test_a_value_of_the_command_line() -> None:
    assert yaml_value("2.5", "x") == 2.5
    assert yaml_value("denied", "x") == "denied"
    with pytest.raises(InputError):
        yaml_value("[" * 3000, "x")


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=40) | st.sampled_from(
    ["1e5", "4E091", "1_000", "007", "0x1F", ".5", "1.", "-", "~", "null", "yes", "NO", "=", "<<", "2026-01-01", "%a",
     "12:30", "1.2.3", "a: b", "#", "'", '"', " ", "true", "+1e-3", "1E+5", ".inf", ".nan", "a\nb", "\n", "| x"]
)  # fmt: skip
NUMBERS = st.integers(-(10**15), 10**15) | st.floats(allow_nan=False, allow_infinity=False)
TREES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=15,
)


@settings(max_examples=400)
@given(TREES)
def test_what_is_written_is_read_back(tree: object) -> None:
    assert parse_yaml(dump_yaml(tree), "x").data == tree
    assert parse_json(json.dumps(tree), "x") == tree


def is_plain(value: object, depth: int = 0) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and is_plain(each, depth + 1) for key, each in value.items())
    if isinstance(value, list):
        return all(is_plain(each, depth + 1) for each in value)
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, str | bool | int)


def outcome(read: Callable[[], Any]) -> Any:
    """What `read` gives, or the line that says why it gives nothing."""
    try:
        return read()
    except InputError as error:
        return str(error)


PIECES = st.lists(
    st.sampled_from(
        ["a", ": ", "- ", "\n", "  ", "[", "]", "{", "}", ", ", "? ", "&a ", "*a", "!!int ", "!", "|", ">", "'", '"',
         "\\", "#", "%", "---\n", "...\n", "1", ".", "e", "9" * 50, "\t", "\x00", "\x85", "\u2028", "\ud800", "가",
         "<<: ", "true", "null", ".inf", "2026-01-01", "a: 1\n", "- 1\n", "\r", "@", "`", "\ufeff"]
    ),
    max_size=60,
)  # fmt: skip


@settings(max_examples=800)
@given(PIECES.map("".join))
def test_no_yaml_gets_past_the_limits(text: str) -> None:
    found = outcome(lambda: parse_yaml(text, "x", SMALL))
    if isinstance(found, str):
        assert "\n" not in found
    else:
        assert is_plain(found.data)
        assert len(found.lines) <= SMALL.values


@settings(max_examples=800)
@given(st.binary(max_size=80) | PIECES.map(lambda parts: "".join(parts).encode("utf-8", "surrogatepass")))
def test_no_bytes_get_past_the_limits(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "document"
    path.write_bytes(data)
    for read in (reading.read_yaml, reading.read_json, read_text, lambda place: list(read_cells(place))):
        found = outcome(lambda read=read: read(path))
        assert not isinstance(found, str) or read is read_text or "\n" not in found


def test_a_file_is_read_no_further_than_allowed(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("abc")
    assert read_text(path, most=3) == "abc"
    with pytest.raises(InputError, match="larger than 2 bytes"):
        read_text(path, most=2)
    with pytest.raises(InputError, match="larger than 1,000 bytes"):
        read_text(Path("/dev/zero"), most=1000)
    for wrong, line in ((tmp_path, "is a directory"), (tmp_path / "none", "no such file"), (Path("a\0b"), "null")):
        with pytest.raises(InputError, match=line):
            read_text(wrong)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="UTF-8"):
        read_text(path)
    path.write_bytes(b"a\n\0")
    with pytest.raises(InputError, match="x:2: holds a NUL"):
        read_text(path)


def test_rows_are_bounded(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text('a,b\n"1\n2",3\n')
    assert list(read_cells(path)) == [(1, ["a", "b"]), (3, ["1\n2", "3"])]
    with pytest.raises(InputError, match="more than 1 rows"):
        list(reading.cells(["a\n", "b\n"], "x", rows=1))
    for text, line in (
        ("," * 600, "601 cells"),
        ('"' + "a" * 1_100_000 + '"', "field larger"),
        ('a\n"b', "x.csv:2: not valid"),
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=line):
            list(read_cells(path))


def test_a_message_shows_little_and_nothing_that_a_terminal_obeys() -> None:
    assert reading.clean("a\x1b[31m" + "b" * 500) == "a\N{REPLACEMENT CHARACTER}[31m" + "b" * 54


def test_a_pipe_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    """A named pipe without a writer would be waited for without end."""
    pipe = tmp_path / "manifest.json"
    os.mkfifo(pipe)
    link = tmp_path / "link"
    link.symlink_to(pipe)
    for path in (pipe, link):
        with pytest.raises(InputError, match="is a pipe"):
            read_text(path)


def test_what_a_shell_hands_over_is_read() -> None:
    ours, theirs = os.pipe()
    os.write(theirs, b"id\n")
    os.close(theirs)
    try:
        assert read_text(Path(f"/dev/fd/{ours}")) == "id\n"
    finally:
        os.close(ours)
