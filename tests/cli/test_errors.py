"""What was wrong with an input, in the reader's language: every pattern is one that the code composes."""

import ast
import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

import chipweir
from chipweir.i18n import PATTERNS, as_pattern, composed, use_language


PACKAGE = Path(chipweir.__file__).parent
FIELD = re.compile(r"\{(\w+)\}")
RAISED = ("InputError", "UnknownName")


def entries():
    with (PACKAGE / "locale/ko/LC_MESSAGES" / PATTERNS).open("rb") as file:
        return [(str(each.id), str(each.string)) for each in read_po(file, locale="ko") if each.id]


def composed_texts():
    """Every text of the code in which something is filled in, with a mark for each filling."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                found.add("".join(str(v.value) if isinstance(v, ast.Constant) else "7" for v in node.values))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found


def test_every_pattern_is_one_that_the_code_composes():
    texts = composed_texts()
    # Composed in pieces: a name that nobody knows, a file that cannot be read, what a lever takes.
    pieces = ("unknown", "cannot read", "out of range; give", "is not a number from", "true or false", "settings: ")
    stale = [text for text, _translated in entries() if "{" in text and not any(piece in text for piece in pieces)]
    assert not [text for text in stale if not any(as_pattern(text).fullmatch(each) for each in texts)]


def test_translations_fill_fields_of_their_pattern():
    for text, translated in entries():
        assert set(FIELD.findall(translated)) <= set(FIELD.findall(text)), text
        assert re.search("[가-힣]", translated), text


@given(st.data())
def test_a_line_made_from_a_pattern_is_said_in_korean_and_no_other_language(data):
    text, _translated = data.draw(st.sampled_from([each for each in entries() if "{" in each[0]]))
    filled = FIELD.sub("7", text)
    assert composed(filled) == filled
    with use_language("ko"):
        said = composed(filled)
        assert re.search("[가-힣]", said)
        assert "{" not in said
        assert not re.search(r"[은이을와]\((는|가|를|과)\)", said), "particles are chosen"


def test_a_line_of_no_pattern_stays():
    with use_language("ko"):
        assert composed("the tide is out") == "the tide is out"


WRONG = [
    "run nosuch", "run baseline --set us.enforcement=9", "run baseline --set us.enforcement=strong", "run x.yaml",
    "run baseline --set us.enforcemen=2", "run baseline --set us.location_verification=7", "run --members 0",
    "run --fact a", "run --prior --posterior x", "run baseline --set us.allowed_products.h20-class=maybe",
    "compare baseline baseline", "compare baseline", "licence H21 --to CN", "licence H20 --to Chna",
    "licence H20 --to CN --on 2026-13-40", "licence", "classify nosuch.yaml", "estimate nosuch --on H20", "estimate",
    "estimate DeepSeek-V3 --on H21", "facts show nvidia-h21", "facts list chips --page 900", "explain baseline nosuch",
    "explain baseline compute CHN", "rules show nosuch", "runs delete", "runs show nosuch", "match H20 H21",
    "advise korea --members 0", "levers nosuch",
    "estimate DeepSeek-V3 --on H20 --tp 3.5", "estimate DeepSeek-V3 --on H20 --dtype fp3",
    "estimate DeepSeek-V3 --on H20 --chips 0", "match huawei-cloudmatrix-384 nvidia-gb200-nvl72 --model nosuch",
    "train nosuch --on H20", "check nosuch.txt", "check empty.txt", "check empty.txt --fix x",
    "facts list chips --measure price", "facts show nvidia-h20 --facts nosuch", "run bad.yaml", "run odd.yaml",
    "run baseline --set x", "explore compute region=CHN --sobol 7", "explore compute region=CHN --members 3",
    "run --cluster local:0", "advise korea --options empty", "game --weights us=x", "report nosuch",
]  # fmt: skip
# Options, names, forms of values and what the user wrote.
KEPT = {
    "chipweir", "lever", "value", "law", "region", "dim", "label", "manifest", "runs", "delete", "baseline", "nosuch",
    "compare", "free", "licence", "case_by_case", "denied", "strong", "maybe", "spec", "contains", "unfinished", "yes",
    "estimate", "chips", "facts", "empty", "from", "check", "report", "local",
}  # fmt: skip


@pytest.mark.parametrize("line", WRONG)
def test_a_wrong_call_is_answered_in_korean(line, call, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "bad.yaml").write_text("name: [")
    (tmp_path / "odd.yaml").write_text("name: odd\nextends: baseline\nlevers: {us: {enforcement: {2027-01: strong}}}\n")
    answer = call(*line.split(), "--lang", "ko")
    assert answer.code == 2
    assert answer.err.count("\n") == 1, answer.err
    assert re.search("[가-힣]", answer.err.partition("chipweir:")[2]), answer.err
    bare = re.sub(
        r"'[^']*'|혹시 [^?]*\?|--\S+|\S*[/_.=@:]\S*|\b[A-Z]\S*|\S*\d\S*", " ", answer.err.replace("chipweir:", " ")
    )
    words = set(re.findall(r"[a-z]{2,}", bare))
    assert words <= KEPT, answer.err
