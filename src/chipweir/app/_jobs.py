"""Long work in the background: started, looked after, cancelled; a few at once, one or two of each visitor."""

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from chipweir.errors import InputError
from chipweir.i18n import _, language, use_language


MOST_AT_ONCE, MOST_OF_ONE = 3, 2
RESULT_BYTES = 64 * 2**20
_FORGET_AFTER_S = 900.0


class Cancelled(Exception):
    """The user cancelled the job."""


@dataclass
class Job:
    """One piece of work. `report` is called by the work with its share done and stops it once it is cancelled."""

    id: str
    owner: str = ""
    started: float = field(default_factory=time.monotonic)
    done: float = 0.0
    result: Any = None
    error: str = ""
    finished: bool = False
    cancelled: threading.Event = field(default_factory=threading.Event)

    def report(self, done: float, *_text: object) -> None:
        """Note the share done. Raises `Cancelled` once the user has cancelled."""
        self.done = min(max(done, 0.0), 1.0)
        if self.cancelled.is_set():
            raise Cancelled

    @property
    def size(self) -> int:
        """Bytes that its result takes, as far as they matter."""
        return len(self.result) if isinstance(self.result, str | bytes) else 50_000


class Jobs:
    """Jobs by an id that can't be guessed; `who` tells whose request is being answered, for whom alone they are."""

    def __init__(
        self, most: int = MOST_AT_ONCE, who: Callable[[], str] = lambda: "", most_of_one: int = MOST_OF_ONE
    ) -> None:
        self._most, self._most_of_one, self._who = most, most_of_one, who
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()

    def start(self, work: Callable[[Job], Any]) -> str:
        """Begin `work` in its own thread, in the language in force. Raises `InputError` where too many are at work."""
        owner = self._who()
        with self._lock:
            self._forget()
            at_work = [job for job in self._jobs.values() if not job.finished]
            if sum(job.owner == owner for job in at_work) >= self._most_of_one:
                raise InputError(_("you have other long tasks at work; wait for one of them or cancel it"))
            if len(at_work) >= self._most:
                raise InputError(_("the server is busy with other long tasks; try again in a moment"))
            job = Job(secrets.token_urlsafe(12), owner)
            self._jobs[job.id] = job
        threading.Thread(target=_run, args=(job, work, language()), daemon=True).start()
        return job.id

    def _forget(self) -> None:
        """Drop finished jobs that are old, and the oldest of them while their results take too much room."""
        now = time.monotonic()
        kept = {key: job for key, job in self._jobs.items() if not job.finished or now - job.started < _FORGET_AFTER_S}
        total = sum(job.size for job in kept.values() if job.finished)
        for key, job in list(kept.items()):
            if total <= RESULT_BYTES:
                break
            if job.finished:
                total -= job.size
                del kept[key]
        self._jobs = kept

    def get(self, identifier: object) -> Job | None:
        """The visitor's own job, or None where it is forgotten, never was, is somebody else's, or no id at all."""
        if not isinstance(identifier, str):  # a page sends texts, but anything can be sent
            return None
        with self._lock:
            self._forget()
            job = self._jobs.get(identifier)
        return job if job is not None and job.owner == self._who() else None

    def cancel(self, identifier: str) -> None:
        """Ask a job to stop."""
        if job := self.get(identifier):
            job.cancelled.set()


def _run(job: Job, work: Callable[[Job], Any], lang: str) -> None:
    with use_language(lang):
        try:
            job.result = work(job)
        except Cancelled:
            job.error = _("cancelled")
        except InputError as error:
            job.error = str(error)
        except Exception as error:  # a page must say that something went wrong, whatever it was
            job.error = _("this did not work: {kind}", kind=type(error).__name__)
        finally:
            job.done, job.finished = 1.0, True
