"""Issues of sense: a text against itself, causes that are not shown, classes of things mixed."""

import re
from collections.abc import Iterator

from chipweir.evidence._frames import marked, read_data
from chipweir.evidence._issues._article import Article, Issue, Severity, find, words
from chipweir.evidence._slots import is_kind
from chipweir.evidence._verdict import Text, event_evidence


_LEGACY = words(r"레거시|성숙 ?공정|구형 ?공정", r"\blegacy\b|mature[- ]node", r"成熟制程|成熟製程|传统制程")
_STOP = words(
    r"(?:투자|공정|사업|증설)[^.]{0,14}(?:중단|철수|멈)|철수하고|철수다|단계적 철수",
    r"(?:stopp\w*|halt\w*|ceas\w*|froze|suspend\w*|withdr\w*|pull\w* out)[\w\s-]{0,40}(?:invest\w*|chin\w*|"
    r"operations|production)",
    r"(?:停止|暂停|暫停|撤出|中止)[^，。]{0,12}(?:投资|投資|中国|中國|生产)",
)
_GROW = words(
    r"\d+단에서|공정(?:으로의)? ?전환|업그레이드|증설|증산|고도화|확충",
    r"upgrad\w*|expand\w*|transition\w* (?:to|from)|convert\w*|ramp\w*|new lines?",
    r"升级|升級|扩建|擴建|扩产|擴產|转换为|轉換為",
)
_ONLY = words(
    r"분야(?:에서)?(?:의)?[^.]{0,16}만 |에만|에서만|한해",
    r"\bonly in\b|limited to|confined to|solely",
    r"仅限|僅限|只在|仅在|僅在",
)
_ALL = words(
    r"모든 분야|전 분야|모든 영역|모든 부문",
    r"\b(?:all|every) (?:fields?|areas?|sectors?|domains?)",
    r"所有领域|所有領域|各个领域|各個領域|全部领域",
)
_ILLUSION = words(
    r"['‘’\"“”]?{t}['’\"”]?(?:이라는|라는|이란)[^.]{{0,12}}(?:착각|환상|허상|신기루|미망)",
    r"(?:illusion|myth|mirage|fantasy|delusion) of (?:a |the )?{t}|{t}[\w\s]{{0,20}}(?:illusion|myth|mirage|fantasy)",
    r"{t}[^，。]{{0,8}}(?:幻想|错觉|錯覺|神话|神話)",
)
_PRICE = words(r"가격|요금|저렴|저비용", r"\bpric\w*|cheap\w*|cost of (?:its|the) API", r"价格|價格|便宜|低价|定价")
_TRAINING = words(r"훈련|학습", r"\btrain\w*", r"训练|訓練")
_RESULT = words(
    r"결과다|때문이다|덕분이다|덕분에|비결",
    r"\bbecause\b|thanks to|the result of|owing to|due to|explain\w*",
    r"因为|因為|得益于|得益於|原因(?:是|在于)|结果|結果",
)
_THEREFORE = words(
    r"^\s*(?:이에 (?!따르면|의하면|앞서|비해)|그래서|이 때문에|그 결과|따라서)",
    r"^\s*(?:As a result|Therefore|In response|Consequently|So,|That is why|This prompted)",
    r"^\s*(?:因此|为此|為此|于是|於是|作为回应|作為回應|所以)",
)
_POLICY = words(
    r"금지|통제|규제|제재|제한|관세|강화",
    r"\bban\w*|controls?|sanction\w*|restrict\w*|tariff\w*|curb\w*|tighten\w*",
    r"禁止|管制|制裁|限制|关税|關稅|收紧|收緊",
)
_LINE = words(
    r"기준선|기준|임계|규제 대상이 아닌|문턱",
    r"thresholds?|below the (?:line|limit|cap)|not (?:covered|subject)|uncontrolled|cut-?off",
    r"门槛|門檻|阈值|閾值|不受(?:管制|限制)|红线|紅線",
)
_BELOW = words(
    r"아래|밑|이하|대상이 아닌|벗어난",
    r"below|under|beneath|not (?:covered|subject)|outside|escape",
    r"低于|低於|以下|之下|不受|之外",
)
_CHINA_MADE = words(
    r"중국[^.]{0,40}(?:칩|반도체)[^.]{0,80}(?:생산|만들|제조|찍어)",
    r"chin\w+[^.]{0,60}(?:made|produc\w*|manufactur\w*|home-?grown|domestic)|made in china",
    r"中国(?:制造|生产|国产|自产)|中國(?:製造|生產)|国产|國產",
)
_EDGE = words(
    r"스마트폰|CCTV|엣지|온디바이스|가전|자동차",
    r"smartphones?|phones?|CCTV|cameras?|edge devices?|on-device|appliances",
    r"手机|手機|摄像头|攝影機|边缘|邊緣|终端|終端",
)
_SERVING = words(
    r"서버|데이터센터|대규모 언어|LLM|클라우드",
    r"servers?|data[- ]cent(?:er|re)s?|large language|LLMs?|cloud",
    r"服务器|伺服器|数据中心|資料中心|大模型|云端|雲端",
)
_INFERENCE = words(r"추론", r"inference", r"推理|推論")
_GLUT = words(
    r"공급 ?과잉|과잉 ?공급",
    r"over-?suppl\w*|glut|over-?capacity",
    r"供应过剩|供應過剩|产能过剩|產能過剩|供过于求|過剩|过剩",
)


