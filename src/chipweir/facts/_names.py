"""The index of names: from any spelling in three scripts to the ids it may mean, never to one of several in silence."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, overload

from chipweir.errors import InputError, UnknownName, nearest
from chipweir.facts._records import Chip, Name
from chipweir.facts._tables import Row, build


_DROPPED = dict.fromkeys(map(ord, " -_‐‑‒–—−\u00a0·"))


def normalise(name: str) -> str:
    """`name` without regard to case, width, spaces, hyphens and underscores."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return unicodedata.normalize("NFKC", folded.translate(_DROPPED))


class AmbiguousName(InputError):
    """A name that may mean several records, or that needs context; `candidates` are their ids."""

    def __init__(self, message: str, candidates: Sequence[str]) -> None:
        super().__init__(message)
        self.candidates = tuple(candidates)


@dataclass(frozen=True)
class NameLine:
    """A line of `names.csv` and where it stands."""

    path: Path
    place: str
    row: Row


class Names(Sequence[Name]):
    """The lines of `names.csv`; a line becomes a `Name` when it is looked at."""

    def __init__(self, lines: Callable[[], Sequence[NameLine]]) -> None:
        self._read = lines

    @cached_property
    def _lines(self) -> Sequence[NameLine]:
        return self._read()

    def __getstate__(self) -> dict[str, object]:
        return {"_lines": self._lines}

    @cached_property
    def _by_record(self) -> Mapping[tuple[str, str], list[Row]]:
        found: dict[tuple[str, str], list[Row]] = {}
        for line in self._lines:
            found.setdefault((line.row.get("kind", ""), line.row.get("id", "")), []).append(line.row)
        return found

    @overload
    def __getitem__(self, index: int) -> Name: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Name]: ...
    def __getitem__(self, index: int | slice) -> Name | Sequence[Name]:
        if isinstance(index, slice):
            return [_name(line) for line in self._lines[index]]
        return _name(self._lines[index])

    def __len__(self) -> int:
        return len(self._lines)

    @cached_property
    def _unsettled(self) -> frozenset[tuple[str, str]]:
        """Kinds and normalised names that no lookup resolves: shared by several records, or in need of context."""
        meant: dict[tuple[str, str], set[str]] = {}
        for line in self._lines:
            if line.row.get("flag") in ("also", "context"):
                key = line.row.get("kind", ""), normalise(line.row.get("name", ""))
                meant.setdefault(key, set()).add(line.row.get("id", ""))
                if line.row["flag"] == "context":
                    meant[key].add("")
        return frozenset(key for key, identifiers in meant.items() if len(identifiers) > 1)

    def of(self, kind: str, identifier: str) -> tuple[str, ...]:
        """Every name of one record."""
        return tuple(row["name"] for row in self._by_record.get((kind, identifier), ()) if "name" in row)

    def settled(self, kind: str, identifier: str, alone: bool = False) -> tuple[str, ...]:
        """The names by which a lookup finds one record; with `alone` only those that need no context in a text either."""
        return tuple(
            row["name"]
            for row in self._by_record.get((kind, identifier), ())
            if "name" in row
            and not (alone and "flag" in row)
            and not ("flag" in row and (kind, normalise(row["name"])) in self._unsettled)
        )

    def about(self, kind: str, identifier: str) -> list[Name]:
        """The names of one record with their flags."""
        wanted = {"kind": kind, "id": identifier}
        return [_name(line) for line in self._lines if wanted.items() <= line.row.items()]

    def flagged(self, *kinds: str) -> list[Name]:
        """The names of these kinds that may mean something else or need context."""
        return [
            _name(line)
            for line in self._lines
            if line.row.get("flag") in ("also", "context") and line.row.get("kind") in kinds
        ]

    def added(self, kind: str, cells: dict[str, Any]) -> dict[str, Any]:
        """`cells` of a record with the names by which a lookup finds it among its aliases."""
        own = self.settled(kind, str(cells.get("id", cells.get("alpha2", "")))) if kind else ()
        if not own:
            return cells
        given = (part.strip() for part in str(cells.get("aliases", "")).split("|"))
        return {**cells, "aliases": tuple(dict.fromkeys((*(part for part in given if part), *own)))}

    def check(self) -> None:
        """Raise `InputError` for the first line that is no name."""
        for line in self._lines:
            _name(line)


def _name(line: NameLine) -> Name:
    return build(Name, {**line.row, "origin": line.place}, line.path, line.place)


