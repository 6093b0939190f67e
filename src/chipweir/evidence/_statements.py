"""Statements that carry no figure of their own: what may be shipped where, what beats what, what happened when, and who
made what."""

import re
from collections.abc import Mapping

from chipweir.evidence._frames import Claim, modality, patterns
from chipweir.evidence._laws import law_claims
from chipweir.evidence._page import Page
from chipweir.evidence._slots import Slot, entity_slot, fill_entity, fill_time, is_kind, time_slot
from chipweir.text import opens


def statements(page: Page) -> list[Claim]:
    """The claims of the frames `rule_state`, `comparison`, `event` and `maker`, in no order; ids are still empty."""
    return [*_rule_claims(page), *law_claims(page), *_comparisons(page), *_events(page), *_makers(page)]


def _by_script(words: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, re.Pattern[str]]]:
    return {name: patterns(by) for name, by in words.items()}


_STATE = _by_script(
    {
        "banned": {
            "ko": r"(?:수출|판매|수입)(?:이|을)? ?(?:금지|제한|차단|중단|불허)|금지된|금지 ?품목|제한 ?품목|수출할 "
            r"수 없|팔 수 없|팔지 못|수출하지 못|반입 금지|수출 ?길이 막|판매 ?길이 막",
            "en": r"\bbann?ed\b|\bbans?\b|barred|prohibit\w*|blocked|restricted|"
            r"(?:cannot|can't|can not|may not) (?:be )?(?:sell|sold|export|exported|ship|shipped)\b(?![^.]{0,60}\bwithout)|"
            r"off[- ]limits|embargo\w*|blacklist",
            "zh": r"禁止|禁售|禁运|禁運|被禁|禁令|封锁|封鎖|不得(?:出口|销售)|限制出口",
        },
        "allowed": {
            "ko": r"자유롭게|(?:수출|판매)(?:이|을|를)? ?(?:재개|허용|승인|허가)|합법적으로|완화|"
            r"풀(?:렸|어)|해제|규제 대상이 아닌",
            "en": r"\ballow(?:s|ed)?\b|approv\w*|resum\w*|permitted|cleared|legal(?:ly)?\b|lift(?:s|ed)? (?:the "
            r")?(?:ban|curbs|restrictions)|\bfreely\b|without restrictions?|"
            r"no longer restricted|eas(?:es|ed|ing)\b|free of controls?",
            "zh": r"允许|允許|批准|恢复(?:出口|销售)|恢復|解禁|放宽|放寬|合法|获准|獲准",
        },
        "no licence required": {
            "ko": r"허가 없이(?!는|도? ?(?:수출|판매)할 수 없)|허가가 필요 ?없",
            "en": r"(?<!cannot )(?<!not )\b(?:may|can|could|allowed to|able to|free to)\b[^.]{0,60}\bwithout (?:any |an? )?"
            r"(?:export )?licen[cs]e|no licen[cs]e (?:is )?(?:needed|required)|needs? no licen[cs]e",
            "zh": r"(?:无需|無需|不需要?|不必)[^，。]{0,4}(?:许可|許可|批准)",
        },
        "licence required": {
            "ko": r"라이선스|허가를 받(?:도록|아야|게)|허가 없이는|허가 대상|허가가? ?(?:필요|의무)(?! ?없)|"
            r"수출 ?허가(?:가)? (?:필요|의무|받아야)(?! ?없)|허가제|허가 의무",
            "en": r"licen[cs]es? (?:requirement|is required|are required|needed)|requir\w+ (?:an? )?(?:export "
            r")?licen[cs]e|need\w* (?:an? )?(?:export )?licen[cs]e|"
            r"(?:cannot|can't|may not|not)[^.]{0,60}without (?:an? )?(?:export |US |American )?(?:licen[cs]e|permit)",
            "zh": r"未经[^，。]{0,6}(?:许可|批准)[^。]{0,6}不得|许可证|許可證|需(?:要)?许可|须获许可|出口许可要求",
        },
    }
)