def logic(article: Article) -> Iterator[Issue]:
    """All issues of sense in an article."""
    yield from legacy_nodes(article)
    yield from stop_and_grow(article)
    yield from only_and_all(article)
    yield from titles(article)
    yield from readings(article)
    yield from price_by_training(article)
    yield from therefore(article)
    yield from placed_beside(article)
    yield from thresholds(article)
    yield from mixed_inference(article)
    yield from glut_without_number(article)
    yield from sums(article)
    yield from variants(article)


def legacy_nodes(article: Article) -> Iterator[Issue]:
    """Capacity on an advanced node said to matter for the legacy market: the two are different lines."""
    advanced = float(read_data("background.yaml")["advanced_node_m"]["value"])
    for number, text, script in article.sentences():
        match = find(_LEGACY, text, script)
        if not match:
            continue
        sizes = [
            q.value
            for q in article.quantities_beside(number)
            if q.unit == "m" and isinstance(q.value, int | float) and 1e-9 < q.value < 1e-6
        ]
        if sizes and max(sizes) <= advanced:
            start = article.span(number)[0] + match.start()
            yield Issue(
                "internal",
                "error",
                Text("issue_legacy", {"node": float(min(sizes)) * 1e9}),
                start,
                start + len(match.group()),
            )
            return


def stop_and_grow(article: Article) -> Iterator[Issue]:
    """A firm that has stopped investing somewhere and upgrades there all the same."""
    stops, grows = [], []
    for number, text, script in article.sentences():
        owners = {m.id.split("-")[0] for m in article.mentions(number) if is_kind(m, ("organisation", "fab"))}
        before = (
            {m.id.split("-")[0] for m in article.mentions(number - 1) if is_kind(m, ("organisation", "fab"))}
            if number
            else set()
        )
        context = owners or before
        back = (
            {m.id.split("-")[0] for m in article.mentions(number - 2) if is_kind(m, ("organisation", "fab"))}
            if number > 1
            else set()
        )
        if match := find(_STOP, text, script):
            stops.append((number, match, context))
        if (match := find(_GROW, text, script)) and (re.search(r"\d", text)):
            grows.append((number, match, context or back))
    for stop, match, who in stops:
        for grow, other, whose in grows:
            if who & whose and stop != grow:
                start, at = article.span(stop)[0] + match.start(), article.span(grow)[0]
                yield Issue(
                    "internal",
                    "error",
                    Text(
                        "issue_stop_and_grow",
                        {
                            "a": match.group()[:40],
                            "b": article.text[at + other.start() : at + other.end() + 20].strip()[:40],
                        },
                    ),
                    start,
                    start + len(match.group()),
                )
                return


def only_and_all(article: Article) -> Iterator[Issue]:
    """Within a paragraph: only in some fields, then in all of them."""
    narrow: dict[int, tuple[int, re.Match[str]]] = {}
    for number, text, script in article.sentences():
        paragraph = article.page.sentences[number].paragraph
        if (match := find(_ALL, text, script)) and paragraph in narrow and narrow[paragraph][0] != number:
            start = article.span(number)[0] + match.start()
            earlier = narrow[paragraph]
            yield Issue(
                "internal",
                "error",
                Text("issue_only_and_all", {"a": earlier[1].group().strip()[:40], "b": match.group()}),
                start,
                start + len(match.group()),
            )
            return
        if match := find(_ONLY, text, script):
            narrow.setdefault(paragraph, (number, match))


