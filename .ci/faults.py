# ruff: noqa: E501
"""Deliberate faults: is each of them noticed by the tests that stand for it?

A fault is a change of one place of the code: a guard switched off, a limit gone, a name cut short. Each is made in a copy of the
package, the tests named beside it run against the copy, and one of them must fail. Prints a line for each fault and exits
with 1 where one was not noticed, or where its place is no longer in the code.

    python .ci/faults.py [WORDS...]      # all, or those whose name holds one of the words
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path


ROOT = Path(__file__).parents[1]
FRONT, SAVED, STORE = "tests/app/test_front.py", "tests/app/test_saved.py", "tests/test_store.py"
FILES, STRATEGY = "tests/cli/test_files.py", "tests/cli/test_strategy.py"
# (name, file, what stands there, what stands there instead, tests)
FAULTS = (
    ("guard off in the front", "app/_front.py", "refusal = self._guard.refusal(asked)", "refusal = None", FRONT),
    ("guard off in Flask", "app/_guard.py", "insert(0, _before)", "clear()", FRONT),
    ("token not passed on by wsgi", "app/_serve.py", "create_app(engine, token=token, hosts", "create_app(engine, hosts", FRONT),
    ("token not passed on by serve", "app/_serve.py", "make_front(engine, Guard(token, hosts, behind_proxy=behind_proxy), threads)", "make_front(engine, Guard(None, hosts, behind_proxy=behind_proxy), threads)", FRONT),
    ("token not passed on by asgi", "app/_serve.py", "make_front(engine, Guard(token, hosts, behind_proxy=behind_proxy))", "make_front(engine, Guard(None, hosts, behind_proxy=behind_proxy))", FRONT),
    ("host names not checked", "app/_guard.py", "host_name(asked.host) not in self.hosts", "False", FRONT),
    ("other machines answered without a token", "app/_guard.py", "not is_loopback(asked.client)", "False", FRONT),
    ("origin not checked", "app/_guard.py", "return origin is not None and", "return False and", FRONT),
    ("fetch site not checked", "app/_guard.py", 'if site not in ("same-origin", "none"):', "if False:", FRONT),
    ("cookie without SameSite", "app/_guard.py", "SameSite=Strict", "SameSite=None", FRONT),
    ("cookie open to scripts", "app/_guard.py", "HttpOnly; ", "", FRONT),
    ("cookie not Secure over TLS", "app/_guard.py", '"; Secure" if scheme == "https"', '"" if scheme == "https"', FRONT),
    ("cookie is the token", "app/_guard.py", 'return hmac.new(token.encode(), b"chipweir visitor", hashlib.sha256).hexdigest()', "return token", FRONT),
    ("evaluation of text allowed", "app/_guard.py", "'unsafe-inline'; style-src", "'unsafe-inline' 'unsafe-eval'; style-src", FRONT),
    ("rate of files counted, of pages not", "app/_guard.py", "if not asked.is_static and", "if asked.is_static and", FRONT),
    ("forwarded address believed without a proxy", "app/_front.py", "if not behind_proxy:", "if False:", FRONT),
    ("first forwarded address believed", "app/_front.py", '.rpartition(",")[2]', '.partition(",")[0]', FRONT),
    ("no limit of a body", "app/_front.py", "if size > LARGEST_REQUEST:", "if False:", FRONT),
    ("no time limit of a body", "app/_front.py", "asyncio.timeout(BODY_SECONDS)", "asyncio.timeout(None)", FRONT),
    ("no time limit of headers", "app/_connections.py", "self.loop.call_later(header_seconds,", "self.loop.call_later(999,", FRONT),
    ("one address takes all threads", "app/_front.py", "self._share = max(1, threads // 2)", "self._share = threads", FRONT),
    ("files wait for pages", "app/_front.py", "self._in(self._files,", "self._in(self._workers,", FRONT),
    ("addresses not in turn", "app/_turns.py", "self._waiting.move_to_end(address)", "pass", FRONT),
    ("older wishes stay in line", "app/_turns.py", "if asker.sure and self._newest.get(asker) is not work:", "if False:", FRONT),
    ("who left stays in line", "app/_front.py", "            self._answers.leave(asker)\n            raise", "            raise", FRONT),
    ("the line has no end", "app/_turns.py", "everything >= self.most or", "False or", FRONT),
    ("equal questions computed each", "app/_turns.py", "work = self._by_key.get(key)", "work = None", FRONT),
    ("jobs of others in reach", "app/_jobs.py", "if job is not None and job.owner == self._who()", "if job is not None", SAVED),
    ("results of jobs without bound", "app/_jobs.py", "if total <= RESULT_BYTES:", "if True:", SAVED),
    ("saved runs can be guessed", "app/_saved.py", "secrets.token_hex(_SECRET_BYTES)", '"0" * 20', SAVED),
    ("runs found by their beginning by anybody", "app/_saved.py", "if not private and not (_SECRET", "if False and not (_SECRET", SAVED),
    ("no quota", "app/_saved.py", "    if owner:\n", "    if False:\n", SAVED),
    ("a deleted folder need not be a run", "store/_runs.py", "    if foreign:\n", "    if False:\n", STORE),
    ("links are followed when deleting", "store/_runs.py", "if path.is_symlink():", "if False:", STORE),
    ("an edited manifest is sound", "store/_manifest.py", 'if made["identity"] != identity(made):', "if False:", STORE),
    ("redirects not checked", "text/_fetch.py", "_checked(url, allow_private)\n", "_checked(url, allow_private or _ > 0)\n", "tests/evidence/test_ingest.py"),
    ("options read without limits", "strategy/_options.py", "reading.parse_yaml(text, where).data", '__import__("yaml").safe_load(text)', FILES),
    ("messages obeyed by a terminal", "cli/__init__.py", "{printable(text)}", "{text}", FILES),
    ("weights looked at after the simulation", "cli/strategy.py", "strategy.weights_of(given, order.criteria)  #", "pass  #", STRATEGY),
)  # fmt: skip


def noticed(source: Path, file: str, old: str, new: str, tests: str) -> bool | None:
    """Whether a test fails with the fault in place; None where its place is not there exactly once."""
    path = source / "chipweir" / file
    text = path.read_text(encoding="utf-8")
    if text.count(old) != 1:
        return None
    path.write_text(text.replace(old, new), encoding="utf-8")
    try:
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", tests]
        environment = {**os.environ, "PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1"}
        found = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=600, check=False)
        return found.returncode == 1
    except subprocess.TimeoutExpired:
        return True
    finally:
        path.write_text(text, encoding="utf-8")


def main(words: list[str]) -> int:
    """Make the faults one by one."""
    wanted = [fault for fault in FAULTS if not words or any(word in fault[0] for word in words)]
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "src"
        shutil.copytree(ROOT / "src", source, ignore=shutil.ignore_patterns("__pycache__"))
        for name, file, old, new, tests in wanted:
            found = noticed(source, file, old, new, tests)
            said = {True: "noticed", False: "NOT NOTICED", None: f"its place is no longer in {file}"}[found]
            print(f"{name}: {said}", flush=True)
            missed += found is not True
    print(f"{len(wanted) - missed} of {len(wanted)} faults noticed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