# What is asked or left open, denied, or told as the cause or date of something else, by the words around a state.
_OPEN = {
    "ko": (
        re.compile(r"$^"),
        re.compile(r"^\S{0,3}(?:[할될한된]지(?![가-힣]*만)|하는지|되는지|[을를]?\s?여부|할까|될까)|^[^.]{0,24}\?"),
    ),
    "en": (
        re.compile(r"\b(?:whether|if|could|would|may|might|should)\b[^.]{0,48}$", re.I),
        re.compile(r"^[^.]{0,60}\?"),
    ),
    "zh": (
        re.compile(r"(?:是否|会不会|會不會|能否|应否|如果|若)[^。]{0,24}$"),
        re.compile(r"^[^。]{0,24}(?:吗|嗎|？|与否|與否)"),
    ),
}
_DENIED = {
    "ko": (re.compile(r"$^"), re.compile(r"^\S{0,6}\s?(?:것은 아니|건 아니|게 아니|지는? 않|적이? 없|바 없)")),
    "en": (re.compile(r"(?:\bnot|n't|\bnever|\bno longer|\bneither)(?: \w+){0,2} $|\bno $", re.I), re.compile(r"$^")),
    "zh": (re.compile(r"(?:并未|並未|没有|沒有|尚未|未被|未|不再|并不|並不|不)$"), re.compile(r"$^")),
}
_PAST = {
    "ko": (
        re.compile(r"$^"),
        re.compile(r"^\s?(?:조치)?(?:으?로(?= )|에 따[라른]|때문|여파|이후|탓|당시|직후|하면서|되면서|한 뒤|된 뒤)"),
    ),
    "en": (
        re.compile(
            r"\b(?:due to|because of|owing to|after|following|since|despite|before|by|from|under|hit by|cost of)"
            r"[^.,]{0,40}$",
            re.I,
        ),
        re.compile(r"$^"),
    ),
    "zh": (
        re.compile(r"(?:因|由于|由於|受|自从|自從|鉴于)[^，。]{0,16}$"),
        re.compile(r"^(?:之后|之後|后|後|以来|以來|影响|影響|导致|導致)"),
    ),
}
_NEGATED = {
    "no licence required": "licence required",
    "banned": "not banned",
    "allowed": "banned",
    "licence required": "no licence required",
}


def _as_told(text: str, start: int, end: int, lang: str, state: str) -> str:
    """The state that the words tell: the opposite where they deny it, `past ...` where it is only the cause or date of
    something else, nothing where it is left open."""
    before, after = text[max(0, start - 60) : start], text[end : end + 60]

    def told(by: Mapping[str, tuple[re.Pattern[str], re.Pattern[str]]]) -> bool:
        left, right = by[lang]
        return bool(left.search(before) or right.search(after))

    if told(_OPEN):
        return ""
    if told(_DENIED):
        return _NEGATED[state]
    return f"past {state}" if told(_PAST) else state


def _rule_claims(page: Page) -> list[Claim]:
    """Sentences that say what may be shipped where: a chip, a state of the rule and (often unnamed) a destination."""
    claims = []
    for number, sentence in enumerate(page.sentences):
        if sentence.dropped:
            continue
        items = [i for i in page.places["entities"][number] if _controlled(page, i)]
        told = _states(page, number, items) if items else {}
        claims += [_rule_claim(page, number, index, state) for index, state in told.items()]
    return claims


def _controlled(page: Page, index: int) -> bool:
    mention = page.found.entities[index]
    return is_kind(mention, ("chip", "system")) or mention.id.lower() == "hbm" or mention.surface.upper() == "HBM"


_JOINED = re.compile(r"^[^.]{0,6}?(?:와|과|,|및|물론|뿐(?:만)? ?아니라|까지|and|as well as|、|和|及)[^.]{0,12}$")