def titles(article: Article) -> Iterator[Issue]:
    """A term that the headline puts forward and the text calls an illusion."""
    script = article.page.scripts[0] if article.page.scripts else "en"
    for word in _title_terms(article.title, script):
        folded = word.casefold()
        patterns = {lang: _with_term(template, word) for lang, template in _ILLUSION.items()}
        for number, text, lang in article.sentences():
            match = patterns[lang].search(text) if folded in text.casefold() else None
            if match:
                start = article.span(number)[0] + match.start()
                yield Issue(
                    "internal",
                    "warning",
                    Text("issue_title", {"term": word, "text": match.group()[:50]}),
                    start,
                    start + len(match.group()),
                )
                return


def _with_term(template: re.Pattern[str], word: str) -> re.Pattern[str]:
    return re.compile(
        template.pattern.replace("{t}", re.escape(word)).replace("{{", "{").replace("}}", "}"), template.flags
    )


def _title_terms(title: str, script: str) -> list[str]:
    if script == "ko":
        return [w for w in re.findall(r"[가-힣]{2,}", title) if len(w) >= 2][:12]
    if script == "zh":
        return re.findall(r"[\u4e00-\u9fff]{2,4}", title)[:12]
    return list(re.findall(r"[A-Za-z][a-z-]{4,}", title))[:12]


def readings(article: Article) -> Iterator[Issue]:
    """A quoted passage followed by the writer's own reading of it: the reading is not in the quotation."""
    for number, text, script in article.sentences():
        if not marked("interpretation", text, script):
            continue
        quoted = next((n for n in range(number, max(-1, number - 4), -1) if _quotes(article, n)), None)
        if quoted is None or (quoted == number and not re.search(r"[“\"'‘].+[”\"'’]", text)):
            continue
        if not _document_named(article, quoted):
            continue
        start, end = article.span(number)
        events = [event_evidence(e, article.facts) for e in _document_events(article, quoted)]
        yield Issue("interpretation", "warning", Text("issue_reading"), start, end, evidence=tuple(events[:2]))
        return


def _quotes(article: Article, sentence: int) -> bool:
    return bool(article.page.sentences[sentence].quotes) or bool(
        re.search(r"[“\"][^”\"]{12,}[”\"]", article.page.words(sentence))
    )


def _document_named(article: Article, sentence: int) -> bool:
    near = range(max(0, sentence - 2), min(len(article.page.sentences), sentence + 1))
    for n in near:
        if any(m.kind in {"law", "document", "programme"} for m in article.mentions(n)) or re.search(
            r"계획|선언문|성명|보고서|규정|법안|Plan\b|Act\b|order|report|statement|计划|聲明|声明|法案|报告",
            article.page.words(n),
        ):
            return True
    return False


def _document_events(article: Article, sentence: int) -> list[object]:
    text = " ".join(article.page.words(n) for n in range(max(0, sentence - 3), sentence + 1))
    plan = re.search(r"AI ?행동 ?계획|AI Action Plan|AI行动计划", text)
    if not plan:
        return []
    return [e for e in article.facts.events.values() if "Action Plan" in e.description]


def price_by_training(article: Article) -> Iterator[Issue]:
    """A price of serving explained by training: what a token costs is a matter of inference."""
    for number, text, script in article.sentences():
        if not (find(_TRAINING, text, script) and find(_RESULT, text, script)):
            continue
        near = range(max(0, number - 2), number + 1)
        if any(find(_PRICE, article.page.words(n), article.page.scripts[n]) for n in near) or any(
            c.frame in {"price", "price_ratio"} for n in near for c in article.claims_in(n)
        ):
            start, end = article.span(number)
            yield Issue("causal", "warning", Text("issue_price_training"), start, end)
            return


def therefore(article: Article) -> Iterator[Issue]:
    """A policy said to follow from an event: the order of dates may fit, a cause it does not show."""
    for number, text, script in article.sentences():
        if number and find(_THEREFORE, text, script) and find(_POLICY, text, script):
            earlier = [c for c in article.claims_in(number - 1) if c.frame == "event"]
            start, end = article.span(number)
            yield Issue(
                "causal-order",
                "note",
                Text("issue_therefore"),
                start,
                min(end, start + 60),
                tuple(c.id for c in earlier),
            )