# What people write around the name of a product: it says what kind of thing it is, not which.
FILLERS = (
    "tensor core", "accelerators", "accelerator", "processors", "processor", "graphics card", "superchip", "ai chips",
    "ai chip", "chips", "chip", "gpus", "gpu", "npu", "card", "module", "board", "geforce", "radeon", "instinct", "tesla",
    "quadro", "datacenter", "data center", "data centre", "edition", "generation", "가속기", "그래픽카드", "반도체",
    "프로세서", "인공지능", "ai칩", "칩", "지포스", "라데온", "인스팅트", "카드", "모듈", "加速卡", "加速器", "芯片",
    "晶片", "显卡", "顯示卡", "算力卡", "处理器", "處理器", "模组", "超级芯片", "servers", "server", "system", "node",
    "rack", "서버", "랙", "시스템", "노드", "服务器", "伺服器", "机柜", "机架", "超节点",
)  # fmt: skip
_MEMORY = re.compile(r"(?<![\d.])(\d{1,3})\s*(?:gib|gb|g)(?![a-z0-9])|(?<![\d.])(\d{1,3})\s*(?:gib|gb)(?=\s*hbm)")
_STACK = re.compile(r"\bhbm\d?e?\b|\bgddr\d?x?\b|\blpddr\d?x?\b")
_FORM = re.compile(r"\b(sxm)\s*[2-6]?\b|\b(pcie|pci-?e|pci express)\b|\b(oam)\b|\b(nvl)\b(?!\s*\d)")
LONGEST = 80
MISSPELLING = "misspelling"
_OPENING = re.compile(r"[\[\](){}<>,;:/|·＋+]+")


@dataclass(frozen=True)
class Parts:
    """A name taken apart: what is left of it (normalised), its makers, memory in GB and form factor where it says them.

    `sized` is what is left with memory and form factor still in it.
    """

    base: str
    sized: str = ""
    makers: frozenset[str] = frozenset()
    memory: int = 0
    form: str = ""


@dataclass(frozen=True)
class Thing:
    """What the reading of names must know of a record: maker and the maker's parent, form factor, and memory in GB,
    which is asked only when needed."""

    makers: tuple[str, ...] = ()
    form: str = ""
    memory: Callable[[], float | None] = lambda: None


@dataclass(frozen=True)
class Reading:
    """What is needed to read a name part by part: the records by id, and small-letter names of makers to their ids."""

    things: Mapping[str, Thing]
    makers: Mapping[str, str]


def spaced(name: str) -> str:
    """`name` in small letters with single spaces for hyphens and brackets, without a possessive s."""
    text = re.sub(r"['’]s\b", "", unicodedata.normalize("NFKC", name).casefold())
    return re.sub(r"[-_]+", " ", _OPENING.sub(" ", text))


def _alone(word: str) -> str:
    """A pattern for a filler that is no part of a longer word (랙 of 블랙웰); Chinese has no words to be part of."""
    letters = "a-z" if word.isascii() else "가-힣" if "가" <= word[-1] <= "힣" else ""
    return rf"(?<![{letters}]){re.escape(word)}(?![{letters}])" if letters else re.escape(word)


def take_apart(name: str, makers: Mapping[str, str]) -> Parts:
    """`name` without its makers, memory size, form factor and fillers. `makers` maps small-letter names to ids."""
    text = spaced(name)
    named = set()
    for (
        spelling,
        identifier,
    ) in makers.items():  # 엔비디아(NVIDIA) H100 names one maker twice, 百度昆仑芯P800 its parent too
        if spelling in text:
            bare = re.sub(rf"(?<![a-z]){re.escape(spelling)}(?![a-z])", " ", text)
            if spelling.isascii() and bare == text:
                continue
            named.add(identifier)
            text = bare if spelling.isascii() else text.replace(spelling, " ")
    for word in FILLERS:
        if word in text:
            text = re.sub(_alone(word), " ", text)
    sized = normalise(text)
    memory = _MEMORY.search(text)
    size = int(memory[1] or memory[2]) if memory else 0
    text = _STACK.sub(" ", _MEMORY.sub(" ", text, count=1))
    form = _FORM.search(text)
    kind = "" if form is None else "pcie" if form[2] else next(part for part in form.groups() if part)
    return Parts(normalise(_FORM.sub(" ", text)), sized, frozenset(named), size, kind)


