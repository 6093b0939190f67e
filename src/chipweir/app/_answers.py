"""What the page's script asks for, as the bytes that answer it: the answer to an address, and a better one later.

Two people who look at the same get the same bytes, made once.
"""

from concurrent.futures import Future

from plotly.io.json import to_json_plotly

from chipweir.app import _answer
from chipweir.app._engine import QUICK_MEMBERS, Answer, Asker, Engine
from chipweir.app._kept import Kept
from chipweir.app._saved import stored_answer
from chipweir.app._state import View, read_view, reference_of, scenario_of
from chipweir.errors import InputError
from chipweir.i18n import use_language


REPLY_BYTES = 64 * 2**20
# How long a first answer is waited for; and a better one, before the page asks again.
FIRST_SECONDS, BETTER_SECONDS = 60.0, 20.0
HAVE = "x-chipweir-have"


class Answers:
    """Answers of an engine as JSON, remembered within a bound of bytes.

    `private`: whoever asks may see every run of the store; others see those that were saved from a page, by their whole id.
    """

    def __init__(self, engine: Engine, *, private: bool = True) -> None:
        self.engine, self.private = engine, private
        self._replies: Kept[bytes] = Kept(REPLY_BYTES, len)

    def first(self, view: View, asker: Asker) -> "Future[Answer]":
        """What the view shows: a stored run where it names one, else the scenarios simulated. Raises `InputError`."""
        if view.run:
            done: Future[Answer] = Future()
            done.set_result(self._stored(view))
            return done
        return self.engine.answer(reference_of(view), scenario_of(view), asker)

    def now(self, view: View) -> Answer:
        """The best answer there is, or the interactive ensemble's, waited for. Raises `InputError`."""
        if view.run:
            return self._stored(view)
        return self.engine.quick(reference_of(view), scenario_of(view))

    def _stored(self, view: View) -> Answer:
        return stored_answer(view.run, self.private)

    def better(self, view: View, have: str, asker: Asker) -> "Future[Answer] | None":
        """An answer of more members than the page has; None where there is none. Raises `InputError`."""
        if view.run:
            return None
        than = int(have) if have.isdecimal() and len(have) < 8 else QUICK_MEMBERS
        return self.engine.better(reference_of(view), scenario_of(view), than, asker)

    def reply(self, view: View, answer: Answer) -> bytes:
        """Everything that the page paints of an answer."""

        def made() -> bytes:
            with use_language(view.lang):
                return str(to_json_plotly(_answer.reply(view, answer))).encode()

        return self._replies.made((view.query(), view.problems, answer.members, answer.names), made)

    def leave(self, asker: Asker) -> None:
        """Nobody waits for the asker's answer any more."""
        self.engine.leave(asker)


def problem(view: View, error: InputError) -> bytes:
    """What the page shows where there is no answer."""
    with use_language(view.lang):
        return str(to_json_plotly({"problems": [*view.problems, str(error)], "done": True})).encode()


def view_of(query: str) -> View:
    """The view that a request's query names."""
    return read_view(query)