def placed_beside(article: Article) -> Iterator[Issue]:
    """A share-price move of another company, without a stated cause, set at the end of a story."""
    for claim, _ in article.judged():
        if claim.frame != "stock_move" or marked(
            "causal", article.page.words(claim.sentence), article.page.scripts[claim.sentence]
        ):
            continue
        company = claim.value("company")
        heads = {m.id for m in article.mentions(0)}
        alone = len(article.paragraph(claim.sentence)) == 1
        late = claim.start > 0.8 * len(article.text)
        own = article.found.entities and company in heads and len(heads) == 1
        if alone and late and not own:
            yield Issue("implied", "note", Text("issue_implied"), claim.start, claim.end, (claim.id,))


def thresholds(article: Article) -> Iterator[Issue]:
    """Control thresholds spoken of as if they bound chips made in China."""
    for number, text, script in article.sentences():
        joined = text
        if find(_LINE, joined, script) and find(_BELOW, joined, script) and find(_CHINA_MADE, joined, script):
            start, end = article.span(number)
            match = find(_LINE, text, script)
            at = start + (match.start() if match else 0)
            yield Issue("category", "error", Text("issue_threshold"), at, min(end, at + 60))
            return


def mixed_inference(article: Article) -> Iterator[Issue]:
    """Inference in cameras and phones and inference in data centres treated as one."""
    for number, text, script in article.sentences():
        near = text if number == 0 else article.page.words(number - 1) + text
        if find(_EDGE, text, script) and find(_SERVING, text, script) and find(_INFERENCE, near, script):
            match = find(_EDGE, text, script)
            start = article.span(number)[0] + (match.start() if match else 0)
            yield Issue("category", "warning", Text("issue_inference"), start, start + 40)
            return


def glut_without_number(article: Article) -> Iterator[Issue]:
    """Oversupply claimed without one figure of supply, demand or utilisation."""
    spoken = [(n, m) for n, t, s in article.sentences() if (m := find(_GLUT, t, s))]
    figures = {"percent", "ratio"} & {q.type for q in article.found.quantities}
    counted = any(c.frame in {"units", "wafer_capacity", "share", "capacity_change"} for c in article.claims)
    if spoken and not counted and not figures:
        from chipweir.evidence._verdict import fact_evidence

        number, match = spoken[0]
        start = article.span(number)[0] + match.start()
        facts = [
            f
            for f in article.facts.facts.values()
            if f.measure in {"fab_utilisation", "compute_utilisation", "idle_share"}
            and f.entity in {"china", "smic", "china-hyperscalers"}
        ]
        yield Issue(
            "unsupported",
            "warning",
            Text("issue_glut", {"count": float(len(spoken))}),
            start,
            start + len(match.group()),
            evidence=tuple(fact_evidence(f, article.facts) for f in facts[:5]),
        )


def sums(article: Article) -> Iterator[Issue]:
    """Ratios, glosses and counts of the text that its own figures do not bear out, or only for some of them."""
    for claim, verdict in article.judged():
        if claim.frame in {"price_ratio", "count_ratio", "fx", "context_ratio", "unit_gloss"} and verdict.status in {
            "imprecise",
            "contradicted",
        }:
            severity: Severity = "error" if verdict.status == "contradicted" else "warning"
            yield Issue(
                "arithmetic",
                severity,
                Text("issue_sum", {"detail": verdict.text}),
                claim.start,
                claim.end,
                (claim.id,),
                verdict.evidence,
            )


_THINKING = re.compile(r"사고 ?예산|thinking budget|思考预算|思考預算", re.IGNORECASE)


def variants(article: Article) -> Iterator[Issue]:
    """Scores given for a model that is published in variants, without saying of which; worse where the text also
    praises what only one variant has."""
    rows = [(c, v) for c, v in article.judged() if c.frame == "score" and v.slots.get("variant") == "ambiguous"]
    if not rows:
        return
    claim, verdict = rows[0]
    ids = tuple(c.id for c, _ in rows)
    mixed = _THINKING.search(article.text) and any(_THINKING.search(e.text) for e in verdict.evidence)
    yield Issue(
        "variant-mix",
        "warning",
        Text("issue_variant_mixed" if mixed else "issue_variant", {"detail": verdict.text}),
        claim.start,
        claim.end,
        ids,
        verdict.evidence,
    )
