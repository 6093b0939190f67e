"""How far to believe the model: observations from facts, the posterior, back-tests, and forecasts with a date.

Names are imported when first used (`__init__.pyi` says from where), so that commands start without JAX.
"""

import lazy_loader


__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