def _states(page: Page, sentence: int, items: list[int]) -> dict[int, tuple[float, str, int, int]]:
    """For each item the nearest word that says what state it is in; a state belongs to the item nearest to it and to
    those joined with that one."""
    span, lang = page.sentences[sentence], page.scripts[sentence]
    result: dict[int, tuple[float, str, int, int]] = {}
    for state, by in _STATE.items():
        for match in by[lang].finditer(page.words(sentence)):
            at = (span.start + match.start(), span.start + match.end())
            told = _as_told(page.words(sentence), match.start(), match.end(), lang, state)
            if not told:
                continue
            ranked = sorted((page.gap(at, _place(page, index)), index) for index in items)
            nearest = ranked[0][1]
            if any(page.gap(at, code) < ranked[0][0] for code in _unknown_codes(page, sentence)):
                continue
            for gap, index in ranked:
                if gap > 120 or (index != nearest and not _joined(page, index, nearest)):
                    continue
                if index not in result or gap < result[index][0]:
                    result[index] = (gap, told, *at)
    best: dict[str, int] = {}
    for index in sorted(result, key=lambda i: result[i][0]):
        best.setdefault(page.found.entities[index].id or page.found.entities[index].surface, index)
    return {index: result[index] for index in best.values()}


_CODE = re.compile(r"(?<![A-Za-z0-9])[A-Z]{1,4}[0-9OIl]{2,5}[A-Z]?(?![A-Za-z0-9])")


def _unknown_codes(page: Page, sentence: int) -> list[tuple[int, int]]:
    """Places of chip-like codes that are no known name (a misspelling, a new chip): what is said may be said of them."""
    span = page.sentences[sentence]
    here = (page.found.entities[index] for index in page.places["entities"][sentence])
    known = [(e.start, e.end) for e in here if e.how not in {"typo", "code"}]
    codes = [(span.start + m.start(), span.start + m.end()) for m in _CODE.finditer(page.words(sentence))]
    return [code for code in codes if not any(a < code[1] and code[0] < b for a, b in known)]


def _place(page: Page, index: int) -> tuple[int, int]:
    return page.found.entities[index].start, page.found.entities[index].end


def _joined(page: Page, a: int, b: int) -> bool:
    first, second = sorted((_place(page, a), _place(page, b)))
    return bool(_JOINED.match(page.text[first[1] : second[0]]))


# "대중 수출", "对华出口": the destination hides in a word that is no name of its own.
_TOWARDS_CHINA = re.compile(r"대\(?對?\)?중(?= ?(?:수출|판매|반도체|규제|통제|제재|칩))|对华|對華|China-bound")


def _rule_claim(page: Page, sentence: int, index: int, state: tuple[float, str, int, int]) -> Claim:
    mention = page.found.entities[index]
    _, name, start, end = state
    anchor = (mention.start, mention.end)
    slots = {
        "item": Slot(
            "item",
            mention.id or mention.surface,
            mention.surface,
            *anchor,
            0.4 if mention.how == "typo" else 0.9,
            "type",
            entity=index,
        ),
        "state": Slot("state", name, page.text[start:end], start, end, 0.75, "words"),
        "destination": fill_entity(
            page,
            sentence,
            anchor,
            "destination",
            {"entity": ["country"], "role": "destination", "reach": "paragraph"},
            frozenset({"us", "usa", "united-states"}),
        ),
        "date": fill_time(page, sentence, anchor, "date", {}),
    }
    towards = _TOWARDS_CHINA.search(page.words(sentence))
    if towards is not None and slots["destination"].by in {"asked", "discourse"}:
        at = page.sentences[sentence].start
        slots["destination"] = Slot(
            "destination", "china", towards.group(), at + towards.start(), at + towards.end(), 0.85, "words"
        )
    return Claim(
        "",
        "rule_state",
        min(start, anchor[0]),
        max(end, anchor[1]),
        sentence,
        modality(page, sentence, anchor),
        page.sentences[sentence].attribution,
        slots,
        0.7,
    )


