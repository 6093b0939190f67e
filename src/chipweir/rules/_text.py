"""Decisions and classifications as text for people."""

from collections.abc import Iterable, Sequence
from unicodedata import east_asian_width

from chipweir.i18n import _
from chipweir.rules._history import Spell
from chipweir.rules._numbers import shown
from chipweir.rules._records import Classification, Decision, Margin, Step
from chipweir.rules._screening import Hit


def N_(text: str) -> str:
    """Mark a text for the catalogue where it stands in a table; it is translated where it is shown."""
    return text


UNITS = {
    "tpp": "",
    "pd": " TPP/mm2",
    "io_gbps": " GB/s",
    "mem_bw_gbps": " GB/s",
    "mbd": " GB/s/mm2",
    "training_ops": "",
}
QUANTITIES = {
    "tpp": N_("total processing performance"),
    "pd": N_("performance density"),
    "io_gbps": N_("interconnect"),
    "mem_bw_gbps": N_("DRAM bandwidth"),
    "mem_plus_io_gbps": N_("DRAM bandwidth and interconnect"),
    "mbd": N_("memory bandwidth density"),
    "training_ops": N_("training operations"),
}


def disclaimer() -> str:
    """What this is not."""
    return _(
        "Not legal advice. Not covered: screening of parties against lists, full end-use rules of part 744, embargo "
        "policies of part 746, technology and software other than model weights, "
        "deemed exports, other countries' lists."
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
    return f"{name} {shown(margin.value)}{unit}, {line} {change} -> {margin.becomes}"


def trace_lines(steps: Iterable[Step]) -> list[str]:
    """One line a step: question, outcome, rule, test, and where it stands."""
    lines = []
    for step in steps:
        source = f" [{', '.join(step.sources)}; {step.confidence}]" if step.sources and step.confidence else ""
        note = f" ({step.note})" if step.note and step.note != step.test else ""
        lines.append(f"  {step.question:<14} {step.outcome:<24} {step.rule}: {step.test}{note}{source}")
    return lines


def _said(what: str, text: object) -> str:
    return f"  {what}: {text}"


def classification_text(found: Classification, *, trace: bool) -> str:
    """What a person reads after `classify`."""
    way = f" ({found.way})" if found.way else ""
    lines = [
        _("{name} on {day}", name=found.name, day=found.on) + f": {found.eccn}{way}",
        f"  TPP {shown(found.tpp)}, " + _("performance density") + f" {shown(found.pd)} TPP/mm2",
    ]
    if found.missing:
        lines.append(_said(_("missing"), ", ".join(found.missing)))
    lines += [_said(_("would flip"), margin_line(margin)) for margin in found.margins]
    lines += [_said(_("assumed"), text) for text in found.assumptions]
    if trace:
        lines += [_("Tests, in order:"), *trace_lines(found.trace)]
    if found.on > found.verified_until:
        lines.append("  " + _("not verified after") + f" {found.verified_until}")
    return "\n".join([*lines, disclaimer()])


OUTCOMES = {
    "free": N_("no licence needed"),
    "exception": N_("may go under an exception or authorisation"),
    "licence": N_("needs a licence"),
    "conditional": N_("depends on an attestation or condition"),
    "unknown": N_("not known"),
}


def decision_text(found: Decision, *, trace: bool, hits: Sequence[Hit] = (), titles: str = "") -> str:
    """What a person reads after `licence`; `titles` is what the rules of the basis are called."""
    route = _("{name} on {day}", name=f"{found.name} -> {found.to}", day=found.on)
    asked = ((_("licence"), found.licence), (_("review"), found.review), (_("exception"), found.exception))
    behind = ((_("import stance"), found.import_stance), (_("tariff 25 %"), _tariff(found.tariff_25pct)))
    lines = [
        f"{route}: {_(OUTCOMES[found.outcome])}",
        _said(_("classification"), f"{found.eccn} (TPP {shown(found.tpp)}, PD {shown(found.pd)})"),
        "  " + "   ".join(f"{what}: {answer}" for what, answer in asked),
        _said(_("basis"), f"{found.basis} ({titles})" if titles else found.basis),
        "  " + "   ".join(f"{what}: {answer}" for what, answer in behind),
    ]
    if found.fee:
        lines.append(_said(_("share of the price that goes with it"), f"{shown(100 * found.fee)} %"))
    for requirement in found.requirements:
        holds = "unknown" if requirement.holds is None else "yes"
        lifted = f", {', '.join(requirement.exceptions)}" if requirement.exceptions else ""
        lines.append("  " + _("requirement") + f" {requirement.rule}: {holds}, {requirement.review}{lifted}")
    lines += [_said(_("condition"), text) for text in found.conditions]
    lines += [_said(_("flag"), text) for text in found.flags]
    if found.missing:
        lines.append(_said(_("missing"), ", ".join(found.missing)))
    lines += [_said(_("would flip"), margin_line(margin)) for margin in found.margins]
    lines += [_said(_("assumed"), text) for text in found.assumptions]
    lines += [_said(_("screening hit"), f"{hit.party} ~ {hit.name} ({hit.score:.0f}) {hit.list}") for hit in hits]
    if trace:
        lines += [_("Tests, in order:"), *trace_lines(found.trace)]
    if found.not_verified:
        lines.append("  " + _("not verified after") + f" {found.verified_until}")
    return "\n".join([*lines, disclaimer()])


def _tariff(value: bool | None) -> str:
    return "unknown" if value is None else "yes" if value else "no"


def decision_line(found: Decision) -> str:
    """A decision on one line."""
    return (
        f"{found.name} -> {found.to} {found.on}: {found.eccn}, licence {found.licence}, {found.review}, "
        f"exception {found.exception}, import {found.import_stance} [{found.basis}]"
    )


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
        basis = d.basis + (" " + _("(not verified)") if d.not_verified else "")
        rows.append(
            [str(spell.since), str(spell.until), d.eccn, d.licence, d.review, d.exception, d.import_stance,
             _tariff(d.tariff_25pct), basis]
        )  # fmt: skip
    return f"{name} -> {to}\n{table(head, rows)}\n{disclaimer()}"
