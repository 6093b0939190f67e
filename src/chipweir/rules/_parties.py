"""Who a name stands for: the seat and the listing of firms that everybody knows, and nothing about all others."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from chipweir.reading import shipped_yaml
from chipweir.rules._places import is_country_name, land
from chipweir.rules._words import DATA, day


if TYPE_CHECKING:
    from chipweir.facts import Facts

_LEGAL_FORMS = frozenset(
    (
        "co", "ltd", "limited", "inc", "incorporated", "corp", "corporation", "llc", "company", "gmbh", "plc", "sa", "ag",
        "bv", "nv", "pte", "sdn", "bhd", "pty", "kk", "oy", "ab", "fze", "fz", "holdings", "holding", "group",
    )
)  # fmt: skip
_PLACE_WORDS = frozenset(("gulf", "middle", "east", "asia", "pacific", "europe", "emirates", "dubai", "abu", "dhabi"))
_BARRED_SEATS = frozenset(("CN", "MO", "RU", "BY", "IR", "KP", "SY", "CU", "VE", "MM"))
_HAN = re.compile("[\u4e00-\u9fff]")


@dataclass(frozen=True, slots=True)
class Party:
    """A known firm: where it or its ultimate parent sits, since when it is listed, what it is."""

    name: str
    seat: str
    listed: date | None = None
    of: str | None = None
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """What a name tells: the firm, and whether it is the firm itself or one whose name begins with it."""

    party: Party
    itself: bool

    @property
    def names(self) -> tuple[str, ...]:
        """The names under which rules may speak of the firm."""
        return (self.party.name, *((self.party.of,) if self.party.of else ()))


@lru_cache(maxsize=65536)
def tokens(name: str) -> tuple[str, ...]:
    """The words of a name without case, apostrophes, punctuation and legal forms at its end."""
    text = re.sub("['\u2019`\u00b4]", "", unicodedata.normalize("NFKC", name)).casefold()
    words = re.findall(r"\w+", text.replace("_", " "))
    while len(words) > 1 and words[-1] in _LEGAL_FORMS:
        words.pop()
    return tuple(words)


@cache
def _index() -> Mapping[tuple[str, ...], Party]:
    found: dict[tuple[str, ...], Party] = {}
    for row in shipped_yaml(DATA / "parties.yaml")["parties"]:
        listed = day(row["listed"], "listed") if "listed" in row else None
        party = Party(row["name"], row["seat"], listed, row.get("of"), tuple(row.get("kinds", ())))
        for name in (row["name"], *row["names"]):
            found.setdefault(tokens(name), party)
    return found


@cache
def _han_names() -> tuple[tuple[str, Party], ...]:
    """Names in Han characters, longest first: written without spaces, they are matched as beginnings."""
    names = [(key[0], party) for key, party in _index().items() if len(key) == 1 and _HAN.search(key[0])]
    return tuple(sorted(names, key=lambda pair: -len(pair[0])))


@cache
def party_names() -> frozenset[tuple[str, ...]]:
    """The words of every known name."""
    return frozenset(_index())


def known(name: str) -> Known | None:
    """The known firm that a name is, or begins with; else one of the facts of exactly that name; None for all others."""
    found = _of_this_room(name)
    return _of_the_facts(name) if found is None else found


def _of_the_facts(name: str) -> Known | None:
    from chipweir import facts

    words = tokens(name)
    firms = _firms(facts.load())
    for length in range(len(words), 0, -1):
        party = firms.get(words[:length])
        if party is not None and _is_place(words[length:]):
            return Known(party, length == len(words))
    return None


_FIRMS = frozenset(("company", "lab", "institute"))
_LEAST = 5  # letters of a name that is believed of a favourable seat: shorter ones are words and initials of others too


@lru_cache(maxsize=4)
def _firms(known: "Facts") -> Mapping[tuple[str, ...], Party]:
    """The firms of the facts by the words of their names; the seat is that of the ultimate parent, or a barred one below."""
    found: dict[tuple[str, ...], Party] = {}
    unclear = {tokens(line.name) for line in known.names.flagged("entity", "chip", "system", "model")}
    for entity in known.entities.values():
        seats = _seats(entity.id, known) if entity.kind in _FIRMS else []
        seat = next((one for one in seats if one in _BARRED_SEATS), seats[-1] if seats else "")
        for name in (entity.names.en, entity.names.ko, entity.names.zh, *entity.aliases):
            key = tokens(name or "")
            if seat and key and key not in unclear and (seat in _BARRED_SEATS or len("".join(key)) >= _LEAST):
                found.setdefault(key, Party(entity.names.en, seat))
    return found


def _seats(identifier: str, known: "Facts") -> list[str]:
    """The countries of a firm and of every parent above it, as far as they are given."""
    found: dict[str, str] = {}
    while identifier and identifier not in found and identifier in known.entities:
        entity = known.entities[identifier]
        found[identifier] = entity.country
        identifier = entity.parent
    return [country for country in found.values() if country]


@lru_cache(maxsize=65536)
def _of_this_room(name: str) -> Known | None:
    words = tokens(name)
    for length in range(len(words), 0, -1):
        party = _index().get(words[:length])
        if party is not None:
            return _trusted(party, words[length:])
    if words and _HAN.search(words[0]):
        for beginning, party in _han_names():
            if words[0].startswith(beginning):
                return Known(party, words == (beginning,))
    return None


def _trusted(party: Party, rest: tuple[str, ...]) -> Known | None:
    """A favourable seat is believed of the firm and its units named after a country, a barred one of any affiliate."""
    if not rest:
        return Known(party, True)
    if party.seat in _BARRED_SEATS:
        return Known(party, False)
    return Known(party, False) if _is_place(rest) else None


def _is_place(rest: tuple[str, ...]) -> bool:
    """Whether what follows a firm's name is nothing, or a place."""
    return is_country_name(" ".join(rest)) or all(w in _PLACE_WORDS or is_country_name(w) for w in rest)


@cache
def incorporation_only() -> frozenset[str]:
    """Places where firms are incorporated that sit elsewhere."""
    return frozenset(shipped_yaml(DATA / "parties.yaml")["incorporation_only"])


@cache
def _military_words() -> tuple[frozenset[tuple[str, ...]], tuple[str, ...]]:
    """The words that make a name sound military: in letters by themselves, in Korean and Chinese as parts of a name."""
    words = shipped_yaml(DATA / "parties.yaml")["military_words"]
    return frozenset(tokens(word) for word in words["words"]), tuple(words["parts"])


@lru_cache(maxsize=65536)
def sounds_military(name: str) -> bool:
    """Whether a name has a word of armed forces or of their ministry; that asks for the end user, it decides nothing."""
    words, parts = _military_words()
    held = tokens(name)
    spans = {held[start : start + length] for length in (1, 2, 3) for start in range(len(held))}
    text = "".join(held)
    return bool(spans & words) or any(part in text for part in parts)


def is_named(case_names: Iterable[str], raw: Iterable[tuple[str, ...]], names: Iterable[str]) -> bool:
    """Whether a party is one of the firms a rule names: known firms by what they are, others by how their names begin."""
    held = set(case_names)
    for name in names:
        words = tokens(name)
        if words in party_names():
            if _index()[words].name in held:
                return True
        elif any(given[: len(words)] == words for given in raw):
            return True
    return False


def seat_of(name: str) -> str | None:
    """The land where a known firm or its ultimate parent sits."""
    found = known(name)
    return land(found.party.seat) if found is not None else None
