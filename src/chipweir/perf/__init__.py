"""What an accelerator is worth for a model: speed, latency, energy and cost, each with an interval.

Operators make layers, layers make models, execution plans put models on systems; few fitted efficiencies turn rooflines
into estimates. `estimate` one configuration, `predict_rows` many, `match` two systems, `worth` for the world's model.

Names are imported when first used (`__init__.pyi`).
"""

import lazy_loader


__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
