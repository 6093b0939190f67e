"""What the first page offers to ask: questions in words, each an address of the page that answers it."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlencode

from chipweir.app._state import View
from chipweir.reading import shipped_yaml


TABLE = Path(__file__).parent / "data" / "questions.yaml"


@dataclass(frozen=True)
class Question:
    """A question in each language, the page that answers it, and what its address asks."""

    texts: dict[str, str]
    page: str
    ask: dict[str, str]

    def address(self, view: View) -> str:
        """The address in the reader's language and theme."""
        kept = {"lang": view.lang} if view.lang != "en" else {}
        theme = {"theme": view.theme} if view.theme else {}
        query = urlencode({**kept, **theme, **self.ask})
        return f"{self.page}?{query}" if query else self.page


@cache
def questions() -> tuple[Question, ...]:
    """The shipped questions, in order."""
    return tuple(
        Question({"en": row["en"], "ko": row["ko"]}, row["page"], {k: str(v) for k, v in row["ask"].items()})
        for row in shipped_yaml(TABLE)
    )
