"""Messages between chips: a latency floor and bandwidth, inside and outside the scale-up domain.

Ring cost as in Thakur, Rabenseifner and Gropp (2005): an all-reduce moves 2 (n-1)/n of the message through each link,
all-gather, reduce-scatter and all-to-all half of that.
"""

from __future__ import annotations

from typing import Any

from chipweir.perf._operators import Work, namespace


def all_reduce(size: Any, chips: Any, link: Any, floor: Any) -> Any:
    """Seconds to sum `size` bytes over `chips`, each with `link` B/s; nothing for one chip."""
    xp = namespace(size, chips, link, floor)
    return xp.where(chips > 1, floor + 2.0 * (chips - 1.0) / chips * size / link, 0.0)


def all_to_all(size: Any, chips: Any, link: Any, floor: Any) -> Any:
    """Seconds for every chip to send `size` bytes spread over the others."""
    xp = namespace(size, chips, link, floor)
    return xp.where(chips > 1, floor + (chips - 1.0) / chips * size / link, 0.0)


def link_bandwidth(w: Work, chips: Any) -> Any:
    """B/s per chip for a group of `chips`: the scale-up link if the group fits the domain, else what leaves it.

    Of a group larger than its domain the share (n - d) / n of the traffic crosses the slower network; the slower part sets the time.
    """
    xp = namespace(w.link, chips)
    outside = xp.maximum(chips - w.domain, 0.0) / chips
    return xp.where(outside > 0, 1.0 / (outside / w.scaleout + (1.0 - outside) / w.link), w.link)


def layer_messages(w: Work, tokens: Any, tp: Any, dp: Any, link_share: Any, floor: Any) -> Any:
    """Seconds of communication in one pass of all layers.

    Tensor parallel: an all-reduce of the activations after attention and after the feed-forward. Attention data parallel: each chip sends its tokens to
    the experts they chose (8-bit) and gets them back (16-bit); dense models gather and scatter instead.
    """
    xp = namespace(tokens, link_share, floor)
    chips = tp * dp
    hidden = w.hidden
    inner = all_reduce(2.0 * tokens / dp * hidden, tp, link_bandwidth(w, tp) * link_share, floor)
    link = link_bandwidth(w, chips) * link_share
    copies = xp.where(w.experts_active > 0, xp.minimum(w.experts_active, chips), 1.0)
    sent = tokens / chips * hidden * copies * xp.where(w.experts_active > 0, 1.5, 2.0)
    exchange = 2.0 * all_to_all(sent, chips, link, floor)
    reduce = all_reduce(2.0 * tokens * hidden, chips, link, floor)
    return w.layers * (inner + xp.where(dp > 1, exchange, reduce))
