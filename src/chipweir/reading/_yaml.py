"""YAML, built from the parser's events one by one: each is counted before the next is asked for.

Of YAML 1.2 without aliases, anchors' reuse, tags and directives. Plain words are numbers, `true`, `false` or `null` where
they look so; `yes`, `no` and dates stay words (NO is a country), and so does 4E091.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import yaml

from chipweir.errors import InputError
from chipweir.reading._limits import Count, Limits, clean
from chipweir.reading._text import read_text


_PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLAIN: dict[str, bool | None] = {
    **dict.fromkeys(("null", "Null", "NULL", "~", "")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9_]*)")
_NUMBER = re.compile(
    r"[-+]?(?:(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?|[0-9]+(?:e[-+]?|E[-+])[0-9]+)"
)
_NO_NUMBER = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_DIRECTIVE = re.compile(r"^%", re.MULTILINE)
Path_ = tuple[str, ...]


@dataclass(frozen=True)
class Document:
    """Plain data and the line of every key and item by its path, such as `("levers", "us.enforcement")`."""

    data: Any
    lines: Mapping[Path_, int]


def read_yaml(path: Path, kind: str = "YAML file", limits: Limits | None = None) -> Document:
    """The one document in a file. Raises `InputError`."""
    limits = limits or Limits()
    return parse_yaml(read_text(path, kind, 4 * limits.characters), str(path), limits)


def parse_yaml(text: str, where: str, limits: Limits | None = None) -> Document:
    """The one document in `text`; null where it is empty. Raises `InputError`, naming `where` and the line."""
    reader = _Reader(text, where, limits or Limits())
    try:
        return reader.document()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
        reader.refuse(clean(str(problem), 120), mark.line + 1 if mark else 0)


def shipped_yaml(path: Path) -> Any:
    """A data file of this package: trusted, so read without the bounds and with dates as dates."""
    with path.open(encoding="utf-8") as stream:
        return yaml.load(stream, Loader=_PARSER)


def yaml_value(text: str, where: str) -> Any:
    """One value as it would stand in a file, such as `2.5`, `denied` or `[a, b]`. Raises `InputError`."""
    try:
        return parse_yaml(text, where, Limits(characters=2_000, values=200)).data
    except InputError:
        raise InputError(f"{where}: '{clean(text)}' is not a value") from None


class _Reader:
    def __init__(self, text: str, where: str, limits: Limits) -> None:
        self.where, self.text = where, text
        self.count = Count(limits, where)
        self.lines: dict[Path_, int] = {}

    def document(self) -> Document:
        self.count.size(self.text)
        # The parser compares each directive with all before it: 60,000 take it half a minute.
        if found := _DIRECTIVE.search(self.text):
            line = self.text.count("\n", 0, found.start()) + 1
            raise InputError(f"{self.where}:{line}: a line that begins with % is not accepted")
        self.events: Iterator[Any] = yaml.parse(self.text, Loader=_PARSER)
        data = None
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                data = self.node(next(self.events), (), 1)
                break
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                self.refuse("only one document is expected", _line(event))
        return Document(data, self.lines)

    def refuse(self, problem: str, line: int) -> NoReturn:
        raise InputError(f"{self.count.place(line)}: not valid YAML: {problem}") from None

    def node(self, event: Any, path: Path_, depth: int) -> Any:
        line = _line(event)
        self.count.value(depth, line)
        if isinstance(event, yaml.AliasEvent):
            self.refuse(f"aliases (*{clean(str(event.anchor))}) are not accepted; write the value out", line)
        if event.tag is not None:
            self.refuse(f"tags ({clean(str(event.tag))}) are not accepted", line)
        if isinstance(event, yaml.MappingStartEvent):
            return self.mapping(path, depth)
        if isinstance(event, yaml.SequenceStartEvent):
            return self.sequence(path, depth)
        return self.plain(event.value, line) if event.implicit[0] else self.count.text(event.value, line)

    def mapping(self, path: Path_, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            line = _line(event)
            if not isinstance(event, yaml.ScalarEvent):
                self.refuse("a key must be a plain word", line)
            self.count.value(depth, line)
            key = self.count.text(event.value, line)
            if key in found:
                raise InputError(f"{self.count.place(line)}: '{clean(key)}' is given twice")
            self.lines[(*path, key)] = line
            found[key] = self.node(next(self.events), (*path, key), depth + 1)
        return found

    def sequence(self, path: Path_, depth: int) -> list[Any]:
        found: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            here = (*path, str(len(found)))
            self.lines[here] = _line(event)
            found.append(self.node(event, here, depth + 1))
        return found

    def plain(self, text: str, line: int) -> Any:
        """What a word without quotes means."""
        if text in _PLAIN:
            return _PLAIN[text]
        if _INTEGER.fullmatch(text):
            return self.count.integer(text.replace("_", ""), line)
        if _NUMBER.fullmatch(text):
            return self.count.number(text.replace("_", ""), line)
        if _NO_NUMBER.fullmatch(text):
            raise InputError(f"{self.count.place(line)}: {text} is no number")
        return self.count.text(text, line)


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


class _Writer(yaml.SafeDumper):
    """Puts in quotes what `parse_yaml` would take for a number."""

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


_Writer.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(f"^(?:{_NUMBER.pattern})$"), list("-+.0123456789"))


def dump_yaml(data: Any) -> str:
    """`data` as YAML that `parse_yaml` reads back as it was; keys in their order."""
    return yaml.dump(data, Dumper=_Writer, sort_keys=False, allow_unicode=True, width=110)
