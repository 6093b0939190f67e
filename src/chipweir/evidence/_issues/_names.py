"""Issues of names: misspellings, spellings, a product taken for a company, things shown but not spoken of."""

import re
from collections.abc import Iterator
from typing import Any

from chipweir.evidence._issues._article import Article, Issue, find, words
from chipweir.evidence._slots import is_kind
from chipweir.evidence._verdict import Evidence, Text
from chipweir.text import EntityMention


_CODE = re.compile(r"(?<![A-Za-z0-9])[A-Z]{1,4}[0-9OIl]{2,5}[A-Z]?(?![A-Za-z0-9])")
_LOOKALIKE = str.maketrans({"O": "0", "I": "1", "l": "1"})
_COMPANY = words(
    r"(?:업체|기업|회사|제조사|제조업체|메이커|스타트업|벤더)(?:인|인 )?\s?$",
    r"(?:chip\s?makers?|compan(?:y|ies)|firms?|start-?ups?|manufacturers?|vendors?|makers?|supplier)[\s,]+$",
    r"(?:公司|企业|企業|厂商|廠商|制造商|製造商|初创公司)$",
)
_COMPANY_AFTER = words(
    r"^(?:이?라는|사|와 같은)?\s?(?:업체|기업|회사|제조사|스타트업)",
    r"^(?:,\s(?:a|an|the)\s[\w\s-]{0,25}(?:chip\s?maker|company|firm|start-?up|manufacturer)|\s(?:Inc|Corp|Ltd|Co)\b)",
    r"^(?:公司|这家(?:公司|企业)|這家(?:公司|企業)|厂商)",
)
_RACK = words(r"서버 ?랙|(?<![가-힣])랙", r"\bserver racks?\b|\brack\b", r"机柜|機櫃|机架|機架")


def names(article: Article) -> Iterator[Issue]:
    """All issues of names in an article."""
    yield from typos(article)
    yield from spellings(article)
    yield from lines_as_companies(article)
    yield from racks(article)


def _codes(facts: Any) -> dict[str, str]:
    known: dict[str, str] = {}
    for chip in facts.chips.values():
        for name in (chip.name, *chip.aliases, chip.id.split("-", 1)[-1].upper()):
            for code in _CODE.findall(name):
                if code == code.translate(_LOOKALIKE):  # a misspelling kept as an alias is still one
                    known.setdefault(code, chip.id)
    return known


def typos(article: Article) -> Iterator[Issue]:
    """Names one slip away from a known one: O for 0 in a chip's code, a changed letter."""
    seen: set[str] = set()
    for mention in article.found.entities:
        if mention.how == "typo" and mention.surface not in seen and mention.kind != "country":
            seen.add(mention.surface)
            yield _typo(article, mention.start, mention.end, mention.surface, mention.id)
    known = _codes(article.facts)
    for match in _CODE.finditer(article.text):
        code = match.group()
        meant = code.translate(_LOOKALIKE)
        if code in seen or code in known or meant == code or meant not in known:
            continue
        seen.add(code)
        yield _typo(article, match.start(), match.end(), code, known[meant])


def _typo(article: Article, start: int, end: int, surface: str, identifier: str) -> Issue:
    from chipweir.evidence._checks._context import name_of

    return Issue(
        "typo",
        "warning",
        Text("issue_typo", {"surface": surface, "meant": name_of(article.facts, identifier)}),
        start,
        end,
        evidence=(Evidence("fact", identifier, f"name of {identifier}"),),
    )


def spellings(article: Article) -> Iterator[Issue]:
    """Names written otherwise than the usual way in the article's language: one note that lists them."""
    key = {"ko": "ko", "en": "en", "zh-Hans": "zh"}.get(article.found.document.language)
    if key is None:  # traditional characters are no variant spelling of simplified ones
        return
    variants: dict[str, EntityMention] = {}
    for mention in article.found.entities:
        entity = article.facts.entities.get(mention.id)
        if entity is None or mention.how != "alias" or entity.kind not in {"company", "lab", "press"}:
            continue
        usual = getattr(entity.names, key)
        bare = re.sub(r"\(.*?\)", "", mention.surface).strip()
        # Another script, a fuller form or an abbreviation of the usual name is no variant spelling.
        if (
            not usual
            or bare.casefold() in {n.casefold() for n in (usual, entity.names.en, entity.names.zh)}
            or usual in bare
            or bare in usual
            or not _same_script(bare, usual, key)
        ):
            continue
        variants.setdefault(bare, mention)
    if variants:
        listed = tuple(
            f"{surface} = {getattr(article.facts.entities[m.id].names, key)} ({article.facts.entities[m.id].names.en})"
            for surface, m in variants.items()
        )
        first = min(variants.values(), key=lambda m: m.start)
        yield Issue("alias", "note", Text("issue_alias", {"names": listed}), first.start, first.end)


def _same_script(a: str, b: str, key: str) -> bool:
    test = {"ko": r"[가-힣]", "zh": r"[\u4e00-\u9fff]", "en": r"[A-Za-z]"}[key]
    return bool(re.search(test, a)) and (bool(re.search(test, b)) or key == "ko")


def lines_as_companies(article: Article) -> Iterator[Issue]:
    """A product line, chip or model spoken of as a company."""
    seen: set[str] = set()
    for number, _, script in article.sentences():
        for mention in article.mentions(number):
            if mention.id in seen or not is_kind(mention, ("product-line", "chip", "model")) or mention.how == "typo":
                continue
            before = article.text[max(0, mention.start - 24) : mention.start]
            after = article.text[mention.end : mention.end + 40]
            if find(_COMPANY, before, script) or find(_COMPANY_AFTER, after, script):
                seen.add(mention.id)
                owner = _owner(article, mention.id)
                yield Issue(
                    "fact-error",
                    "error",
                    Text("issue_line_as_company", {"surface": mention.surface, "owner": owner}),
                    mention.start,
                    mention.end,
                    evidence=(
                        Evidence("fact", mention.id, f"{mention.id}: kind {mention.kind}, of {owner}", supports=False),
                    ),
                )


def _owner(article: Article, identifier: str) -> str:
    from chipweir.evidence._checks._context import name_of

    facts = article.facts
    entity = facts.entities.get(identifier)
    record = facts.chips.get(identifier) or facts.models.get(identifier)
    parent = (record.maker if record is not None else "") or (entity.parent if entity is not None else "")
    return name_of(facts, parent) if parent else "?"


def racks(article: Article) -> Iterator[Issue]:
    """One "rack" where the system on record fills several: rack against rack is not like for like."""
    from chipweir.evidence._checks._hardware import racks_of

    for number, _, _ in article.sentences():
        for mention in article.mentions(number):
            system = article.facts.systems.get(mention.id)
            count = racks_of(system) if system is not None else None
            if not count or count < 2:
                continue
            for near in range(max(0, number - 2), min(len(article.page.sentences), number + 2)):
                match = find(_RACK, article.page.words(near), article.page.scripts[near])
                if match:
                    start = article.span(near)[0] + match.start()
                    yield Issue(
                        "fact-error",
                        "warning",
                        Text("issue_rack", {"system": system.name.split(" / ")[0], "racks": float(count)}),
                        start,
                        start + len(match.group()),
                        evidence=(
                            Evidence("system", system.id, system.scaleup_fabric, as_of=system.release, supports=False),
                        ),
                    )
                    return
