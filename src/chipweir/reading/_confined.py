"""Work on hostile input in a process of its own, with little memory and little time.

Parsers written in C cannot be interrupted from Python, and what they build cannot be measured before it is there. So they
work in a child that holds nothing of ours; it is stopped when its time is over, and its memory is limited by the system.
The child is started when it is first needed and then kept, since starting one takes a second.
"""

import atexit
import contextlib
import json
import os
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import IO, Any


_LENGTH = struct.Struct("<Q")
_LARGEST_ANSWER = 512 * 2**20
SECRETS = ("CHIPWEIR_TOKEN", "CHIPWEIR_LLM_KEY")
# Threads of a linear algebra library would each take address space of their own.
START_SECONDS = 60.0
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class Overrun(Exception):
    """The work took too long or too much memory, or its parser broke down; the message says which."""


class Confined:
    """`Confined("chipweir.room._module:function")(argument)`: the function's answer, computed in a child.

    Argument and answer are what JSON can hold. `seconds` is the time for one call, `memory` [bytes] what the child may
    take in all (where the system can limit that: not on Windows). One call at a time; others wait for their turn. `needs`
    are packages of an extra without which the child could not start: the first that is missing is named.
    """

    def __init__(self, function: str, seconds: float, memory: int, needs: Sequence[str] = ()) -> None:
        self.function, self.seconds, self.memory, self.needs = function, seconds, memory, tuple(needs)
        self._child: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def __call__(self, argument: Any, seconds: float | None = None) -> Any:
        """Raises `Overrun`, and `ModuleNotFoundError` for what it needs. An error in the function is an `Overrun` too."""
        with self._lock:
            allowed = self.seconds if seconds is None else seconds
            if self._child is None or self._child.poll() is not None:
                self._start()
                self._ask(None, START_SECONDS)
            answer = self._ask({"argument": argument, "seconds": allowed}, allowed)
        if "failed" in answer:
            if answer["failed"] == MemoryError.__name__:
                self.close()  # what is left of the child may be out of shape
                raise Overrun(f"took more than {self.memory >> 20} MB of memory")
            raise Overrun(answer["failed"])
        return answer["found"]

    def close(self) -> None:
        """Stop the child, if there is one."""
        with self._lock:
            self._stop()

    def _ask(self, question: Any, seconds: float) -> Any:
        """What the child says next, having been asked; it is stopped after `seconds`, and after anything that goes wrong."""
        child, late = self._child, threading.Event()
        assert child is not None
        assert child.stdin is not None
        assert child.stdout is not None

        def stop() -> None:
            late.set()
            child.kill()

        watch = threading.Timer(seconds, stop)
        watch.start()
        try:
            if question is not None:
                _send(child.stdin, question)
            return _receive(child.stdout)
        except (OSError, EOFError, ValueError):
            self._stop()
            raise Overrun(f"took more than {seconds:g} seconds" if late.is_set() else "its parser broke down") from None
        except BaseException:  # Ctrl-C: a half-read answer must not meet the next question
            self._stop()
            raise
        finally:
            watch.cancel()

    def _start(self) -> None:
        for name in self.needs:
            if find_spec(name) is None:
                raise ModuleNotFoundError(f"No module named '{name}'", name=name)
        code = f"from chipweir.reading import _confined; _confined.serve({self.function!r}, {self.memory})"
        # -P: a file called json.py in the working directory is none of our modules.
        self._child = subprocess.Popen(
            [sys.executable, "-P", "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: value for name, value in os.environ.items() if name not in SECRETS} | ONE_THREAD,
        )
        atexit.register(self.close)

    def _stop(self) -> None:
        if self._child is not None:
            self._child.kill()
            for pipe in (self._child.stdin, self._child.stdout):
                with contextlib.suppress(OSError):
                    pipe.close()  # type: ignore[union-attr]
            self._child.wait()
            self._child = None


def serve(function: str, memory: int) -> None:
    """The child: answer one question after the other until there is none left."""
    module, _, name = function.partition(":")
    called = getattr(import_module(module), name)
    questions, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a parser prints is no answer
    limit(memory)
    _send(answers, "ready")
    while True:
        try:
            question = _receive(questions)
        except EOFError:
            return
        _alarm(question["seconds"] + 1)
        try:
            answer = {"found": called(question["argument"])}
        except Exception as error:
            answer = {"failed": type(error).__name__}
        _alarm(0)
        _send(answers, answer)


def limit(memory: int) -> None:
    """Let this process have at most `memory` bytes, and write no file."""
    try:
        import resource
    except ImportError:
        return
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    for kind in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (0, 0))


def _alarm(seconds: float) -> None:
    """End this process by itself, should whoever asked be killed before it could do so; 0 calls that off."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _send(pipe: IO[bytes], document: Any) -> None:
    data = json.dumps(document).encode()
    pipe.write(_LENGTH.pack(len(data)) + data)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> Any:
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    (length,) = _LENGTH.unpack(head)
    if length > _LARGEST_ANSWER:
        raise ValueError("too long an answer")
    data = pipe.read(length)
    if len(data) < length:
        raise EOFError
    return json.loads(data)
