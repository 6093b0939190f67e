"""What other people's parsers find in a page or a feed. Runs in a process with limits: see `chipweir.reading.Confined`.

Plain data in and out, since it travels: nothing of ours is known here.
"""

import io
import logging
from typing import Any

import feedparser
import trafilatura
from trafilatura.settings import use_config


MOST_ITEMS, LONGEST_FIELD = 500, 2_000


def page(question: dict[str, str]) -> dict[str, Any]:
    """The article that trafilatura finds in `page` (at `url`): its `text`, and `fields` of the page's metadata."""
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    config = use_config()
    config.set("DEFAULT", "EXTRACTION_TIMEOUT", "0")
    given, url = question["page"], question["url"] or None
    text = trafilatura.extract(
        given, url=url, include_comments=False, include_tables=True, favor_recall=True, config=config
    )
    found = trafilatura.extract_metadata(given, default_url=url)
    if found is None:
        return {"text": text or "", "fields": {}}
    fields = {
        "title": found.title,
        "outlet": found.sitename or found.hostname,
        "url": found.url,
        "author": found.author,
        "date": found.date,
    }
    return {"text": text or "", "fields": {name: str(value)[:LONGEST_FIELD] for name, value in fields.items() if value}}


def feed(text: str) -> list[dict[str, str]]:
    """The items that feedparser finds in a feed: `title`, `body`, `url`, `outlet`, `date` of each."""
    stream = io.BytesIO(text.encode("utf-8", "replace"))
    parsed = feedparser.parse(stream, sanitize_html=True, resolve_relative_uris=False)
    items = []
    for item in parsed.entries[:MOST_ITEMS]:
        contents = [part.get("value", "") for part in item.get("content", [])] or [item.get("summary", "")]
        stamp = item.get("published_parsed") or item.get("updated_parsed")
        items.append(
            {
                "title": str(item.get("title", ""))[:LONGEST_FIELD],
                "body": str(max(contents, key=len)),
                "url": str(item.get("link", ""))[:LONGEST_FIELD],
                "outlet": str(item.get("source", {}).get("title", "") or parsed.feed.get("title", ""))[:LONGEST_FIELD],
                "date": f"{stamp.tm_year:04d}-{stamp.tm_mon:02d}-{stamp.tm_mday:02d}" if stamp else "",
            }
        )
    return items
