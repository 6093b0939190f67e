"""The importing side: what the buyer's government lets in; the US tariff that exported chips pay; flags."""

from collections.abc import Callable
from fractions import Fraction

from chipweir.i18n import _
from chipweir.rules._book import Book, Stance, spoken
from chipweir.rules._case import Case
from chipweir.rules._conditions import holds
from chipweir.rules._numbers import shown
from chipweir.rules._parties import is_named
from chipweir.rules._records import Step


Say = Callable[[Step], None]
US_USE = frozenset(
    {
        "datacenter",
        "cloud_provider",
        "university",
        "consumer",
        "commercial",
        "us_ai_company",
        "government",
        "internet_company",
    }
)


def stance_of(case: Case, book: Book, say: Say) -> str:
    """The import stance: open, discouraged, conditional, blocked or unknown. The last row that holds decides.

    Hong Kong is a customs territory of its own: where China is not open, what holds there is unknown.
    """
    level = "open"
    for stance in book.stances:
        if stance.to not in (case.code, "CN" if case.code in ("HK", "MO") else case.code):
            continue
        if not stance.since <= case.on <= stance.until or not _reached(stance, case, book):
            continue
        level = stance.level
        text = _("import stance of {place}", place=stance.to)
        note = spoken(stance, "note")
        say(Step("import", stance.id, text, level, sources=stance.sources, confidence=stance.confidence, note=note))
    if level != "open" and case.code in ("HK", "MO"):
        text = _("China's measures are not known to bind {place}", place=case.code)
        say(Step("import", "customs territory", text, "unknown"))
        return "unknown"
    return level


def _reached(stance: Stance, case: Case, book: Book) -> bool:
    if stance.chips and not any(circuit.chip in stance.chips for circuit in case.circuits):
        return False
    if stance.end_user_types and case.user not in stance.end_user_types:
        return False
    if stance.foreign_data_centre and not any(
        circuit.maker_country != stance.to and circuit.numbers.get("data_centre") for circuit in case.circuits
    ):
        return False
    if stance.large_firm:
        named = is_named(case.names, case.raw_names, book.large_firms) or case.user == "internet_company"
        return named or (not case.named and case.user == "unspecified")
    return True


def tariff_of(case: Case, book: Book, say: Say) -> bool | None:
    """Whether the 25 % duty on import into the US falls on the goods; None at a band's edge or for want of a number.

    It falls on what enters the US, unless for use there; exports from the US to China and Macau must be tested in the
    US first, so they pay it.
    """
    entering = case.to == "US" and case.origin != "US" and case.user not in US_USE
    passing = case.to in ("CN", "MO") and case.origin == "US" and case.route == "export"
    answer: bool | None = False
    for tariff in book.tariffs:
        if not tariff.since <= case.on <= tariff.until or not (entering or passing):
            continue
        if case.goods.kind not in ("chip", "server"):
            continue
        one: bool | None = False
        for circuit in case.circuits:
            inside = [
                _inside(circuit.numbers.get("tpp"), tariff.tpp),
                _inside(circuit.numbers.get("mem_bw_gbps"), tariff.mem_bw_gbps),
            ]
            both = False if False in inside else None if None in inside else True
            one = True if both or one else None if both is None else one
        tpp, memory = ("-".join(map(shown, band)) for band in (tariff.tpp, tariff.mem_bw_gbps))
        text = _("TPP {tpp}, DRAM bandwidth {memory} GB/s", tpp=tpp, memory=memory)
        outcome = "unknown" if one is None else "yes" if one else "no"
        note = spoken(tariff, "note")
        say(Step("tariff", tariff.id, text, outcome, sources=tariff.sources, confidence=tariff.confidence, note=note))
        answer = True if one or answer else None if one is None else answer
    return answer


def _inside(value: Fraction | None, band: tuple[Fraction, Fraction]) -> bool | None:
    """Strictly inside yes, outside no, on an edge not known."""
    if value is None or value in band:
        return None
    return band[0] < value < band[1]


def flags_of(case: Case, book: Book, say: Say) -> tuple[str, ...]:
    """Ids of the flags that hold, or may hold: a warning that may be due is due."""
    found = []
    for flag in book.flags:
        if not flag.since <= case.on <= flag.until:
            continue
        one = holds(flag.condition, case, book)[0]
        if one is not False:
            found.append(flag.id)
            outcome = "yes" if one else "unknown"
            text = spoken(flag, "text")
            say(Step("flag", flag.id, text, outcome, sources=flag.sources, confidence=flag.confidence))
    return tuple(dict.fromkeys(found))
