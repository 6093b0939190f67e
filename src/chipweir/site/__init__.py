"""The page without a server: a folder of files that anyone can host and that opens from the disk.

`build(directory)` simulates presets with one lever moved at a time, measures how well such moves add up, and writes both
languages of the playground, the chips, the rules and everything on record.
"""

import lazy_loader


__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
