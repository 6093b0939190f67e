"""Hangul letters (jamo) and near misses: spellings one letter away from a name."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


_INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_FINALS = " ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"
_FIRST, _LAST = 0xAC00, 0xD7A3


def jamo(text: str) -> str:
    """Each Hangul syllable as its two or three letters; other characters in lower case."""
    letters: list[str] = []
    for character in text:
        code = ord(character)
        if not _FIRST <= code <= _LAST:
            letters.append(character.lower())
            continue
        initial, rest = divmod(code - _FIRST, 588)
        vowel, final = divmod(rest, 28)
        letters.append(_INITIALS[initial] + _VOWELS[vowel] + (_FINALS[final] if final else ""))
    return "".join(letters)


def _deletions(word: str) -> Iterator[str]:
    for place in range(len(word)):
        yield word[:place] + word[place + 1 :]


def one_apart(left: str, right: str) -> bool:
    """Whether one insertion, deletion or substitution, or a swap of neighbours, turns one into the other."""
    if left == right or abs(len(left) - len(right)) > 1:
        return False
    start = 0
    while start < min(len(left), len(right)) and left[start] == right[start]:
        start += 1
    if (
        left[start + 1 :] == right[start + 1 :]
        or left[start + 1 :] == right[start:]
        or left[start:] == right[start + 1 :]
    ):
        return True
    swapped = left[:start] + left[start + 1 : start + 2] + left[start : start + 1] + left[start + 2 :]
    return swapped == right


@dataclass(frozen=True, slots=True)
class NearMisses:
    """Names indexed by every spelling with one letter left out; a look-up takes as many steps as the word has
    letters."""

    exact: dict[str, str]
    shortened: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, names: Iterable[str]) -> "NearMisses":
        """An index of `names`."""
        exact = {jamo(name): name for name in names}
        shortened: dict[str, set[str]] = {}
        for letters in exact:
            for short in _deletions(letters):
                shortened.setdefault(short, set()).add(letters)
        return cls(exact, {short: tuple(sorted(found)) for short, found in shortened.items()})

    def near(self, word: str) -> tuple[str, ...]:
        """The names one letter away from `word`, in order of the alphabet; none where `word` is a name itself."""
        letters = jamo(word)
        if letters in self.exact:
            return ()
        candidates = set(self.shortened.get(letters, ()))
        for short in _deletions(letters):
            candidates.update(self.shortened.get(short, ()))
            if short in self.exact:
                candidates.add(short)
        return tuple(sorted(self.exact[found] for found in candidates if one_apart(letters, found)))
