"""The table of the documentation: chips under the regimes, for the destinations that Korean readers ask about."""

from datetime import date

from chipweir.rules._asked import Shipment
from chipweir.rules._book import Book, shipped
from chipweir.rules._chips import ControlledChip, catalogue
from chipweir.rules._decide import decide
from chipweir.rules._numbers import shown
from chipweir.rules._records import Decision
from chipweir.rules._terms import status_text, term


REGIMES = (
    ("2022-10 rule", date(2023, 6, 1), "enforced"),
    ("2023-10 rule", date(2024, 6, 1), "enforced"),
    ("with H20 letters", date(2025, 6, 1), "enforced"),
    ("Diffusion as written", date(2025, 6, 1), "as_written"),
    ("2026-01 review rule", date(2026, 6, 1), "enforced"),
    ("UAE rule", date(2026, 9, 1), "enforced"),
)
DESTINATIONS = ("CN", "MY", "KR", "AE")
CHIPS = (
    "nvidia-v100-sxm2", "nvidia-t4", "nvidia-a100-sxm", "nvidia-a800-sxm", "nvidia-a30", "nvidia-a40", "nvidia-a10",
    "nvidia-h100-sxm", "nvidia-h100-pcie", "nvidia-h800-sxm", "nvidia-h200-sxm", "nvidia-h200-nvl", "nvidia-h20",
    "nvidia-b200", "nvidia-b300", "nvidia-b30a", "nvidia-l40s", "nvidia-l40", "nvidia-l4", "nvidia-l20", "nvidia-l2",
    "nvidia-rtx-4090", "nvidia-rtx-4090-d", "nvidia-rtx-5090", "nvidia-rtx-5090-d", "nvidia-rtx-5090-d-v2",
    "nvidia-rtx-pro-6000", "nvidia-rtx-pro-6000d", "amd-mi210", "amd-mi250x", "amd-mi300x", "amd-mi308x", "amd-mi325x",
    "amd-mi355x", "intel-gaudi-2", "intel-gaudi-3", "huawei-ascend-910b", "huawei-ascend-910c", "cambricon-mlu590",
    "moore-threads-s4000",
)  # fmt: skip


def binding_test(decision: Decision) -> str:
    """The number nearest to changing the answer for China, or what is missing."""
    margin = decision.margin
    if decision.missing:
        return f"{', '.join(decision.missing)} not known"
    if margin is None:
        return "none"
    name = {"tpp": "TPP", "pd": "PD", "io_gbps": "I/O", "mem_bw_gbps": "DRAM", "mem_plus_io_gbps": "DRAM + I/O"}.get(
        margin.quantity, margin.quantity
    )
    sign = "below" if margin.value < margin.threshold else "at or above"
    share = f"{100 * margin.relative:.1f} %"
    becomes = margin.becomes.replace("_", " ")
    return f"{name} {shown(margin.value)} {sign} {shown(margin.threshold)} ({share}): else {becomes}"


def rules_table(book: Book | None = None) -> str:
    """Markdown: for each chip the class, the binding test and the state by regime for CN / MY / KR / AE."""
    rules = book or shipped()
    head = ["chip", "TPP", "PD", "class", "binding test", *(name for name, _, _ in REGIMES)]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(_row(catalogue()[chip], rules)) + " |" for chip in CHIPS]
    return "\n".join(lines)


def _row(chip: ControlledChip, book: Book) -> list[str]:
    today = decide(Shipment(chip.id, "CN", REGIMES[-1][1], from_=_origin(chip), hq="CN"), book)
    cells = [chip.name, shown(today.tpp), shown(today.pd, 2), today.eccn.replace("_", " "), binding_test(today)]
    for _, on, mode in REGIMES:
        asked = [Shipment(chip.id, to, on, from_=_origin(chip), hq=to, mode=mode) for to in DESTINATIONS]
        states = [status_text(decide(shipment, book, trace=False)) for shipment in asked]
        free = term("status", "free")
        cells.append(f"{free} anywhere" if set(states) == {free} else " / ".join(states))
    return cells


def _origin(chip: ControlledChip) -> str:
    return "CN" if chip.maker_country == "CN" else "US"


def rules_page(book: Book | None = None) -> str:
    """The generated page `docs/rules-table.md`."""
    days = "; ".join(f"{name}: {on}, {mode.replace('_', ' ')}" for name, on, mode in REGIMES)
    return f"""# Chips under the regimes

Generated from the rules by `chipweir rules table`; a test holds this page to them. Each cell reads
{" / ".join(DESTINATIONS)}: one unit, sold by the chip's maker from the United States (Chinese chips from China) to a
recipient whose seat and ultimate parent are at the destination, all certifications given. The words are those of every
other text, picture and page: `no licence needed` that no requirement was found, `no policy stated` that a licence is needed
and no text says how applications are looked at, a name such as NAC, ACA, AIA or LPP that this authorisation stands in for
the licence, `not known` that the rules here cannot tell. Class and binding test are those of the last day and China:
the smallest relative change of one number that would change the class, a requirement or the review policy. Not legal advice.

Days: {days}.

{rules_table(book)}
"""
