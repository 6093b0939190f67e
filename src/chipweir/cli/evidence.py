"""Commands of the evidence room: check articles, review claims."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from chipweir.cli import _tables
from chipweir.cli._common import FactsOption, JsonOption, LangOption, print_json
from chipweir.errors import InputError


def check_command(
    sources: Annotated[
        list[str],
        typer.Argument(
            help="Text, Markdown, HTML, PDF, DOCX or feed files, addresses, or - for standard input.",
            metavar="FILE|URL|-...",
        ),
    ],
    published: Annotated[
        str | None,
        typer.Option("--published", help="The article's date (YYYY-MM-DD) where it says none or a wrong one."),
    ] = None,
    lang: LangOption = "en",
    as_json: JsonOption = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write brief.md, brief.html, result.json into a folder here.")
    ] = None,
    export: Annotated[
        str | None,
        typer.Option(
            "--export", help="Decided claims on stdout as claimreview (schema.org) or annotation (W3C), JSON-LD."
        ),
    ] = None,
    run: Annotated[
        list[Path] | None,
        typer.Option(
            "--run", help="A stored run in which scenario pairs are looked up (repeatable); default: all stored ones."
        ),
    ] = None,
    simulate: Annotated[
        int | None,
        typer.Option("--simulate", help="Simulate the scenario pairs with this many members (a minute or more)."),
    ] = None,
    ledger: Annotated[Path | None, typer.Option("--ledger", help="Ledger of claims to read and to append to.")] = None,
    facts: FactsOption = None,
    evaluate: Annotated[
        bool, typer.Option("--eval", help="Score against an annotated ledger: --eval LEDGER.yaml ARTICLES_DIR.")
    ] = False,
    llm: Annotated[
        bool, typer.Option("--llm", help="Let a language model propose claims (CHIPWEIR_LLM_URL, _MODEL, _KEY).")
    ] = False,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Fetch private and loopback addresses too.")
    ] = False,
) -> None:
    """Check what articles claim: figures, claims, verdicts, and a brief in Korean or English."""
    from chipweir.i18n import use_language

    with use_language(lang), _collecting_rarely():
        if evaluate:
            _evaluate(sources, as_json)
            return
        if export is not None:
            _known_format(export)
        checked, changes, earlier = _check(
            sources, published, out, run, simulate, ledger, facts, llm, allow_private, lang
        )
        if export is not None:
            _export(checked, export, lang)
        else:
            _print(checked, changes, earlier, lang, as_json, ledger is not None)


@contextmanager
def _collecting_rarely() -> Iterator[None]:
    """Records of an article hold no cycles: looking for them after every 700 new ones takes a tenth of the time."""
    usual = gc.get_threshold()
    gc.set_threshold(100_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def _check(
    sources: list[str],
    published: str | None,
    out: Path | None,
    run: list[Path] | None,
    simulate: int | None,
    ledger: Path | None,
    facts: list[Path] | None,
    llm: bool,
    allow_private: bool,
    lang: str,
) -> tuple[list[Any], list[Any], list[Any]]:
    """The articles checked, the verdicts that changed, and for each article what the ledger holds on the same things."""
    from chipweir import evidence
    from chipweir import facts as known

    base = known.load(tuple(facts or ()))
    book = evidence.read_ledger(ledger) if ledger is not None else None
    proposer = evidence.proposer_from_environment() if llm else None
    runs = _runs(run, simulate, base)
    checked, changes, earlier = [], [], []
    for source in sources:
        for document in evidence.read_all(source, published, allow_private=allow_private):
            name = Path(source).name if source != "-" else "-"
            one = evidence.check_document(document, base, runs, name, proposer, book)
            checked.append(one)
            if book is not None:
                earlier.append(evidence.earlier(one, book))
                book, changed = evidence.record(book, one)
                changes += changed
            if out is not None:
                model = proposer.model if proposer is not None else "none"
                for path in evidence.write_brief(one, out, lang, model):
                    typer.echo(str(path), err=True)
    return checked, changes, earlier


def _known_format(name: str) -> None:
    from chipweir import evidence

    if name not in evidence.FORMATS:
        raise InputError(f"--export '{name}': one of {', '.join(evidence.FORMATS)}")


def _export(checked: list[Any], name: str, lang: str) -> None:
    from chipweir import evidence

    pages = [evidence.exported(one, name, lang) for one in checked]
    print_json(pages[0] if len(pages) == 1 else pages)


def _runs(names: list[Path] | None, members: int | None, base: Any) -> Any:
    """Results for scenario pairs: named runs, fresh ones, or whatever runs are stored."""
    from chipweir import evidence

    if members is not None:
        return lambda tags: evidence.simulate_pairs(tags, members, base)
    return evidence.open_runs(names) if names else evidence.stored_runs()


def _print(
    checked: list[Any], changes: list[Any], earlier: list[Any], lang: str, as_json: bool, with_ledger: bool
) -> None:
    from dataclasses import asdict

    from chipweir import evidence

    if as_json:
        document = evidence.result_json(checked[0], lang) if len(checked) == 1 else evidence.results_json(checked, lang)
        if with_ledger:
            document["changes"] = [asdict(change) for change in changes]
            for place, rows in zip(document.get("documents", [document]), earlier, strict=True):
                place["earlier"] = [asdict(row) for row in rows]
        print_json(document)
        return
    for place, one in enumerate(checked):
        _tell(evidence.result_json(one, lang), lang)
        for row in earlier[place] if earlier else ():
            typer.echo(_earlier_line(row, lang))
    if len(checked) > 1:
        for issue in evidence.results_json(checked, lang)["across"]:
            typer.echo(f"• [{issue['label']}] {issue['text']}")
    for change in changes:
        typer.echo(f"changed ({change.why}): “{change.surface}” {change.before} → {change.after}")


_RELATIONS = {
    "agrees": ("agrees with", "일치"),
    "repeats": ("repeats the source of", "같은 출처"),
    "differs": ("differs from", "불일치"),
}


def _earlier_line(row: Any, lang: str) -> str:
    """One line on a claim of an earlier article."""
    title, day = _plain(row.title), row.published or "?"
    if lang == "ko":
        return (
            f"↔ {row.claim} {_RELATIONS[row.relation][1]}: {title} ({day}) “{row.surface}” · 독립 출처 {row.sources}곳"
        )
    return (
        f"↔ {row.claim} {_RELATIONS[row.relation][0]} {title} ({day}): “{row.surface}” · "
        f"independent sources: {row.sources}"
    )


def _tell(record: dict[str, Any], lang: str) -> None:
    from rich.markup import escape

    from chipweir import evidence

    document, counts = record["document"], record["counts"]
    console = _tables.console()
    date = document["published"] or "?"
    console.print(
        f"[bold]{escape(_plain(document['title']))}[/bold]  {date} ({document['published_basis']}) · {document['tier']}"
    )
    words = ", ".join(
        f"{evidence.term(status, lang)} {counts[status]}" for status in evidence.STATUSES if counts[status]
    )
    console.print(f"{counts['checked']}/{counts['total']}: {words}")
    rows = [
        (
            c["id"],
            _plain(c["surface"])[:44],
            c["label"],
            evidence.term(c["verdict"], lang),
            evidence.term(c["deciding_slot"], lang) or "",
            _plain(c["explanation"]),
        )
        for c in record["claims"]
    ]
    heads = (
        ("", "기사 표현", "유형", "판정", "항목", "내용")
        if lang == "ko"
        else ("", "words", "kind", "verdict", "decides", "what is known")
    )
    _tables.show(heads, rows)
    for issue in record["issues"]:
        console.print(
            f"• [{evidence.term(issue['severity'], lang)}] {issue['label']}: {_plain(issue['text'])}", markup=False
        )
    for tag in {tag["mechanism"]: tag for tag in record["scenarios"]}.values():
        if tag["mechanism"]:
            console.print(f"→ {tag['title']}: {tag['explanation']}", markup=False)
    for line in record["warnings"]:
        typer.echo(f"chipweir: {line}", err=True)


def _plain(text: str) -> str:
    return "".join(ch for ch in " ".join(str(text).split()) if ch.isprintable())


def _evaluate(sources: list[str], as_json: bool) -> None:
    from chipweir import evidence

    if len(sources) != 2:
        raise InputError("--eval takes two arguments: the ledger (YAML) and the folder of its articles")
    scores = evidence.score_ledger(Path(sources[0]), Path(sources[1]))
    if as_json:
        print_json(scores)
        return
    for name, value in scores["total"].items():
        if not isinstance(value, list | dict):
            typer.echo(
                f"{name.replace('_', ' '):32} {value:.3f}"
                if isinstance(value, float)
                else f"{name.replace('_', ' '):32} {value}"
            )
    for line in scores["missed_issues"]:
        typer.echo(f"not reported: {line}")


def review_command(
    ledger: Annotated[Path, typer.Argument(help="A ledger that `chipweir check --ledger` wrote.")],
    accept: Annotated[list[str] | None, typer.Option("--accept", help="A claim to confirm (repeatable).")] = None,
    reject: Annotated[list[str] | None, typer.Option("--reject", help="A claim to reject (repeatable).")] = None,
    fix: Annotated[
        list[str] | None, typer.Option("--fix", help="CLAIM:SLOT=VALUE to set by hand (repeatable).")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Go through proposed claims: accept, fix a slot, reject. Answers may come from a terminal, a pipe or options."""
    from chipweir import evidence

    book = evidence.load_ledger_for_review(ledger)
    chosen = [(key, "confirmed", None) for key in accept or ()] + [(key, "rejected", None) for key in reject or ()]
    for text in fix or ():
        key, mark, pair = text.rpartition(":")
        if not mark:
            raise InputError(f"--fix '{text}': expected CLAIM:SLOT=VALUE")
        chosen.append((key, "confirmed", evidence.parse_fixes([pair])))
    for key, _, _ in chosen:
        evidence.find_claim(book, key)
    for key, state, fixes in chosen:
        book = evidence.decide_claim(book, key, state, fixes)
    if not chosen and not as_json:
        book = evidence.review(book, _ask, lambda text: typer.echo(text, err=True))
    summary = evidence.review_summary(book)
    if as_json:
        print_json(summary)
    else:
        states = ", ".join(f"{name} {count}" for name, count in summary["states"].items())
        typer.echo(f"{summary['claims']} claims: {states or 'none'}; {len(summary['pending'])} pending")


def _ask(prompt: str) -> str:
    if sys.stdin.isatty():
        typer.echo(f"  [{prompt}] ", nl=False, err=True)
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line.strip()


def register(app: typer.Typer) -> None:
    """Add this room's commands to `app`."""
    app.command("check")(check_command)
    app.command("review")(review_command)