_COMPARED = _by_script(
    {
        "memory": {
            "ko": r"메모리(?:가|는|도|를)?[^.,]{0,8}(?:더 ?크|더 ?많|큰|많은|작|적)",
            "en": r"(?:more|larger|bigger|less|smaller) memory",
            "zh": r"(?:内存|显存|記憶體)[^，。]{0,4}(?:更大|更小|大于)",
        },
        "power": {
            "ko": r"전력[^.,]{0,8}(?:더 ?크|더 ?많|더 ?높|작|적|낮)|전력을 소모",
            "en": r"(?:more|less|higher|lower) power|(?:consumes?|uses?|draws?) (?:more|less)|power[- ]hungry",
            "zh": r"(?:功耗|耗电|耗電)[^，。]{0,4}(?:更高|更大|更低)",
        },
        "efficiency": {
            "ko": r"(?:에너지|전력) ?효율[^.,]{0,6}(?:더 ?높|더 ?낮|낮|높|떨어|좋|나쁘)|전성비[^.,]{0,6}(?:높|낮)",
            "en": r"(?:less|more) (?:energy|power)[- ]efficient|(?:energy|power) efficiency is (?:lower|higher|worse)",
            "zh": r"(?:能效|能源效率)(?:比)?[^，。]{0,4}(?:更高|更低|较低|较高|不及)",
        },
        "performance": {
            "ko": r"성능[^.,]{0,14}(?:뛰어넘|능가|앞서|우수|높은|버금가|필적|더 ?낮|뒤지|떨어지)|더 ?높은 성능|더 "
            r"?강력한 성능|필적",
            "en": r"outperform\w*|(?:more|less) powerful|beats?\b|surpass\w*|rivals?\b|faster than|slower than|"
            r"match(?:es|ed)? (?:the )?(?:performance|nvidia)",
            "zh": r"性能[^，。]{0,6}(?:超过|超過|优于|優於|媲美|更强|更強|不及)|(?:超越|媲美)",
        },
    }
)
_LESS = re.compile(
    r"작|적[은다고]|낮|나쁘|떨어|\bworse\b|较低|뒤지|떨어지|\bless\b|smaller|lower|slower|更小|更低|不及"
)
_EQUAL = re.compile(r"버금|필적|rival|match|媲美")


def _comparisons(page: Page) -> list[Claim]:
    """Sentences that set two chips or systems against each other without a figure."""
    claims = []
    for number, sentence in enumerate(page.sentences):
        if sentence.dropped:
            continue
        things = [i for i in page.places["entities"][number] if is_kind(page.found.entities[i], ("chip", "system"))]
        if not things:
            continue
        lang = page.scripts[number]
        for attribute, by in _COMPARED.items():
            match = by[lang].search(page.words(number))
            if match:
                claims.append(_comparison(page, number, attribute, match))
    return claims


def _comparison(page: Page, sentence: int, attribute: str, match: re.Match[str]) -> Claim:
    span = page.sentences[sentence]
    at = (span.start + match.start(), span.start + match.end())
    direction = "equal" if _EQUAL.search(match.group()) else "less" if _LESS.search(match.group()) else "more"
    ordered = page.scripts[sentence] in {"en", "zh"}
    other = {
        "entity": ["chip", "system", "product-line"],
        "prefer": ["system", "chip"],
        "role": "after" if ordered else "other",
    }
    against = fill_entity(page, sentence, at, "against", other, frozenset())
    taken = frozenset({str(against.value)}) if against.value else frozenset()
    rule = {
        "entity": ["chip", "system"],
        "prefer": ["system"],
        "role": "before" if ordered else "subject",
        "reach": "paragraph",
    }
    slots = {
        "item": fill_entity(page, sentence, at, "item", rule, taken),
        "against": against,
        "attribute": Slot("attribute", attribute, match.group(), *at, 0.8, "words"),
        "direction": Slot("direction", direction, match.group(), *at, 0.8, "words"),
    }
    return Claim("", "comparison", *at, sentence, modality(page, sentence, at), span.attribution, slots, 0.55)


