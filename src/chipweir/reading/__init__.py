"""Reading what somebody else wrote: YAML, JSON, CSV and text of bounded size, depth and number; the rest in a process
with limits.

Every room reads through this one what did not come with the package: scenarios, facts, rules, shipments, ledgers,
articles' front matter, manifests, answers of servers. A document is measured while it is read, before anything is built
of it, so that a short text cannot unfold into a long one; what is wrong with it is one line (`InputError`) that says
where. `Confined` is for what other people's parsers must do: HTML, feeds, SQL.

What comes back is plain: mappings with keys of text, lists, texts, numbers that end, true, false and null. There are no
dates, since a date is a text until someone who knows what it means reads it, and no aliases, tags or directives.
"""

from chipweir.reading._confined import Confined, Overrun
from chipweir.reading._json import parse_json, read_json
from chipweir.reading._limits import Limits, clean, printable
from chipweir.reading._table import MOST_COLUMNS, cells, read_cells, read_records
from chipweir.reading._text import read_text
from chipweir.reading._yaml import Document, dump_yaml, parse_yaml, read_yaml, shipped_yaml, yaml_value


__all__ = [
    "MOST_COLUMNS",
    "Confined",
    "Document",
    "Limits",
    "Overrun",
    "cells",
    "clean",
    "dump_yaml",
    "parse_json",
    "parse_yaml",
    "printable",
    "read_cells",
    "read_json",
    "read_records",
    "read_text",
    "read_yaml",
    "shipped_yaml",
    "yaml_value",
]
