"""Words of measures and their dimensions in a text: the longest form at each place, whole words only."""

import re
from collections.abc import Iterator

from chipweir.text._document import WordMention
from chipweir.text._lexicon import Lexicon, simplified, small
from chipweir.text._units import plain


_HANGUL = re.compile(r"[가-힣]")
# What may follow a Korean noun of one syllable: nothing, or a particle.
_AFTER_ONE = re.compile(r"(?:은|는|이|가|을|를|의|에|로|도|만|과|와)?(?![가-힣])")


def find_words(text: str, lexicon: Lexicon) -> tuple[WordMention, ...]:
    """The words of `lexicon` in `text`, in order. Of two that overlap and name things of one kind the longer holds."""
    folded = small(simplified(plain(text)))
    found = sorted(_all(folded, lexicon), key=lambda one: (one.start, -one.end))
    kept: list[WordMention] = []
    for one in found:
        over = [other for other in kept[-6:] if other.start <= one.start and one.end <= other.end and other != one]
        taken = {word.kind for other in over for word in other.words}
        left = tuple(word for word in one.words if word.kind not in taken)
        if left:
            kept.append(WordMention(one.start, one.end, left))
    return tuple(kept)


def _all(folded: str, lexicon: Lexicon) -> Iterator[WordMention]:
    for place in lexicon.word_forms.starts.finditer(folded):
        start = place.start()
        whole = False
        for length in lexicon.word_forms.at(folded, start):
            form = folded[start : start + length]
            words = lexicon.words.get(form)
            if words and whole:  # within a longer English word only what narrows it: "active" of "active parameters"
                words = tuple(word for word in words if word.kind == "dim")
            if words and len(form) == length and _whole(folded, start, start + length):
                yield WordMention(start, start + length, words)
                whole = whole or form.isascii()


def _whole(text: str, start: int, end: int) -> bool:
    first, last, before, after = text[start], text[end - 1], text[start - 1 : start], text[end : end + 1]
    if first.isascii() and first.isalnum() and before.isascii() and before.isalnum():
        return False
    if last.isascii() and last.isalnum() and after.isascii() and after.isalnum():
        return False
    if end - start == 1 and _HANGUL.match(first):
        return not _HANGUL.match(before or " ") and _AFTER_ONE.match(text, end) is not None
    return True
