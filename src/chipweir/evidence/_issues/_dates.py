"""Issues of dates: none given, years that disagree, states that have passed, quarters that mean two things."""

import re
from collections.abc import Iterator

from chipweir.evidence._frames import read_data
from chipweir.evidence._issues._article import Article, Issue, find, words
from chipweir.evidence._verdict import Evidence, Text


_NOW = words(
    r"이것이|우리가|지금|현재|오늘날|이제|올해|다시금|시점",
    r"\b(?:now|today|this year|currently|at present|here in|we (?:are|must|need))\b",
    r"如今|今年|当前|當前|现在|現在|目前|此刻|我们|我們",
)
_BLANK_FIELD = re.compile(
    r"^\s*(?:입력|수정|등록|승인|게재|Published|Updated|发布时间|更新时间|發布時間)\s*:?\s*$", re.MULTILINE
)
_QUARTER = words(r"(\d)분기", r"(?:first|second|third|fourth)[- ]quarter|\bQ[1-4]\b", r"第?[一二三四1-4]季(?:度)?")


def dates(article: Article) -> Iterator[Issue]:
    """All issues of dates in an article."""
    yield from undated(article)
    yield from years(article)
    yield from passed(article)
    yield from quarters(article)


def undated(article: Article) -> Iterator[Issue]:
    """No date of publication, or one that had to be inferred: every relative date hangs on it."""
    document = article.found.document
    if document.published_basis == "explicit" and document.published:
        return
    blank = _BLANK_FIELD.search(article.text)
    start, end = (blank.start(), blank.end()) if blank else (0, 0)
    key = "issue_date_inferred" if document.published else "issue_undated"
    yield Issue(
        "metadata",
        "warning",
        Text(key, {"date": document.published or "?", "why": document.published_why or "-"}),
        start,
        end,
    )


def years(article: Article) -> Iterator[Issue]:
    """A year that the text calls its present, other than the year of its date."""
    if article.on is None:
        return
    for number, text, script in article.sentences():
        if not find(_NOW, text, script):
            continue
        for index in article.page.places["times"][number]:
            time = article.found.times[index]
            if (
                time.grain != "year"
                or not re.fullmatch(r"\d{4}", time.value or "")
                or not re.search(r"\d{4}", time.surface)
            ):
                continue
            near = article.text[max(article.span(number)[0], time.start - 12) : time.end + 12]
            if (
                time.value != article.on[:4]
                and abs(int(time.value or 0) - int(article.on[:4])) <= 3
                and find(_NOW, near, script)
                and not re.search(r"까지|목표|by |until|到|before|after|이후|부터|since", near)
            ):
                yield Issue(
                    "metadata",
                    "error",
                    Text("issue_year", {"text": time.value, "date": article.on}),
                    time.start,
                    time.end,
                )


def passed(article: Article) -> Iterator[Issue]:
    """What the checks call stale or off by days: rules that had changed, events placed elsewhere, windows that count
    back from another report."""
    for claim, verdict in article.judged():
        if claim.frame == "rule_state" and verdict.status == "stale":
            yield Issue(
                "as-of",
                "error",
                Text("issue_stale_rule", {"detail": verdict.text}),
                claim.start,
                claim.end,
                (claim.id,),
                verdict.evidence,
            )
        elif claim.frame == "event" and verdict.status in {"imprecise", "contradicted"} and _off(verdict) >= 2:
            yield Issue(
                "as-of",
                "warning",
                Text("issue_event_date", {"detail": verdict.text}),
                claim.start,
                claim.end,
                (claim.id,),
                verdict.evidence,
            )
        elif (
            claim.frame == "flow"
            and verdict.slots.get("window") in {"stale", "ambiguous"}
            and _relayed(article, claim.sentence)
        ):
            yield Issue("as-of", "warning", Text("issue_window"), claim.start, claim.end, (claim.id,), verdict.evidence)
        elif claim.frame == "duration" and verdict.status == "contradicted":
            yield Issue(
                "metadata",
                "error",
                Text("issue_duration", {"detail": verdict.text}),
                claim.start,
                claim.end,
                (claim.id,),
                verdict.evidence,
            )


def _off(verdict: object) -> float:
    numbers = getattr(verdict, "numbers", ())
    return numbers[0].value if numbers else 0.0


def _relayed(article: Article, sentence: int) -> bool:
    return bool(article.page.sentences[sentence].attribution or article.found.document.relays) or article.on is None


def quarters(article: Article) -> Iterator[Issue]:
    """A quarter of a firm whose fiscal year is not the calendar year, named without saying which is meant."""
    fiscal = read_data("background.yaml")["fiscal_year_ends"]
    for claim, _ in article.judged():
        if claim.frame not in {"revenue", "growth"}:
            continue
        who = claim.value("company") or claim.value("who")
        match = find(_QUARTER, article.page.words(claim.sentence), article.page.scripts[claim.sentence])
        if (
            who not in fiscal
            or not match
            or re.search(r"회계|fiscal|FY|财年|財年|달력|calendar", article.page.words(claim.sentence))
        ):
            continue
        row = fiscal[who]
        start = article.span(claim.sentence)[0] + match.start()
        yield Issue(
            "label",
            "warning",
            Text("issue_quarter", {"who": _name(article, who), "month": float(row["month"])}),
            start,
            start + len(match.group()),
            (claim.id,),
            (
                Evidence(
                    "fact",
                    f"fiscal-{who}",
                    f"fiscal year ends in month {row['month']}",
                    row["source"],
                    confidence=row["confidence"],
                ),
            ),
        )


def _name(article: Article, identifier: str) -> str:
    from chipweir.evidence._checks._context import name_of

    return name_of(article.facts, identifier)
