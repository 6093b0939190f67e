"""Issues of sources: who says so, how firmly, how often the same thing is counted, and what is never said."""

import re
from collections.abc import Iterator

from chipweir.evidence._issues._article import Article, Issue, find, words
from chipweir.evidence._slots import is_kind
from chipweir.evidence._verdict import Text
from chipweir.text import figures_of_speech, plain


_UNNAMED = words(
    r"업계에 따르면|업계 ?관계자|소식통(?:들)?에 따르면|일부 조사|한 관계자|알려져 있|전해졌",
    r"industry sources?|people familiar|sources? (?:said|say)|some surveys|insiders|it is said|reportedly",
    r"业内人士|業內人士|消息人士|知情人士|据悉|據悉|据称|據稱|有调查",
)
_BLOCK_QUOTE = re.compile(r"^>\s*[“\"'].{20,}", re.MULTILINE)


def sourcing(article: Article) -> Iterator[Issue]:
    """All issues of sources in an article."""
    yield from machine_written(article)
    yield from speakerless(article)
    yield from duplicates(article)
    yield from unnamed(article)
    yield from names_with_digits(article)
    yield from omissions(article)


def machine_written(article: Article) -> Iterator[Issue]:
    """A text written by a language model: commentary that never corroborates."""
    document = article.found.document
    if document.tier == "machine-written" or document.generator:
        yield Issue("provenance", "warning", Text("issue_machine", {"generator": document.generator or "?"}), 0, 0)


def speakerless(article: Article) -> Iterator[Issue]:
    """A block quotation that nobody says."""
    for match in _BLOCK_QUOTE.finditer(article.text):
        tail = article.text[match.end() : match.end() + 80]
        if re.search(r"^\s*\n>?\s*[-—–]\s*\S", tail) or re.search(r"[-—–]\s?\S[^-—–]{1,40}$", match.group()):
            continue
        yield Issue(
            "provenance", "warning", Text("issue_speakerless"), match.start(), min(match.end(), match.start() + 60)
        )


def duplicates(article: Article) -> Iterator[Issue]:
    """Paragraphs that repeat another: they count once."""
    for span in article.found.document.dropped:
        if span.reason == "duplicate":
            yield Issue("duplicate", "note", Text("issue_duplicate"), span.start, span.end)


def unnamed(article: Article) -> Iterator[Issue]:
    """Figures and findings from sources without a name; a yield also lacks the product it is of."""
    told: set[int] = set()
    for claim, verdict in article.judged():
        if (
            claim.frame == "yield"
            and "ambiguous" in {verdict.slots.get("product"), verdict.slots.get("node")}
            and (claim.sentence not in told)
        ):
            told.add(claim.sentence)
            yield Issue(
                "unsupported",
                "warning",
                Text("issue_yield", {"detail": verdict.text}),
                claim.start,
                claim.end,
                (claim.id,),
                verdict.evidence,
            )
    for number, text, script in article.sentences():
        figures = [c for c in article.claims_in(number) if c.quantity is not None]
        match = find(_UNNAMED, text, script) if figures and number not in told else None
        if match:
            start = article.span(number)[0] + match.start()
            yield Issue(
                "unsupported",
                "note",
                Text("issue_unnamed", {"source": match.group()}),
                start,
                start + len(match.group()),
                tuple(c.id for c in figures),
            )


def names_with_digits(article: Article) -> Iterator[Issue]:
    """Figures that are part of a name or a gloss and were not read as quantities: a note for whoever checks."""
    names = list(
        dict.fromkeys(
            m.surface
            for m in article.found.entities
            if re.search(r"\d", m.surface) and is_kind(m, ("chip", "model", "system")) and len(m.surface) <= 24
        )
    )
    glosses = [c for c in article.claims if c.frame == "unit_gloss"]
    if len(names) >= 2:
        yield Issue("extraction-trap", "note", Text("issue_names", {"names": tuple(names[:12])}))
    for claim in glosses:
        text = Text("issue_gloss", {"words": article.text[claim.start : claim.end][-24:]})
        yield Issue("extraction-trap", "note", text, claim.start, claim.end, (claim.id,))
    for start, end in figures_of_speech(plain(article.text)):
        text = Text("issue_idiom", {"words": article.text[start:end][:40]})
        yield Issue("extraction-trap", "note", text, start, end)


_TOPICS = {
    "units": words(
        r"(?:칩|반도체|GPU)[^.]{0,12}\d[\d,만천억]*\s?(?:개|장|대)|\d[\d,만천억]*\s?(?:개|장|대)의? (?:칩|반도체|GPU)",
        r"\d[\d,.]*(?: (?:million|thousand))? (?:[A-Z]\w+ )?(?:chips|GPUs|accelerators|processors)",
        r"\d[\d,.]*[万萬]?(?:颗|顆|张|張|枚|块)",
    ),
    "wafers": words(r"웨이퍼", r"wafers?", r"晶圆|晶圓"),
    "power": words(
        r"\d[\d.,]*\s?(?:W|와트|kW|MW|메가와트|킬로와트)",
        r"\d[\d.,]*\s?(?:W|watts?|kW|MW|GW|megawatts?|kilowatts?)\b",
        r"\d[\d.,]*\s?(?:瓦|千瓦|兆瓦|W|kW|MW)",
    ),
    "HBM": words(r"HBM|고대역폭", r"HBM|high[- ]bandwidth memory", r"HBM|高带宽|高頻寬"),
    "utilisation": words(r"가동률|이용률", r"utili[sz]ation", r"利用率|稼动率|稼動率"),
    "chip prices": words(
        r"(?:칩|반도체|GPU|서버)[^.]{0,20}\d[\d,만억]*\s?(?:달러|원|위안)",
        r"(?:chips?|GPUs?|servers?)[\w\s]{0,20}(?:cost|price|sell)\w*[\w\s]{0,10}\$|\$[\d,.]+ (?:per|a|each)",
        r"(?:芯片|服务器|單價|单价)[^。]{0,12}\d[\d,.万]*(?:美元|元)",
    ),
}


def omissions(article: Article) -> Iterator[Issue]:
    """What an article about chip supply never says: units, wafers, watts, memory, utilisation, prices."""
    chips = [m for m in article.found.entities if is_kind(m, ("chip", "system", "product-line"))]
    if len(chips) < 3 or len(article.page.sentences) < 8:
        return
    missing = [
        topic
        for topic, by in _TOPICS.items()
        if not any(find(by, text, script) for _, text, script in article.sentences())
    ]
    if len(missing) >= 3:
        yield Issue("omission", "note", Text("issue_omission", {"missing": tuple(missing)}), 0, 0)
