"""Questions to the rooms, each a call that a notebook or an assistant makes."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chipweir.errors import InputError
from chipweir.i18n import _, language, use_language
from chipweir.library._answer import Answer, Source, sources_of
from chipweir.library._documents import plain
from chipweir.library._words import MATCHED, QUANTITIES, SPECIFICATIONS


if TYPE_CHECKING:
    from collections.abc import Iterator

    from chipweir.facts import Facts
    from chipweir.rules import Book

Directories = Sequence[Path | str]


@contextmanager
def _asking(lang: str | None, facts: Directories, as_of: str | None = None) -> "Iterator[Facts]":
    """The language of the answer, and the facts in force while it is made."""
    from chipweir import facts as room

    with ExitStack() as held:
        held.enter_context(use_language(lang or language()))
        known = room.load(tuple(map(Path, facts)), as_of=as_of)
        if facts or as_of:
            held.enter_context(room.in_force(known))
        yield known


def show(
    name: str,
    *,
    measure: str | None = None,
    since: str | None = None,
    until: str | None = None,
    as_of: str | None = None,
    facts: Directories = (),
    lang: str | None = None,
) -> Answer:
    """Everything known about one thing (a chip, system, model, firm, country, measure, fact) under any of its names.

    Rows are quantity, value, range, unit, period, source. Raises `UnknownName` or `AmbiguousName` with the candidates.
    """
    from chipweir.facts._show import describe

    with _asking(lang, facts, as_of) as known:
        asked = (measure, since, until) != (None, None, None)
        kept = known.select(measure=measure, start=since, end=until) if asked else None
        page = describe(known, name, None if kept is None else {fact.id for fact in kept})
        record = plain(page)
        rows = [*_value_rows(page), *_fact_rows(page)]
        named = [_source(key, entry) for key, entry in page.get("sources", {}).items()]
        title = str(page.get("title") or page["record"].get("name") or page["record"].get("id", name))
        disagree = _("Sources disagree")
        conflicts = [f"{disagree}: {each['quantity']}" for each in page.get("conflicts", ())]
        columns = (_("quantity"), _("value"), _("range"), _("unit"), _("period"), _("source"))
        headline = _("{title}: {count} numbers on record", title=title, count=len(rows))
        return Answer("facts", headline, columns, tuple(rows), record, tuple(named), (*_facts_limits(), *conflicts))


def _facts_limits() -> tuple[str, ...]:
    return (_("Numbers are as their sources gave them; class and confidence say how surely, rumours are marked."),)


def _source(key: str, entry: Mapping[str, Any]) -> Source:
    kept = {name: str(entry.get(name) or "") for name in ("title", "publisher", "url", "published", "cls")}
    return Source(key, **{**kept, "title": kept["title"] or key})


def _value_rows(page: Mapping[str, Any]) -> list[tuple[str, ...]]:
    return [
        _value_row(_(SPECIFICATIONS.get(quantity, quantity)), value, value.get("as_of", ""))
        for quantity, values in page.get("values", {}).items()
        for value in values
    ]


def _fact_rows(page: Mapping[str, Any]) -> list[tuple[str, ...]]:
    return [
        _value_row("; ".join(filter(None, (fact["title"], fact.get("item", "")))), fact["value"], fact["when"])
        for fact in page.get("facts", ())
    ]


def _value_row(name: str, value: Mapping[str, Any], when: str) -> tuple[str, ...]:
    low, high = value.get("low"), value.get("high")
    span = (
        " – ".join("" if bound is None else f"{bound:,.6g}" for bound in (low, high))
        if (low, high) != (None, None)
        else ""
    )
    best = value.get("best")
    return name, "" if best is None else f"{best:,.6g}", span, value.get("unit", ""), when, value.get("source", "")


def licence(
    item: str | Mapping[str, Any],
    to: str,
    *,
    on: str | None = None,
    as_of: str | None = None,
    rules: Directories = (),
    facts: Directories = (),
    trace: bool = False,
    lang: str | None = None,
    **shipment: Any,
) -> Answer:
    """May `item` (a chip's name or its numbers) go `to` a country on a day, and how would an application be looked at?

    Further fields of the shipment (`end_user`, `via`, `exporter`, `hq`, `quantity`, `regime`, ...) go by their names.
    Unknown is an answer. Not legal advice. Raises `InputError` and `UnknownName`.
    """
    from chipweir import rules as room
    from chipweir.rules import disclaimer, flips, memo

    with _asking(lang, facts):
        book = room.with_overlays(tuple(map(Path, rules)), as_of=as_of)
        fields = {"item": item, "to": to, **({"export_date": on or as_of} if on or as_of else {}), **shipment}
        decision = room.decide(fields, book, trace=trace)
        brief = memo(decision, flips(room.Shipment.of(fields), decision, book), book)
        record = decision.to_dict(trace=trace) | {"memo": brief.to_dict()}
        rows = [tuple(line.split(": ", 1)) for line in brief.lines()[1:]]
        headline = brief.answer
        verified = _("The rules were checked against their sources up to {day}.", day=decision.verified_until)
        assumed = [_("Assumed: {what}", what=each) for each in decision.assumptions]
        cited = _rule_sources(book, (decision.basis, *(found.rule for found in decision.requirements)))
        limits = (disclaimer(), verified, *assumed)
        columns = (_("question"), _("answer"))
        return Answer("licence", headline, columns, tuple(rows), plain(record), cited, limits, decision)


def classify(
    item: str | Mapping[str, Any],
    *,
    on: str | None = None,
    as_of: str | None = None,
    rules: Directories = (),
    facts: Directories = (),
    lang: str | None = None,
) -> Answer:
    """The control classification of a chip or of numbers (`{"tpp": 4800, "die_mm2": 800}`), and the line nearest to it."""
    from chipweir import rules as room
    from chipweir.rules import disclaimer

    with _asking(lang, facts):
        book = room.with_overlays(tuple(map(Path, rules)), as_of=as_of)
        found = room.classify(item, on or as_of, book)
        record = plain(found.to_dict())
        tests = [row for row in record["trace"] if row.get("test")]
        rows = tuple((row["rule"], row["test"], room.term("answer", row["outcome"])) for row in tests)
        headline = _(
            "{name} on {day}: {eccn}", name=record["item"], day=record["on"], eccn=record["eccn"].replace("_", " ")
        )
        cited = _rule_sources(book, (record["basis"], *(row["rule"] for row in tests)))
        assumed = [_("Assumed: {what}", what=each) for each in record["assumptions"]]
        columns = (_("rule"), _("test"), _("outcome"))
        return Answer("classification", headline, columns, rows, record, cited, (disclaimer(), *assumed), found)


def _rule_sources(book: "Book", names: Iterable[str]) -> tuple[Source, ...]:
    """The instruments and documents behind rules, in the order in which the rules are named."""
    from chipweir.rules import ecfr, title_of

    laws: list[Any] = [*book.requirements, *book.paragraphs]
    entries = {entry.id: entry for entry in laws}
    found: dict[str, Source] = {}
    for name in dict.fromkeys(part for each in names for part in each.split(", review ")):
        entry = entries.get(name)
        instrument = book.instruments.get(name.partition("/")[0])
        if entry is None and instrument is None:
            continue
        cited = [key for each in (entry, instrument) if each is not None for key in each.sources]
        section = getattr(entry, "cfr", "") or ""
        title = title_of(book, name, language()) or name
        day = str(instrument.known_by) if instrument is not None else ""
        found[name] = Source(
            name, f"{section}: {title}" if section else title, url=ecfr(section), published=day, cls="law"
        )
        for key in cited:
            text = book.sources.get(key, key)
            address = next((word.strip("().,;") for word in text.split() if word.startswith("http")), "")
            found.setdefault(key, Source(key, text, url=address, cls="law"))
    return tuple(found.values())


def estimate(
    model: str,
    on: str,
    *,
    target_tpot_ms: float | None = None,
    concurrency: float | None = None,
    facts: Directories = (),
    lang: str | None = None,
    **options: Any,
) -> Answer:
    """Serving `model` `on` a chip or system: speed, latency, power, energy and cost, each a median with its 80 % interval.

    Without a target or a load, 50 ms per output token are kept, as the command does. Further options are those of
    `chipweir.perf.estimate`. Raises `UnknownName`, and `InputError` for what does not fit.
    """
    from chipweir import perf

    with _asking(lang, facts) as known:
        if target_tpot_ms is None and concurrency is None:
            target_tpot_ms = 50.0
        found = perf.estimate(model, on, target_tpot_ms=target_tpot_ms, concurrency=concurrency, **options)
        record = plain(found.record())
        record.pop("operators", None)
        quantities = {
            **found.quantities,
            **{k: v for k, v in found.cost.items() if isinstance(v, Mapping) and "p50" in v},
        }
        rows = tuple(
            (_(QUANTITIES.get(name, name)), f"{q['p50']:,.4g}", f"{q['p10']:,.4g} – {q['p90']:,.4g}")
            for name, q in quantities.items()
        )
        headline = _(
            "{model} ({dtype}) on {chips} x {chip}: {tokens} output tokens/s per chip (80 % {low} – {high})",
            model=found.model,
            dtype=found.dtype,
            chips=found.chips,
            chip=found.chip,
            **{
                name: f"{found.quantities['output_tok_s_chip'][level]:,.3g}"
                for name, level in (("tokens", "p50"), ("low", "p10"), ("high", "p90"))
            },
        )
        limits = (_engine_limits(), *found.notes)
        columns = (_("quantity"), _("median"), _("80 % interval"))
        return Answer("estimate", headline, columns, rows, record, _product_sources(known, on), limits, found)


def match(
    a: str, b: str, model: str = "DeepSeek-V3.1", *, facts: Directories = (), lang: str | None = None, **options: Any
) -> Answer:
    """How many of `a` do the job of one `b`, measure by measure: there is no single answer. Raises `UnknownName`."""
    from chipweir import perf

    with _asking(lang, facts) as known:
        found = perf.match(a, b, model, **options)
        record = plain(found.record())
        rows = tuple(
            (_(MATCHED[m.quantity]), *(f"{value:,.4g}" for value in (m.a, m.b)), _(m.unit), f"{m.needed:,.3g}", m.note)
            for m in found.measures
        )
        decode = next(m for m in found.measures if m.quantity == "decode")
        headline = _(
            "{a} for one {b}, {model}: {needed} by decode at {tpot:g} ms",
            a=found.a, b=found.b, model=found.model, needed=f"{decode.needed:,.3g}", tpot=found.tpot_s * 1e3,
        )  # fmt: skip
        columns = (_("quantity"), "A", "B", _("unit"), _("A for one B"), _("note"))
        cited = tuple(dict.fromkeys((*_product_sources(known, a), *_product_sources(known, b))))
        return Answer("match", headline, columns, rows, record, cited, (_engine_limits(),), found)


def _engine_limits() -> str:
    return _(
        "Rooflines with efficiencies fitted to published measurements; the interval holds the fit's error and what "
        "datasheets leave open. Not a benchmark."
    )


def _product_sources(known: "Facts", name: str) -> tuple[Source, ...]:
    """The sources of the datasheet of a chip, or of a system and its chip; none for a made-up name."""
    from chipweir.errors import UnknownName

    try:
        system = known.system(name)
    except UnknownName:
        try:
            things: tuple[Any, ...] = (known.chip(name),)
        except UnknownName:
            return ()
    else:
        things = (system, known.chips[system.chip]) if system.chip in known.chips else (system,)
    values = {quantity: rivals[0] for thing in things for quantity, rivals in thing.values.items() if rivals}
    return sources_of(known, values)


def check(text: str, *, published: str | None = None, facts: Directories = (), lang: str | None = None) -> Answer:
    """The claims of a text (not a path), each with a verdict and the evidence for it. Raises `InputError`."""
    from chipweir import evidence

    with _asking(lang, facts) as known:
        document = evidence.document_from_text(text, published)
        found = evidence.check_document(document, known)
        record = plain(evidence.result_json(found, language()))
        claims = record["claims"]
        rows = tuple(
            (c["surface"], c["label"], evidence.term(c["verdict"], language()), c["explanation"]) for c in claims
        )
        counts = record["counts"]
        headline = _("{checked} of {total} claims checked", checked=counts["checked"], total=counts["total"])
        said = ", ".join(
            f"{evidence.term(status, language())} {counts[status]}" for status in evidence.STATUSES if counts[status]
        )
        columns = (_("claim"), _("kind"), _("verdict"), _("what is known"))
        limits = (
            _("A verdict compares words with the facts on record; what is not on record is not checkable, not false."),
            *record["warnings"],
        )
        cited = {e["id"]: _evidence_source(e) for c in claims for e in c["evidence"]}
        return Answer(
            "check", f"{headline}: {said}" if said else headline, columns, rows, record, tuple(cited.values()), limits, found
        )  # fmt: skip


def _evidence_source(entry: Mapping[str, Any]) -> Source:
    kept = {name: str(entry.get(name) or "") for name in ("url", "published", "cls")}
    note = "; ".join(filter(None, (str(entry.get("text") or ""), _("RUMOUR") if entry.get("rumour") else "")))
    return Source(entry["id"], entry.get("source") or entry["id"], note=note, **kept)


def advise(
    actor: str = "korea",
    *,
    futures: int = 200,
    seed: int = 1,
    weights: Mapping[str, float] | None = None,
    facts: Directories = (),
    out: Path | str | None = None,
    lang: str | None = None,
) -> Answer:
    """How the shipped options of `korea`, `us` or `china` fare over many futures; worlds are simulated once and stored.

    Rows are option, score, mean and largest regret, share of futures in which it is best. Raises `InputError`.
    """
    from chipweir import store, strategy
    from chipweir.library._run import keep_compiled

    with _asking(lang, facts) as known:
        if not 1 <= futures <= 100_000:
            raise InputError(f"futures {futures} is out of range; give 1 to 100000")
        options = strategy.shipped_options(actor)
        empty = strategy.empty_options(options)
        options = tuple(option for option in options if option not in empty)
        choices, criteria = strategy.shipped_choices(actor), strategy.shipped_criteria(actor)
        keep_compiled()
        order = strategy.Order(actor, options, choices, criteria, futures, seed)
        directory = store.runs_directory(Path(out) if out is not None else None)
        found = strategy.advise(strategy.run_experiments(order, known, directory), dict(weights or {}))
        said = strategy.advice_sentences(
            found, bool(weights), f"chipweir advise {actor} --futures {futures} --seed {seed}"
        )
        record = plain(strategy.advice_document(found, said))
        rows = tuple(
            (
                o["title"].get(language()) or o["title"]["en"],
                *(f"{o[name]:.3f}" for name in ("score", "mean_regret", "max_regret")),
                strategy.percent(o["best_share"]),
            )
            for o in record["options"]
        )
        columns = (_("option"), _("score"), _("mean regret"), _("largest regret"), _("best in futures"))
        cited = {r["source"]: r for o in record["options"] for r in o["judged"].values() if r.get("source")}
        sources = [_cited(known, key) for key in cited]
        sources += [_cited(known, choice["source"]) for choice in record["choices"] if choice["source"]]
        limits = (
            _("Follows from stated priors, options, criteria and weights; not a forecast and not a recommendation."),
            _("Judged criteria are shown beside the score and never in it."),
        )
        headline = said[language()][0]
        return Answer("advice", headline, columns, rows, record, tuple(dict.fromkeys(sources)), limits, found)


def _cited(known: "Facts", text: str) -> Source:
    """A source by its id, or a text that names one in words."""
    source = known.sources.get(text)
    if source is None:
        return Source(text, text)
    return Source(text, source.title, source.publisher, source.url, source.published, source.cls)
