"""All laws on one shipment: what the other states modelled here say of what is asked of one of them."""

from chipweir.i18n import _
from chipweir.rules._asked import Shipment
from chipweir.rules._book import Book, called, spoken
from chipweir.rules._case import Case, destination
from chipweir.rules._circuits import MATERIALS, Goods
from chipweir.rules._covered import uncovered, where_to_look
from chipweir.rules._judge import Answer, Trace
from chipweir.rules._readings import common, read
from chipweir.rules._records import Law, altered
from chipweir.rules._words import REGIMES


def other_laws(
    shipment: Shipment, case: Case, classes: frozenset[str], possible: frozenset[str], book: Book
) -> tuple[Law, ...]:
    """The answers of every other law that reaches the shipment, and the states of dispatch whose law is not modelled.

    `classes` are those of the goods before any presumption of the law that was asked.
    """
    if shipment.activity is not None:
        return ()
    laws = [
        _law(
            altered(
                case, regime=regime, to=destination(case.code, regime), classes=classes, assumptions=[], caveats=[]
            ),
            possible,
            book,
        )
        for regime in _reaching(shipment, case.goods)
    ]
    origin = shipment.from_
    if origin is not None and origin not in REGIMES and origin != shipment.to:
        text = _("the export law of {place} itself is not modelled", place=origin)
        laws.append(Law(origin, "unknown", "unspecified", "n/a", "not modelled", "unknown", text))
    return tuple(laws)


def _reaching(shipment: Shipment, stuff: Goods) -> list[str]:
    """The regimes that have a say: the US everywhere on what it covers, the others on what leaves or passes through.

    Hong Kong and Macau have laws of their own, so China's reaches what leaves the mainland.
    """
    passes = {place for place in (shipment.from_, *shipment.via) if place}
    found = []
    for regime in REGIMES:
        if regime == shipment.regime:
            continue
        covered = stuff.kind not in MATERIALS
        if (regime == "US" and covered) or regime in passes or (regime == "CN" and not covered):
            found.append(regime)
    return found


def _law(case: Case, possible: frozenset[str], book: Book) -> Law:
    answer = common(read(case, possible, book, Trace(False, False, [])))
    if missing := uncovered(case, None, answer):
        see = where_to_look(missing)
        return Law(case.regime, "unknown", "unspecified", "n/a", f"not covered: {missing}", "unknown", see)
    says, authority = _says(answer)
    return Law(
        case.regime, answer.licence, answer.review, answer.exception, answer.basis, answer.outcome, says, authority
    )


def _says(answer: Answer) -> tuple[str, str]:
    """The first requirement in words, with its note, and where it stands."""
    if not answer.verdicts:
        return "", ""
    requirement = answer.verdicts[0].requirement
    note = spoken(requirement, "note")
    title = called(requirement)
    return f"{title} ({note})" if note else title, requirement.cfr
