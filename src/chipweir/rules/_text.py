"""Decisions and classifications as text for people."""

from collections.abc import Iterable, Sequence
from unicodedata import east_asian_width

from chipweir.i18n import _
from chipweir.rules._flips import QUANTITIES, class_name
from chipweir.rules._history import Spell
from chipweir.rules._memo import Memo
from chipweir.rules._numbers import shown
from chipweir.rules._records import Classification, Decision, Margin, Step
from chipweir.rules._screening import Hit
from chipweir.rules._terms import QUESTIONS, term


UNITS = {
    "tpp": "",
    "pd": " TPP/mm2",
    "io_gbps": " GB/s",
    "mem_bw_gbps": " GB/s",
    "mbd": " GB/s/mm2",
    "training_ops": "",
}


def disclaimer() -> str:
    """What this is not."""
    return _(
        "Not legal advice. Not covered: screening of parties against lists, full end-use rules of part 744, "
        "technology and software other than model weights, deemed exports, other countries' lists."
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns aligned by spaces; the last one runs on."""
    body = [list(head), *[list(row) for row in rows]]
    widths = [max(_width(row[i]) for row in body) for i in range(len(head))]
    return "\n".join(
        "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in body
    )


def _width(text: str) -> int:
    """Columns of a terminal that the text takes: Hangul and other wide letters take two."""
    return len(text) + sum(east_asian_width(letter) in "WF" for letter in text)


def margin_line(margin: Margin) -> str:
    """'performance density 2.91, threshold 3.2 (10 % up) -> paragraph .b'."""
    name = _(QUANTITIES.get(margin.quantity, margin.quantity))
    way = _("up") if margin.upwards else _("down")
    unit = UNITS.get(margin.quantity, "")
    share = shown(100 * margin.relative, 2) if margin.value else "-"
    change = f"({share} % {way})"
    line = _("threshold") + f" {shown(margin.threshold)}"
    return f"{name} {shown(margin.value)}{unit}, {line} {change} -> {class_name(margin.becomes)}"


def trace_lines(steps: Iterable[Step]) -> list[str]:
    """The tests in groups, one for each question, in the order they were made: outcome, rule, test, where it stands."""
    groups: dict[str, list[Step]] = {}
    for step in steps:
        groups.setdefault(step.question, []).append(step)
    lines = []
    for question in sorted(groups, key=list(QUESTIONS).index):
        lines.append(f"  {term('question', question)}:")
        for step in groups[question]:
            source = f" [{', '.join(step.sources)}; {step.confidence}]" if step.sources and step.confidence else ""
            note = f" ({step.note})" if step.note and step.note != step.test else ""
            lines.append(f"    {_outcome(step):<12} {step.rule}: {step.test}{note}{source}")
    return lines


def _outcome(step: Step) -> str:
    """A step's outcome in the words of its question."""
    kind = {"review": "review", "import": "stance"}.get(step.question, "answer")
    return term("answer" if step.outcome in ("yes", "no") else kind, step.outcome)


def _said(what: str, text: object) -> str:
    return f"  {what}: {text}"


def classification_text(found: Classification, *, trace: bool) -> str:
    """What a person reads after `classify`."""
    way = f" ({found.way})" if found.way else ""
    lines = [
        _("{name} on {day}", name=found.name, day=found.on) + f": {found.eccn}{way}",
        f"  TPP {shown(found.tpp)}, " + _("performance density") + f" {shown(found.pd)} TPP/mm2",
    ]
    if found.as_of is not None:
        lines.append(_said(_("law as published by"), found.as_of))
    if found.missing:
        lines.append(_said(_("missing"), ", ".join(found.missing)))
    lines += [_said(_("would flip"), margin_line(margin)) for margin in found.margins]
    lines += [_said(_("assumed"), text) for text in found.assumptions]
    if trace:
        lines += [_("Tests, grouped by question:"), *trace_lines(found.trace)]
    if found.on > found.verified_until:
        lines.append("  " + _("not verified after") + f" {found.verified_until}")
    return "\n".join([*lines, disclaimer()])


def decision_text(
    found: Decision, memo: Memo, *, trace: bool, hits: Sequence[Hit] = (), titles: str = "", now: str = ""
) -> str:
    """What a person reads after `licence`: the memo, then what stands behind it.

    `titles` is what the rules of the basis are called, `now` the answer by what is published today.
    """
    asked = (
        (_("licence"), term("licence", found.licence)),
        (_("review"), term("review", found.review)),
        (_("exception"), term("exception", found.exception)),
    )
    behind = (
        (_("import stance"), term("stance", found.import_stance)),
        (_("tariff 25 %"), term("answer", _tariff(found.tariff_25pct))),
    )
    lines = [
        *(f"{number} {line}" for number, line in enumerate(memo.lines(), 1)),
        _said(_("classification"), f"{class_name(found.eccn)} (TPP {shown(found.tpp)}, PD {shown(found.pd)})"),
        "  " + "   ".join(f"{what}: {answer}" for what, answer in asked),
        _said(_("basis"), f"{found.basis} ({titles})" if titles else term("basis", found.basis)),
        "  " + "   ".join(f"{what}: {answer}" for what, answer in behind),
    ]
    if found.as_of is not None:
        lines.append(_said(_("law as published by"), found.as_of))
    if now:
        lines.append(_said(_("by what is published now"), now))
    if found.fee:
        lines.append(_said(_("share of the price that goes with it"), f"{shown(100 * found.fee)} %"))
    lines += _requirement_lines(found)
    for law in found.laws:
        says = f"; {law.says}" if law.says else ""
        lines.append(
            _said(
                _("law of {place}", place=law.regime),
                f"{term('outcome', law.outcome)} [{term('basis', law.basis)}]{says}",
            )
        )
    lines += [_said(_("condition"), text) for text in found.conditions]
    lines += [_said(_("flag"), text) for text in found.flags]
    lines += [_said(_("assumed"), text) for text in found.assumptions]
    lines += [_said(_("screening hit"), f"{hit.party} ~ {hit.name} ({hit.score:.0f}) {hit.list}") for hit in hits]
    if trace:
        lines += [_("Tests, grouped by question:"), *trace_lines(found.trace)]
    if found.not_verified:
        lines.append("  " + _("not verified after") + f" {found.verified_until}")
    return "\n".join([*lines, disclaimer()])


def _requirement_lines(found: Decision) -> list[str]:
    lines = []
    for requirement in found.requirements:
        holds = "unknown" if requirement.holds is None else "yes"
        lifted = f", {', '.join(requirement.exceptions)}" if requirement.exceptions else ""
        review = _review(requirement.review, requirement.practice)
        lines.append(_said(_("requirement"), f"{requirement.rule}: {term('answer', holds)}, {review}{lifted}"))
    return lines


def _review(policy: str, practice: str) -> str:
    """The policy that a text states, and behind it the practice where that is another."""
    said = term("review", policy)
    if practice in ("", policy):
        return said
    return said + " " + _("(in practice {practice})", practice=term("review", practice))


def _tariff(value: bool | None) -> str:
    return "unknown" if value is None else "yes" if value else "no"


def decision_line(found: Decision) -> str:
    """A decision on one line."""
    said = ", ".join(
        (
            found.eccn,
            _("licence") + " " + term("licence", found.licence),
            term("review", found.review),
            _("exception") + " " + term("exception", found.exception),
            _("import") + " " + term("stance", found.import_stance),
        )
    )
    return f"{found.name} -> {found.to} {found.on}: {said} [{found.basis}] {found.headline}"


def history_text(name: str, to: str, spells: Sequence[Spell]) -> str:
    """The spells of equal answers as a table."""
    head = [
        _("from"),
        _("until"),
        "ECCN",
        _("licence"),
        _("review"),
        _("exception"),
        _("import"),
        _("tariff"),
        _("basis"),
    ]
    rows = []
    for spell in spells:
        d = spell.decision
        basis = term("basis", d.basis) + (" " + _("(not verified)") if d.not_verified else "")
        rows.append(
            [str(spell.since), str(spell.until), d.eccn, term("licence", d.licence), _review(d.review, d.practice),
             term("exception", d.exception), term("stance", d.import_stance), term("answer", _tariff(d.tariff_25pct)),
             basis]
        )  # fmt: skip
    return f"{name} -> {to}\n{table(head, rows)}\n{disclaimer()}"
