"""Messages between chips: a latency floor and bandwidth, inside and outside the scale-up domain.

Ring cost as in Thakur, Rabenseifner and Gropp (2005): an all-reduce moves 2 (n-1)/n of the message through each link,
all-gather, reduce-scatter and all-to-all half of that.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chipweir.perf._operators import Work, joined


DOMAINS = 4.0
# Seconds that a collective takes longer where it leaves the scale-up domain: some 40 us for small messages over two
# nodes, by what communication libraries print of themselves (recalled, medium), against 5-10 us inside one.
CROSSING = 35e-6
# Seconds that a collective library's bandwidth algorithm takes longer to start than one kernel that reads all other
# chips' messages and sums them (recalled, low: libraries print 20-30 us for small messages, single kernels 5-10).
RING_START = 20e-6
OVERLAPPED = 8.0


def all_reduce(size: Any, chips: Any, link: Any, floor: Any, summing: Any = 0.0) -> Any:
    """Seconds to sum `size` bytes over `chips`, each with `link` B/s; nothing for one chip.

    Short messages are summed in one kernel that reads those of all others, (n-1) messages through a link; long ones
    go round a ring. Where the switch adds up (`summing` 1) a chip sends its bytes once and receives the sum, of which
    it passes on its own n-th part: (n+1)/n of the message.
    """
    ring = 2.0 * (chips - 1.0) / chips
    passes = np.where(summing > 0, np.minimum(ring, (chips + 1.0) / chips), ring)
    quickest = np.minimum((chips - 1.0) * size / link, RING_START + passes * size / link)
    return np.where(chips > 1, floor + quickest, 0.0)


def all_to_all(size: Any, chips: Any, link: Any, floor: Any) -> Any:
    """Seconds for every chip to send `size` bytes spread over the others."""
    return np.where(chips > 1, floor + (chips - 1.0) / chips * size / link, 0.0)


def link_bandwidth(w: Work, chips: Any) -> Any:
    """B/s per chip for a group of `chips`: the scale-up link if the group fits the domain, else what leaves it.

    Of a group of n larger than its domain d the share (n - d) / n of the traffic crosses the slower network. Where chips
    are wired pair by pair a group of n reaches each other over n - 1 of the links of each.
    """
    used = np.clip((chips - 1.0) / np.maximum(np.minimum(w.domain, 8.0) - 1.0, 1.0), 1e-3, 1.0)
    link = np.where(w.mesh > 0, w.link * used, w.link)
    outside = np.maximum(chips - w.domain, 0.0) / chips
    return np.where(outside > 0, 1.0 / (outside / w.scaleout + (1.0 - outside) / link), link)


def expert_exchange(w: Work, tokens: Any, ranks: Any, share: Any, floor: Any) -> Any:
    """Seconds to send tokens to the experts they chose (8 bits) and get them back (16 bits), in one layer.

    `tokens` of all `ranks`. Inside the domain a token travels once per chosen expert; outside once per domain that
    holds one, and
    routers keep that to `DOMAINS` (DeepSeek-V3, arXiv 2412.19437, section 3.2).
    """
    size = tokens / ranks * w.hidden
    inside = np.minimum(w.experts_active, ranks) * (np.minimum(w.domain, ranks) - 1.0) / ranks
    domains = np.minimum(np.minimum(w.experts_active, DOMAINS), ranks / w.domain)
    outside = np.where(ranks > w.domain, domains * (ranks - w.domain) / ranks, 0.0)
    seconds = size * (inside / w.link + outside / w.scaleout) / share
    return np.where(ranks > 1, 2.0 * floor + 3.0 * seconds, 0.0)


def layer_messages(w: Work, tokens: Any, tp: Any, dp: Any, link: Any, exchange: Any, floor: Any) -> Any:
    """Seconds of communication in one pass of all layers; `link`, `exchange` are the shares of the links' rates
    reached.

    Tensor parallel: an all-reduce of the activations after attention and after the feed-forward. Attention data
    parallel:
    an exchange with the experts; dense models gather and scatter instead.
    """
    chips = tp * dp
    inner = all_reduce(
        2.0 * tokens / dp * w.hidden,
        tp,
        link_bandwidth(w, tp) * link,
        floor + CROSSING * (tp > w.domain),
        w.summing * (tp <= w.domain),
    )
    wide = link_bandwidth(w, chips) * link
    floor = floor + CROSSING * (chips > w.domain)
    gather = 2.0 * all_to_all(2.0 * tokens * w.hidden, chips, wide, floor)
    swap = np.where(w.experts > 0, expert_exchange(w, tokens, chips, exchange, floor), gather)
    reduce = all_reduce(2.0 * tokens * w.hidden, chips, wide, floor, w.summing * (chips <= w.domain))
    return w.layers * (inner + np.where(dp > 1, swap, reduce))


def stage_messages(w: Work, tokens: Any, chips: Any, stages: Any, floor: Any) -> Any:
    """Seconds to hand the activations of one pass from each pipeline stage of `chips` chips to the next."""
    outside = chips * stages > w.domain
    hop = floor + CROSSING * outside + 2.0 * tokens * w.hidden / np.where(outside, w.scaleout, w.link)
    return np.where(stages > 1, (stages - 1.0) * hop, 0.0)


def visible(work: Any, messages: Any, dp: Any) -> Any:
    """Seconds of `messages` that remain beside `work`: wide expert parallelism runs two half batches against each
    other.

    Deployments over more than `OVERLAPPED` ranks hide the shorter of the two (DeepSeek-V3, section 3.2.2), smaller
    ones do not.
    """
    return np.where(dp > OVERLAPPED, joined(work, messages) - work, messages)
