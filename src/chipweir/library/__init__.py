"""Chipweir from Python: one call a question, each answer with its numbers, their sources and its limits.

`chipweir` itself hands these names on (`import chipweir as cw; cw.licence("H20", to="CN")`). Nothing is imported before it
is used.
"""

import lazy_loader


__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
