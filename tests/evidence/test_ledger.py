"""The ledger: append-only, readable, whole or unchanged; decisions of people hold; changed verdicts are told."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
import yaml
from articles import KOREAN

from chipweir.errors import InputError, UnknownName
from chipweir.evidence import check_document, document_from_text, read_ledger, record
from chipweir.evidence._ledger import append, decide
from chipweir.evidence._review import act, describe, parse_fixes, pending, review, summary


NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def checked(ledger=None):
    return check_document(document_from_text(KOREAN), ledger=ledger)


@pytest.fixture
def path(tmp_path):
    book, changes = record(read_ledger(tmp_path / "claims.yaml"), checked(), NOW)
    assert not changes
    assert book.entries
    return tmp_path / "claims.yaml"


def test_a_first_run_proposes_and_checks_every_claim(path):
    book = read_ledger(path)
    states = [entry["state"] for entry in book.entries]
    assert states.count("proposed") == states.count("checked") == len(checked().article.claims)
    assert all(len(entry.get("span", "")) <= 60 for entry in book.entries)


def test_the_file_is_plain_yaml_and_never_holds_the_article(path):
    loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert {"claim", "state", "at"} <= loaded[0].keys()
    assert max(len(line) for line in KOREAN.splitlines()) > 60
    for line in KOREAN.splitlines():
        if len(line) > 61:
            assert line not in path.read_text(encoding="utf-8")


def test_a_second_run_adds_nothing(path):
    before = path.read_bytes()
    _, changes = record(read_ledger(path), checked(), NOW)
    assert not changes
    assert path.read_bytes() == before


def test_what_was_written_stays_as_it_was(path):
    before = path.read_text(encoding="utf-8")
    book = read_ledger(path)
    decide(book, pending(book)[0], "confirmed")
    assert path.read_text(encoding="utf-8").startswith(before)


def test_a_changed_verdict_is_told_and_the_old_one_superseded(path):
    one = checked()
    verdicts = tuple(replace(v, status="contradicted", slots={"figure": "contradicted"}) for v in one.article.verdicts)
    other = replace(one, article=replace(one.article, verdicts=verdicts))
    book, changes = record(read_ledger(path), other, NOW)
    assert changes
    assert all(change.after == "contradicted" for change in changes)
    assert [e["state"] for e in book.entries[-2:]] == ["superseded", "checked"]


def test_a_rejected_claim_is_gone_and_a_fixed_slot_holds_in_the_next_run(path):
    book = read_ledger(path)
    first, second = pending(book)[:2]
    book = decide(book, first, "rejected")
    slot = next(iter(book.latest()[second]["slots"]))
    decide(book, second, "confirmed", {slot: "huawei-ascend-910c"})
    again = checked(read_ledger(path)).article.claims
    assert len(again) == len(checked().article.claims) - 1
    assert any(
        slot in c.slots and c.slots[slot].value == "huawei-ascend-910c" and c.slots[slot].by == "person" for c in again
    )


@pytest.mark.parametrize(
    "text",
    ["- [", "just text", "{a: 1}", "- claim: x\n", "- claim: x\n  state: odd\n  at: now\n", "\x00\x01", "- &a [*a]"],
)
def test_a_damaged_file_is_one_line_and_is_left_alone(tmp_path, text):
    path = tmp_path / "claims.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_ledger(path)
    assert "\n" not in str(error.value)
    assert str(path) in str(error.value)
    assert path.read_text(encoding="utf-8") == text


def test_bytes_that_are_no_text(tmp_path):
    path = tmp_path / "claims.yaml"
    path.write_bytes(b"- claim: \xff\xfe\xfa")
    with pytest.raises(InputError, match="UTF-8"):
        read_ledger(path)


def test_nothing_is_half_written_where_the_folder_is_missing_or_a_file(tmp_path):
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be"):
        append(
            replace(read_ledger(tmp_path / "new.yaml"), path=tmp_path / "file" / "claims.yaml"),
            [{"claim": "a", "state": "proposed", "at": "now"}],
        )


def test_unknown_claims_and_slots_are_named(path):
    book = read_ledger(path)
    with pytest.raises(UnknownName):
        decide(book, "nothing", "confirmed")
    with pytest.raises(UnknownName):
        decide(book, pending(book)[0], "confirmed", {"colour": "red"})
    with pytest.raises(InputError):
        decide(book, pending(book)[0], "maybe")


def test_a_review_writes_each_answer_and_asks_again_after_a_slip(path):
    book = read_ledger(path)
    total = len(pending(book))
    answers = iter(["nonsense", "accept", "reject", "fix", "skip", "quit"])
    told = []
    book = review(book, lambda _: next(answers), told.append)
    assert len(pending(book)) == total - 2
    assert any("none of" in line for line in told)
    assert any("at least one" in line for line in told)
    assert summary(read_ledger(path))["states"]["rejected"] == 1


def test_a_review_ends_with_the_input(path):
    def ended(_):
        raise EOFError

    book = read_ledger(path)
    assert review(book, ended, lambda _: None).entries == book.entries


def test_fixes_read_numbers_lists_and_names():
    assert parse_fixes(["node=7e-9", "product=huawei-ascend-910c", "against=[1, 2]"]) == {
        "node": 7e-9,
        "product": "huawei-ascend-910c",
        "against": [1, 2],
    }
    for wrong in ("node", "=3", "node="):
        with pytest.raises(InputError):
            parse_fixes([wrong])


def test_a_claim_is_described_in_a_few_lines(path):
    book = read_ledger(path)
    text = describe(book, pending(book)[0])
    assert "verdict:" in text
    assert act(book, pending(book)[0], "skip")[1] == "skipped"
