"""Decisions and classifications as text for people."""

from collections.abc import Iterable, Sequence

from chipweir.i18n import _
from chipweir.rules._history import Spell
from chipweir.rules._numbers import shown
from chipweir.rules._records import Classification, Decision, Margin, Step
from chipweir.rules._screening import Hit


UNITS = {
    "tpp": "",
    "pd": " TPP/mm2",
    "io_gbps": " GB/s",
    "mem_bw_gbps": " GB/s",
    "mbd": " GB/s/mm2",
    "training_ops": "",
}
QUANTITIES = {
    "tpp": "total processing performance",
    "pd": "performance density",
    "io_gbps": "interconnect",
    "mem_bw_gbps": "DRAM bandwidth",
    "mem_plus_io_gbps": "DRAM bandwidth and interconnect",
    "mbd": "memory bandwidth density",
    "training_ops": "training operations",
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
    widths = [max(len(row[i]) for row in body) for i in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in body
    )


def margin_line(margin: Margin) -> str:
    """'performance density 2.91, threshold 3.2 (10 % up) -> paragraph .b'."""
    name = _(QUANTITIES.get(margin.quantity, margin.quantity))
    way = _("up") if margin.upwards else _("down")
    unit = UNITS.get(margin.quantity, "")
    share = shown(100 * margin.relative, 2) if margin.value else "-"
    change = f"({share} % {way})"
    line = f"{_('threshold')} {shown(margin.threshold)}"
    return f"{name} {shown(margin.value)}{unit}, {line} {change} -> {margin.becomes}"


def trace_lines(steps: Iterable[Step]) -> list[str]:
    """One line a step: question, outcome, rule, test, and where it stands."""
    lines = []
    for step in steps:
        source = f" [{', '.join(step.sources)}; {step.confidence}]" if step.sources and step.confidence else ""
        note = f" ({step.note})" if step.note and step.note != step.test else ""
        lines.append(f"  {step.question:<14} {step.outcome:<24} {step.rule}: {step.test}{note}{source}")
    return lines


def classification_text(found: Classification, *, trace: bool) -> str:
    """What a person reads after `classify`."""
    lines = [
        f"{found.name} {_('on')} {found.on}: {found.eccn}" + (f" ({found.way})" if found.way else ""),
        f"  TPP {shown(found.tpp)}, {_('performance density')} {shown(found.pd)} TPP/mm2",
    ]
    if found.missing:
        lines.append(f"  {_('missing')}: {', '.join(found.missing)}")
    lines += [f"  {_('would flip')}: {margin_line(margin)}" for margin in found.margins]
    lines += [f"  {_('assumed')}: {text}" for text in found.assumptions]
    if trace:
        lines += [_("Tests, in order:"), *trace_lines(found.trace)]
    if found.on > found.verified_until:
        lines.append(f"  {_('not verified after')} {found.verified_until}")
    return "\n".join([*lines, disclaimer()])


OUTCOMES = {
    "free": "no licence needed",
    "exception": "may go under an exception or authorisation",
    "licence": "needs a licence",
    "conditional": "depends on an attestation or condition",
    "unknown": "not known",
}


def decision_text(found: Decision, *, trace: bool, hits: Sequence[Hit] = ()) -> str:
    """What a person reads after `licence`."""
    lines = [
        f"{found.name} -> {found.to} {_('on')} {found.on}: {_(OUTCOMES[found.outcome])}",
        f"  {_('classification')}: {found.eccn} (TPP {shown(found.tpp)}, PD {shown(found.pd)})",
        f"  {_('licence')}: {found.licence}   {_('review')}: {found.review}   {_('exception')}: {found.exception}",
        f"  {_('basis')}: {found.basis}",
        f"  {_('import stance')}: {found.import_stance}   {_('tariff 25 %')}: {_tariff(found.tariff_25pct)}",
    ]
    if found.fee:
        lines.append(f"  {_('share of the price that goes with it')}: {shown(100 * found.fee)} %")
    for requirement in found.requirements:
        holds = "unknown" if requirement.holds is None else "yes"
        lifted = f", {', '.join(requirement.exceptions)}" if requirement.exceptions else ""
        lines.append(f"  {_('requirement')} {requirement.rule}: {holds}, {requirement.review}{lifted}")
    lines += [f"  {_('condition')}: {text}" for text in found.conditions]
    lines += [f"  {_('flag')}: {text}" for text in found.flags]
    if found.missing:
        lines.append(f"  {_('missing')}: {', '.join(found.missing)}")
    lines += [f"  {_('would flip')}: {margin_line(margin)}" for margin in found.margins]
    lines += [f"  {_('assumed')}: {text}" for text in found.assumptions]
    lines += [f"  {_('screening hit')}: {hit.party} ~ {hit.name} ({hit.score:.0f}) {hit.list}" for hit in hits]
    if trace:
        lines += [_("Tests, in order:"), *trace_lines(found.trace)]
    if found.not_verified:
        lines.append(f"  {_('not verified after')} {found.verified_until}")
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
        basis = d.basis + (f" {_('(not verified)')}" if d.not_verified else "")
        rows.append(
            [str(spell.since), str(spell.until), d.eccn, d.licence, d.review, d.exception, d.import_stance,
             _tariff(d.tariff_25pct), basis]
        )  # fmt: skip
    return f"{name} -> {to}\n{table(head, rows)}\n{disclaimer()}"
