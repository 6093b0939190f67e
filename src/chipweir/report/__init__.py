"""Figures, the headline table and the HTML report of a run, in English and Korean.

`figures.<name>(dataset, ...)` draws, `headline_table(dataset, lang)` returns the rows that matter, `write_html(dataset,
path, lang=..., extras=...)` writes one file that works offline.

Names are imported when first used (`__init__.pyi`).
"""

import lazy_loader


__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
