"""What was wrong with an input, in the reader's language: every pattern is one that the code composes."""

import ast
import itertools
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


def might_be(pattern, text):
    """Whether all literal pieces of a pattern stand in the text."""
    return all(piece in text for piece in FIELD.split(pattern)[::2])


def test_every_pattern_is_one_that_the_code_composes():
    texts = composed_texts()
    # Composed in pieces: a name that nobody knows, a file that cannot be read, what a lever takes.
    pieces = (
        "unknown", "cannot read", "out of range; give", "is not a number from", "true or false", "settings: ",
        "is about serving", "needs --training", "is given twice", "comes after", "input should", "(given",
    )  # fmt: skip
    stale = [text for text, _translated in entries() if "{" in text and not any(piece in text for piece in pieces)]
    texts |= {text for _file, text in raised_texts()}
    assert not [text for text in stale if not any(might_be(text, t) and as_pattern(text).fullmatch(t) for t in texts)]


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


# Calls whose words come from elsewhere: the error of another call that is covered itself, a library's or the system's words.
FROM_ELSEWHERE = {
    "cli/perf.py": "an option's name before words that stand as patterns; reasons joined",
    "evidence/_llm.py": "the network's words after the host",
    "facts/_query.py": "the database's words",
    "facts/_rows.py": "a place before another error",
    "facts/_tables.py": "pydantic's words after a place, the usual ones as patterns",
    "perf/_checkpoint.py": "a place before another error",
    "perf/_estimate.py": "the reason that a table's row carries",
    "perf/_fitted.py": "a place before another error",
    "perf/_measured.py": "the reasons that rows carry, joined",
    "perf/_training_rows.py": "the reason that a table's row carries",
    "reading/_confined.py": "the error of another process",
    "rules/_batch.py": "a place before another error",
    "strategy/_advise.py": "an option before another error",
    "strategy/_play.py": "an option before another error",
    "world/_parameters.py": "Python's words about a number in a shipped table",
    "world/_scenario.py": "a place before another error, or pydantic's words",
}
PLACE = re.compile("--weights|line 7|query|language model at")


def told(node):
    """Every text that an expression can give, with a mark for what is filled in; none of what `_` has translated."""
    match node:
        case ast.Call(func=ast.Name(id="_")):
            return []
        case ast.Constant():
            return [str(node.value)]
        case ast.JoinedStr():
            parts = [told(v) if isinstance(v, ast.Constant) else told(v.value) for v in node.values]
            return ["".join(each) for each in itertools.product(*parts)]
        case ast.IfExp():
            return told(node.body) + told(node.orelse)
        case ast.BinOp(op=ast.Add()):
            return [left + right for left in told(node.left) for right in told(node.right)]
    return ["7"]


def raised_texts():
    """Every text that the code gives an error of the user's, with its file."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in (
                "InputError",
                "Overrun",
                "AmbiguousName",
            ):
                for text in told(node.args[0]) if node.args else []:
                    yield path.relative_to(PACKAGE).as_posix(), text


def test_every_error_of_the_code_is_said_in_korean():
    untold, elsewhere = [], set()
    with use_language("ko"):
        for file, text in raised_texts():
            said = composed(text)
            if not re.search("[a-z]{2}", PLACE.sub("", text)):
                elsewhere.add(file)
            elif not re.search("[가-힣]", said) or re.search(r"[은이을와]\((는|가|를|과)\)", said):
                untold.append(f"{file}: {text}")
    assert not untold
    assert elsewhere == set(FROM_ELSEWHERE), "a call whose words come from elsewhere is listed with the reason"


def test_what_follows_a_place_is_said_in_korean():
    with use_language("ko"):
        assert composed("own.csv:2: no scenario to run") == f"own.csv:2: {composed('no scenario to run')}"
        assert re.search("[가-힣]", composed("line 3: /x/a.yaml:2: input should be greater than 0"))
        assert composed("a: " * 5000) == "a: " * 5000


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
