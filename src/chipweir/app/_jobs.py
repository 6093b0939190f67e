"""Long work in the background: started, looked after, cancelled; at most a few at once."""

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from chipweir.errors import InputError
from chipweir.i18n import _, language, use_language


MOST_AT_ONCE = 3
_FORGET_AFTER_S = 900.0


class Cancelled(Exception):
    """The user cancelled the job."""


@dataclass
class Job:
    """One piece of work. `report` is called by the work with its share done and stops it once it is cancelled."""

    id: str
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


class Jobs:
    """Jobs by an id that can't be guessed."""

    def __init__(self, most: int = MOST_AT_ONCE) -> None:
        self._most = most
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()

    def start(self, work: Callable[[Job], Any]) -> str:
        """Begin `work` in its own thread, in the language in force. Raises `InputError` where too many are at work."""
        with self._lock:
            now = time.monotonic()
            self._jobs = {
                key: job for key, job in self._jobs.items() if not job.finished or now - job.started < _FORGET_AFTER_S
            }
            if sum(not job.finished for job in self._jobs.values()) >= self._most:
                raise InputError(_("the server is busy with other long tasks; try again in a moment"))
            job = Job(secrets.token_urlsafe(12))
            self._jobs[job.id] = job
        threading.Thread(target=_run, args=(job, work, language()), daemon=True).start()
        return job.id

    def get(self, identifier: str) -> Job | None:
        """The job, or None where it is forgotten or never was."""
        with self._lock:
            return self._jobs.get(identifier)

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