@dataclass(frozen=True, eq=False)
class Index:
    """From every spelling of a name of one kind to the ids it may mean.

    `spellings` are (id, the names it goes by), `flagged` the names of the index that do not stand alone, `reading` what
    is needed to take a name apart (none: names are only compared whole).
    """

    kind: str
    spellings: Sequence[tuple[str, Iterable[str]]]
    flagged: Sequence[Name] = ()
    reading: Callable[[], Reading] | None = None

    @cached_property
    def _ids(self) -> dict[str, dict[str, None]]:
        found: dict[str, dict[str, None]] = {}
        for identifier, names in self.spellings:
            for spelling in (identifier, *names):
                if spelling and (key := normalise(spelling)):
                    found.setdefault(key, {})[identifier] = None
        return found

    @cached_property
    def _alone(self) -> frozenset[str]:
        """Names that never resolve alone."""
        return frozenset(normalise(name.name) for name in self.flagged if name.flag == "context")

    @cached_property
    def _misspelt(self) -> frozenset[str]:
        """Misspellings, which are known as they are but tell nothing about longer names."""
        return frozenset(normalise(name.name) for name in self.flagged if name.also == MISSPELLING)

    @cached_property
    def meanings(self) -> Mapping[str, str]:
        """What else a flagged name may mean, by normalised name."""
        return {normalise(name.name): name.also for name in self.flagged if name.also}

    def candidates(self, name: str) -> list[str]:
        """Ids that `name` may mean, in file order; names that need context among them."""
        return list(self._ids.get(normalise(name), ()))

    def resolve(self, name: str) -> str:
        """The one id that `name` means.

        A spelling of the index first; else the name read part by part (maker, memory, form factor, fillers such as
        "GPU" or 칩). Raises `AmbiguousName` (an `InputError`) with the candidates, `UnknownName` with the nearest names.
        """
        found = self.candidates(name)
        if name in found:
            return name
        if not found:
            found = self._read(name)
        if len(found) > 1:
            raise AmbiguousName(
                f"{self.kind} name '{name.strip()[:60]}' is ambiguous: it may mean {', '.join(found)}", found
            )
        if not found:
            raise UnknownName(self.kind, name, self.nearest(name))
        if self.needs_context(name):
            raise AmbiguousName(
                f"{self.kind} name '{name}' needs context (it may mean {found[0]}); write the full name", found
            )
        return found[0]

    def needs_context(self, name: str) -> bool:
        """Whether `name` is one of those that never resolve alone."""
        return normalise(name) in self._alone

    def _read(self, name: str) -> list[str]:
        """Ids of the records that a name, taken part by part, fits; several where it does not say which."""
        if self.reading is None or len(name) > LONGEST:
            return []
        reading = self.reading()
        parts = take_apart(name, reading.makers)
        if not parts.base:
            return []
        if parts.sized in self._misspelt:
            return []
        whole = [i for i in self.candidates(parts.sized) if parts.makers.issubset(reading.things[i].makers)]
        if whole:  # "엔비디아 H100 칩": nothing but the maker and fillers around a known name
            return whole
        fitting = [
            identifier
            for identifier, names in self.spellings
            if any(
                parts.base in normalise(spelling) and take_apart(spelling, reading.makers).base == parts.base
                for spelling in (identifier, *names)
            )
            and _fits(reading.things[identifier], parts)
        ]
        plain = self.candidates(parts.base)  # "H200 141GB" is what "H200" alone means, where that fits
        return plain if len(plain) == 1 and plain[0] in fitting and not parts.form else fitting

    def nearest(self, name: str, count: int = 3) -> list[str]:
        """Spellings most like `name`, one for each thing meant; the id itself where it is spelt alike."""
        spelt = dict.fromkeys(s for identifier, names in self.spellings for s in (identifier, *names) if s)
        meant: dict[tuple[str, ...], str] = {}
        for spelling in nearest(name, spelt, count=4 * count):
            identifiers = tuple(self._ids.get(normalise(spelling), ()))
            alike = [identifier for identifier in identifiers if normalise(identifier) == normalise(spelling)]
            meant.setdefault(identifiers, alike[0] if alike else spelling)
        return list(meant.values())[:count]

    @property
    def ambiguous(self) -> dict[str, list[str]]:
        """Spellings that mean more than one id without being flagged as such."""
        said = {normalise(name.name) for name in self.flagged}
        return {name: list(ids) for name, ids in self._ids.items() if len(ids) > 1 and name not in said}


def _fits(thing: Thing, parts: Parts) -> bool:
    if not parts.makers.issubset(thing.makers):
        return False
    if parts.form and thing.form != parts.form:
        return False
    if not parts.memory:
        return True
    memory = thing.memory()
    return memory is not None and abs(memory - parts.memory) <= 0.5 + 0.02 * memory


def form_factor(chip: Chip) -> str:
    """sxm, pcie, oam or nvl: as the name of the chip states it, else as its links tell; nothing where neither does."""
    if stated := take_apart(chip.name, {}).form:
        return stated
    link = chip.scaleup.casefold()
    if link.startswith("pcie") or "bridge" in link:
        return "pcie"
    if link.startswith("nvlink"):
        return "sxm"
    return "oam" if chip.maker == "amd" and link.startswith("infinity fabric") else ""