_HAPPENED = _by_script(
    {
        "released": {
            "ko": r"출시|공개(?:했|한|하)|선보|내놓|발표(?:했|한|하)|개발(?:했|한|,|하)",
            "en": r"releas\w*|launch\w*|unveil\w*|introduc\w*|announc\w*|debut\w*|develop(?:ed|s)|published",
            "zh": r"发布|發布|發佈|推出|发表|發表|公布|公佈|亮相|研发出|开发出",
        },
        "listed": {
            "ko": r"상장(?:했|됐|한|하)",
            "en": r"\b(?:listed|went public|made its (?:market |trading )?debut|began trading|IPO)\b",
            "zh": r"上市|挂牌|掛牌",
        },
        "took effect": {
            "ko": r"(?:시행|발효)(?:됐|된|되|에 들어)",
            "en": r"\b(?:took effect|came into (?:force|effect)|entered into force|became effective)\b",
            "zh": r"(?:正式)?(?:生效|施行|实施)",
        },
        "happened": {
            "ko": r"열린|열고|개최|승인(?:했|하)|서명|체결|중단(?:했|하)|재개|합의|지정|착수|시작|폐쇄|금지|통제(?:했|하기)|"
            r"제한(?:했|하기)|차단(?:했|하기)|막(?:았|기로|은 데)|철회(?:했|하기)|취소(?:했|하기)|부과(?:했|하기)|"
            r"유예(?:했|하기)|등재(?:했|하기)",
            "en": r"\b(?:held|signed|approved|agreed|halted|resumed|began|started|banned|met|summoned|charged|"
            r"imposed|issued|revoked|restricted|blocked|barred|lifted|suspended)\b",
            "zh": r"举行|舉行|签署|簽署|批准|达成|達成|暂停|恢复|启动|啟動|约谈|約談|撤销|撤銷|实施了|實施了|禁止了",
        },
    }
)


def _events(page: Page) -> list[Claim]:
    """Dated sentences about something released, announced or done by somebody the fact base knows."""
    claims: list[Claim] = []
    for number, sentence in enumerate(page.sentences):
        times = [
            i
            for i in page.places["times"][number]
            if i not in page.report_times and _past(page, i) and not opens(page.text, *_time_span(page, i))
        ]
        if sentence.dropped or not times:
            continue
        lang, text = page.scripts[number], page.words(number)
        things = [i for i in page.places["entities"][number] if is_kind(page.found.entities[i], _ACTORS)]
        for action, by in _HAPPENED.items():
            told = (
                [_event(page, number, action, match, times, things) for match in by[lang].finditer(text)]
                if things
                else []
            )
            if told:
                # One for each day the sentence names: the nearest word says what happened on it.
                days = {claim.slots["date"].time: claim for claim in reversed(told)}
                claims.extend(days[day] for day in sorted(days, key=lambda day: day or 0))
                break
    return claims


def _time_span(page: Page, time: int) -> tuple[int, int]:
    return page.found.times[time].start, page.found.times[time].end


_ACTORS = (
    "chip",
    "product",
    "system",
    "model",
    "organisation",
    "programme",
    "event",
    "product-line",
    "person",
    "government",
    "document",
)


def _past(page: Page, index: int) -> bool:
    """Whether a date is narrow enough to be an event's: a day to a quarter, or a loose "early this year"."""
    time = page.found.times[index]
    return (time.value is not None and time.grain in {"minute", "day", "week", "month", "quarter"}) or bool(
        time.low
        and time.high
        and time.grain == "year"
        and time.low[:7] != f"{time.low[:4]}-01-x"
        and re.search(r"초|말|early|late|初|底|末", time.surface)
    )


