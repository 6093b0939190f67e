"""Issues of names: misspellings, spellings, a product taken for a company, things shown but not spoken of."""

import re
from collections.abc import Iterator
from typing import Any

from chipweir.evidence._frames import read_data
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
_STARTUP = words(r"스타트업|신생 ?(?:기업|업체)|벤처", r"start-?ups?|fledgling", r"初创|初創|新创|新創|创业公司")
_CAPTION = re.compile(
    r"출처\s?=|사진\s?=|사진\(|제공\s?=|\b[Pp]hoto\b|Getty|Reuters/|图(?:片|源)|圖(?:片|源)|로이터 연합|"
    r"연합뉴스\)|셔터스톡|아이스톡"
)
_RACK = words(r"서버 ?랙|(?<![가-힣])랙", r"\bserver racks?\b|\brack\b", r"机柜|機櫃|机架|機架")
_BENCH = words(
    r"(?:(?P<who>\S{2,12}) 등\)?\s?(?:글로벌 )?벤치마크)|벤치마크\((?P<who2>\S{2,12}) 등\)",
    r"benchmarks? (?:such as|like) (?P<who>[A-Z]\w+)",
    r"(?P<who>\S{2,8})等(?:全球)?(?:基准|基準)",
)
_MIXED = words(
    r"칩에 (?:필적|버금|견줄|능가)[^.]{0,30}모델|모델[^.]{0,20}칩(?:을|보다) (?:능가|앞)",
    r"models? (?:that )?(?:rival|match|beat|surpass)\w* [\w\s.-]{0,25}chips?\b|chips? (?:that )?(?:rival|match|"
    r"beat)\w* [\w\s.-]{0,20}models?\b",
    r"(?:媲美|超越)[^，。]{0,12}芯片的[^，。]{0,8}模型",
)


def names(article: Article) -> Iterator[Issue]:
    """All issues of names in an article."""
    yield from typos(article)
    yield from spellings(article)
    yield from lines_as_companies(article)
    yield from listed_start_ups(article)
    yield from illustrations(article)
    yield from racks(article)
    yield from categories(article)


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


def listed_start_ups(article: Article) -> Iterator[Issue]:
    """A company called a start-up that has been listed since before the article."""
    listed = read_data("background.yaml")["listed"]
    seen: set[str] = set()
    for number, text, script in article.sentences():
        match = find(_STARTUP, text, script)
        if not match:
            continue
        start = article.span(number)[0] + match.start()
        for mention in article.mentions(number):
            row = listed.get(mention.id)
            if (
                row is None
                or mention.id in seen
                or abs(mention.start - start) > 40
                or (article.on and row["since"] > article.on)
            ):
                continue
            seen.add(mention.id)
            yield Issue(
                "fact-error",
                "warning",
                Text("issue_start_up", {"surface": mention.surface, "since": row["since"][:4], "where": row["where"]}),
                mention.start,
                mention.end,
                evidence=(
                    Evidence(
                        "fact",
                        f"listed-{mention.id}",
                        f"listed {row['since']}, {row['where']}",
                        row["source"],
                        confidence=row["confidence"],
                        supports=False,
                    ),
                ),
            )


def illustrations(article: Article) -> Iterator[Issue]:
    """A chip that stands only in a caption: a picture of something the article does not speak of."""
    places: dict[str, list[EntityMention]] = {}
    for mention in article.found.entities:
        if is_kind(mention, ("chip", "system")) and mention.how != "typo":
            places.setdefault(mention.id or mention.surface, []).append(mention)
    for mentions in places.values():
        if all(_in_caption(article, m) for m in mentions):
            m = mentions[0]
            yield Issue("illustration", "note", Text("issue_illustration", {"surface": m.surface}), m.start, m.end)


def _in_caption(article: Article, mention: EntityMention) -> bool:
    if any(s.start <= mention.start < s.end and s.reason == "caption" for s in article.found.document.dropped):
        return True
    line_start = article.text.rfind("\n", 0, mention.start) + 1
    line_end = article.text.find("\n", mention.end)
    line = article.text[line_start : line_end if line_end >= 0 else None]
    return len(line) < 160 and bool(_CAPTION.search(line))


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


def categories(article: Article) -> Iterator[Issue]:
    """Things of different kinds set against each other: a company as a benchmark, a model against a chip."""
    for number, text, script in article.sentences():
        start = article.span(number)[0]
        match = find(_BENCH, text, script)
        if match:
            named = next((value for value in match.groups() if value), "")
            near = [
                m
                for m in article.mentions(number)
                if is_kind(m, ("organisation",)) and start + match.start() - 12 <= m.start <= start + match.end()
            ]
            if near:
                yield Issue(
                    "fact-error",
                    "warning",
                    Text("issue_company_as_benchmark", {"surface": near[0].surface or named}),
                    start + match.start(),
                    start + match.end(),
                )
        match = find(_MIXED, text, script)
        if match:
            yield Issue(
                "fact-error", "warning", Text("issue_model_against_chip"), start + match.start(), start + match.end()
            )
