"""What is allowed: export controls as dated data that explains itself. Not legal advice.

Four questions are kept apart (classification, licence requirement, review policy, authorisation) and a fifth beside
them, the importing government's stance. Every decision carries its trace.

Names are imported when first used (`__init__.pyi`).
"""

import lazy_loader


__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
