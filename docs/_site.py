"""Pages of the site that are made from the package's own tables, in English and Korean, when the site is built."""

import csv
import shutil
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import typer
from mkdocs.config.defaults import MkDocsConfig

from chipweir import facts, i18n, rules


ROOT = Path(__file__).parents[1]
PUBLIC = (
    "library",
    "facts",
    "rules",
    "perf",
    "world",
    "strategy",
    "evidence",
    "report",
    "store",
    "importers",
    "assistant",
)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Build from a copy of the pages with the generated ones beside them (a hook of MkDocs)."""
    source = Path(config.site_dir).parent / "docs-source"
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(ROOT / "docs", source, ignore=shutil.ignore_patterns("*.py", "*.yaml", "__pycache__"))
    for path, text in pages():
        target = source / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    config.docs_dir = str(source)
    return config


def pages() -> Iterator[tuple[str, str]]:
    """(path, Markdown) of every generated page; Korean ones end in .ko.md."""
    for suffix, korean in (("", False), (".ko", True)):
        with i18n.use_language("ko" if korean else "en"):
            yield f"reference/variables{suffix}.md", variables(korean)
            yield f"reference/equations{suffix}.md", equations(korean)
            yield f"reference/levers{suffix}.md", levers(korean)
            yield f"reference/glossary{suffix}.md", glossary(korean)
            yield f"reference/instruments{suffix}.md", instruments(korean)
            yield f"reference/commands{suffix}.md", commands(korean)
    yield "reference/python.md", python()
    yield "changelog.md", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def _rows(room: str, name: str) -> list[dict[str, str]]:
    source = resources.files("chipweir") / room / name
    with source.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in row) + " |" for row in lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def _page(title: str, told: str, *parts: str) -> str:
    return "\n\n".join((f"# {title}", told, *parts)) + "\n"


def variables(korean: bool) -> str:
    """What a run reports."""
    heads = ("이름", "축", "단위", "종류", "뜻") if korean else ("name", "axes", "unit", "kind", "meaning")
    rows = [
        (f"`{row['name']}`", row["dims"].replace(" ", ", "), row["unit"], row["kind"],
         row["long_name_ko" if korean else "long_name"])
        for row in _rows("world", "variables.csv")
    ]  # fmt: skip
    told = (
        "`world/variables.csv`에서 만든 쪽이다. 모든 변수에 짝지은 차이 `delta_…`와 그 부호의 확률 `p_greater_…`가 딸린다."
        if korean
        else "Made from `world/variables.csv`. Every variable comes with its paired difference `delta_...` and the "
        "probability of its sign `p_greater_...`."
    )
    return _page("변수" if korean else "Variables", told, _table(heads, rows))


def equations(korean: bool) -> str:
    """The equations of the model by process."""
    parts = []
    for row in _rows("world", "equations.csv"):
        parts += [f"## {row['process'].replace('_', ' ')}", row["words_ko" if korean else "words_en"],
                  f"```text\n{row['formula']}\n```", f"`chipweir.{row['function']}`"]  # fmt: skip
    told = (
        "`world/equations.csv`에서 만든 쪽이다. `chipweir explain`은 어떤 수에 어떤 식이 쓰였는지 말해 준다."
        if korean
        else "Made from `world/equations.csv`. `chipweir explain` says which of them a number went through."
    )
    return _page("방정식" if korean else "Equations", told, *parts)


def levers(korean: bool) -> str:
    """What a scenario can set."""
    heads = ("수단", "이름", "단위", "범위", "설명") if korean else ("lever", "name", "unit", "range", "what it does")
    rows = [
        (f"`{row['name']}`", row["korean_name" if korean else "title"], row["unit"],
         row["choices"].replace("|", ", ") or f"{row['minimum']} – {row['maximum']}",
         row["korean_description" if korean else "description"])
        for row in _rows("world", "levers.csv")
    ]  # fmt: skip
    told = (
        "`world/levers.csv`에서 만든 쪽이다. 쓰는 법은 [시나리오](../scenarios.md)에 있다."
        if korean
        else "Made from `world/levers.csv`; [scenarios](../scenarios.md) says how to set them."
    )
    return _page("정책 수단" if korean else "Levers", told, _table(heads, rows))


def glossary(korean: bool) -> str:
    """The vocabulary of the facts, and what the press calls it."""
    language = "ko" if korean else "en"
    heads = ("용어", "단위", "뜻", "언론 표현") if korean else ("term", "unit", "meaning", "words of the press")
    rows = [
        (f"**{measure.titled(language)}** `{name}`", measure.unit, measure.definition.get(language, ""),
         ", ".join(measure.words.get(language, ())[:6]))
        for name, measure in sorted(facts.load().measures.items(), key=lambda pair: pair[1].titled(language).casefold())
    ]  # fmt: skip
    told = "사실 자료가 쓰는 모든 측정값이다." if korean else "Every measure that the facts use."
    return _page("용어" if korean else "Glossary", told, _table(heads, rows))


def instruments(korean: bool) -> str:
    """The rules modelled, with dates and documents."""
    book = rules.shipped()
    heads = (
        ("식별자", "이름", "공표", "발효", "문서") if korean else ("id", "title", "announced", "effective", "documents")
    )
    rows = [
        (f"`{entry.id}`", (entry.title_ko if korean else "") or entry.title, str(entry.announced),
         str(entry.effective or ""), ", ".join(_links(book.sources, entry.sources)))
        for entry in book.instruments.values()
    ]  # fmt: skip
    told = "법률 자문이 아니다." if korean else "Not legal advice."
    return _page("법령" if korean else "Instruments of law", told, _table(heads, rows))


def _links(sources: Mapping[str, str], keys: Sequence[str]) -> Iterator[str]:
    for key in keys:
        address = next((w.strip("().,;") for w in sources.get(key, "").split() if w.startswith("http")), "")
        yield f"[{key}]({address})" if address else key


def commands(korean: bool) -> str:
    """The command line as it says of itself."""
    from chipweir.cli import root
    from chipweir.cli._language import translated

    group = translated(typer.main.get_command(root))
    parts = list(_described(group, "chipweir"))
    return _page("명령" if korean else "Commands", "`chipweir COMMAND --help`", *parts)


def _described(command: Any, name: str) -> Iterator[str]:
    if hasattr(command, "commands"):
        for each in sorted(command.commands):
            if not command.commands[each].hidden:
                yield from _described(command.commands[each], f"{name} {each}")
        return
    yield f"## {name}"
    yield " ".join((command.help or "").split())
    rows = []
    for parameter in command.params:
        if getattr(parameter, "hidden", False) or parameter.name in ("install_completion", "show_completion"):
            continue
        shown = (
            ", ".join(parameter.opts)
            if parameter.param_type_name == "option"
            else (parameter.metavar or parameter.name)
        )
        rows.append((f"`{shown.upper() if parameter.param_type_name == 'argument' else shown}`", parameter.help or ""))
    if rows:
        yield _table(("", ""), rows)


def python() -> str:
    """The public faces of the rooms."""
    told = "Each room says here what others may use; `import chipweir as cw` hands on what `library` has."
    return _page("Python", told, *(f"::: chipweir.{name}" for name in PUBLIC))
