"""The world room: scenarios, the state and its monthly step, parameters, ensembles.

Names are imported when first used (`__init__.pyi` says from where), so that commands which only read scenarios start
without JAX or xarray.
"""

import lazy_loader


__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
