"""What a question gets: a headline, a table, the record behind it, and always its sources and limits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from chipweir.i18n import _
from chipweir.library._documents import plain


if TYPE_CHECKING:
    import pandas as pd

    from chipweir.facts import Facts, Value

_SHORT = 96


@dataclass(frozen=True)
class Source:
    """Where a number or a rule comes from. `note`: what it stands for, or that it was recalled or is a rumour."""

    id: str
    title: str
    publisher: str = ""
    url: str = ""
    published: str = ""
    cls: str = ""
    note: str = ""

    def to_dict(self) -> dict[str, str]:
        """Without what is empty."""
        return {name: text for name, text in vars(self).items() if text}

    def __str__(self) -> str:
        url = "" if self.url in self.title else self.url
        named = ", ".join(filter(None, (self.title, self.publisher, self.published, url)))
        return f"[{self.id}] {named}" + (f" ({self.note})" if self.note else "")


@dataclass(frozen=True, repr=False)
class Answer:
    """One answer. `rows` under `columns` are texts as a person reads them, `record` the numbers as JSON holds them.

    `value` is the room's own object. The entries of `record`, then its attributes, are the answer's: `answer.outcome`.
    """

    kind: str
    headline: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    record: Mapping[str, Any]
    sources: tuple[Source, ...]
    limits: tuple[str, ...]
    value: Any = None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in self.record:
            return self.record[name]
        if hasattr(self.value, name):
            return getattr(self.value, name)
        raise AttributeError(f"the answer has no '{name}'; its record holds {', '.join(self.record)}")

    def __dir__(self) -> list[str]:
        own = [name for name in dir(type(self)) if not name.startswith("_")]
        return sorted({*own, *vars(self), *self.record, *(n for n in dir(self.value) if not n.startswith("_"))})

    def __repr__(self) -> str:
        said = self.headline if len(self.headline) <= _SHORT else self.headline[: _SHORT - 1] + "…"
        return f"<{self.kind}: {said}>"

    def __str__(self) -> str:
        lines = [self.headline]
        lines += ["  " + " | ".join(row) for row in ([self.columns, *self.rows] if self.rows else [])]
        if self.sources:
            lines += [_("Sources") + ":", *(f"  {source}" for source in self.sources)]
        if self.limits:
            lines += [_("Limits") + ":", *(f"  {limit}" for limit in self.limits)]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        below = [(_("Sources"), map(_linked, self.sources)), (_("Limits"), map(escape, self.limits))]
        lists = "".join(
            f"<details><summary>{escape(title)}</summary><ul>{items}</ul></details>"
            for title, entries in below
            if (items := "".join(f"<li>{entry}</li>" for entry in entries))
        )
        return f"<div><p><b>{escape(self.headline)}</b></p>{html_table(self.columns, self.rows)}{lists}</div>"

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it: `answer` in words, the record, `sources` and `limits`."""
        found: dict[str, Any] = plain(
            {
                "answer": self.headline,
                **self.record,
                "sources": [source.to_dict() for source in self.sources],
                "limits": list(self.limits),
            }
        )
        return found

    def to_pandas(self) -> "pd.DataFrame":
        """The table, as texts."""
        import pandas as pd

        return pd.DataFrame(list(self.rows), columns=list(self.columns))


def html_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table for a notebook; nothing where there are no rows."""
    if not rows:
        return ""
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _linked(source: Source) -> str:
    text = escape(str(source))
    safe = source.url.startswith(("https://", "http://"))
    return f'<a href="{escape(source.url)}">{text}</a>' if safe else text


def sources_of(facts: "Facts", values: Mapping[str, "Value"]) -> tuple[Source, ...]:
    """The sources of values, each once, with what it stands for (the names of the values)."""
    told: dict[tuple[str, str], list[str]] = {}
    for name, value in values.items():
        told.setdefault((value.source, value.url), []).append(name)
    marks = {(v.source, v.url): v.rumour for v in values.values()}
    found = []
    for (key, url), names in told.items():
        source = facts.sources.get(key)
        note = ", ".join(names[:6])
        note += "; " + _("RUMOUR") if marks[key, url] else ""
        note += "; " + _("recalled") if source is not None and source.recalled else ""
        if source is None:
            found.append(Source(key, key, url=url, note=note))
        else:
            address = url or source.url
            found.append(Source(key, source.title, source.publisher, address, source.published, source.cls, note))
    return tuple(found)