def _event(page: Page, sentence: int, action: str, match: re.Match[str], times: list[int], things: list[int]) -> Claim:
    span = page.sentences[sentence]
    at = (span.start + match.start(), span.start + match.end())
    time = min(times, key=lambda i: page.gap(_time_span(page, i), at))
    place = _time_span(page, time)
    actor = fill_entity(
        page,
        sentence,
        at,
        "actor",
        {"entity": ["organisation", "government", "person"], "role": "subject", "reach": "sentence"},
        frozenset(),
    )
    items = [
        i
        for i in things
        if is_kind(page.found.entities[i], ("chip", "system", "model", "programme", "event", "product-line"))
    ]
    slots = {
        "actor": actor,
        "action": Slot("action", action, match.group(), *at, 0.7, "words"),
        "date": time_slot("date", page, time, 0.8, "proximity"),
    }
    if items:
        nearest = min(items, key=lambda i: page.gap((page.found.entities[i].start, page.found.entities[i].end), at))
        slots["item"] = entity_slot("item", page, nearest, 0.7, "proximity")
    also = tuple(dict.fromkeys(page.found.entities[i].id for i in things if page.found.entities[i].id))
    slots["with"] = Slot("with", also, "", None, None, 0.6, "type")
    return Claim(
        "",
        "event",
        min(place[0], at[0]),
        max(place[1], at[1]),
        sentence,
        modality(page, sentence, at),
        span.attribution,
        slots,
        0.5,
    )


_MADE = {
    "ko": re.compile(
        r"^[^.]{0,14}?(?:의|(?:이|가) (?:개발|지원|만든|내놓|출시|공개|설계|투자)(?:한|하는|했)?)\s?[‘'“\"]?$"
    ),
    "en": re.compile(
        r"^(?:'s|’s)\s(?:new |latest |own )?[\"“'‘]?$|^[- ]?(?:backed|made|built|developed|designed)[\s\"“'‘]+$"
    ),
    "zh": re.compile(r"^(?:的|支持的|开发的|開發的|研发的|推出的|旗下的?)[“「]?$"),
}


def _makers(page: Page) -> list[Claim]:
    """Who is said to stand behind a model, chip or system, where a company is named right before it."""
    claims = []
    for number, sentence in enumerate(page.sentences):
        if sentence.dropped:
            continue
        here = page.places["entities"][number]
        for index in here:
            mention = page.found.entities[index]
            if not is_kind(mention, ("model", "chip", "system")) or mention.how == "typo":
                continue
            owners = _owners(page, number, here, index)
            if owners:
                claims.append(_maker(page, number, index, owners))
    return claims


def _owners(page: Page, sentence: int, here: list[int], item: int) -> list[int]:
    lang, mention = page.scripts[sentence], page.found.entities[item]
    before = [
        i
        for i in here
        if is_kind(page.found.entities[i], ("company",)) and 0 <= mention.start - page.found.entities[i].end <= 24
    ]
    for index in reversed(before):
        if _MADE[lang].match(page.text[page.found.entities[index].end : mention.start]):
            owner = page.found.entities[index]
            joined = [
                i
                for i in here
                if is_kind(page.found.entities[i], ("company",))
                and re.fullmatch(r"(?:와|과|,| and|、|和)\s?", page.text[page.found.entities[i].end : owner.start])
            ]
            return [*joined, index]
    return []


def _maker(page: Page, sentence: int, item: int, owners: list[int]) -> Claim:
    mention, first = page.found.entities[item], page.found.entities[owners[0]]
    between = page.text[page.found.entities[owners[-1]].end : mention.start]
    relation = "backed" if re.search(r"지원|투자|backed|支持", between) else "made"
    slots = {
        "item": entity_slot("item", page, item, 0.9, "type"),
        "makers": Slot(
            "makers",
            tuple(page.found.entities[i].id for i in owners),
            page.text[first.start : page.found.entities[owners[-1]].end],
            first.start,
            page.found.entities[owners[-1]].end,
            0.7,
            "proximity",
            entity=owners[0],
        ),
        "relation": Slot("relation", relation, between.strip(), confidence=0.7, by="words"),
    }
    at = (first.start, mention.end)
    return Claim(
        "", "maker", *at, sentence, modality(page, sentence, at), page.sentences[sentence].attribution, slots, 0.5
    )
