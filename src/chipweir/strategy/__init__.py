"""The strategy room: scenario comparison and what follows from it. Names are imported when first used (`__init__.pyi`)."""

import lazy_loader


__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
