"""The words of PDF and DOCX files. Runs in a process with limits: see `chipweir.reading.Confined`.

Plain data in and out, since it travels. Only the text layer of a PDF is read: scans hold none.
"""

import base64
import io
import logging
from typing import Any

import docx
import pypdf


MOST_PAGES, LONGEST_TITLE = 2_000, 300


def pdf(question: str) -> dict[str, Any]:
    """`pages` (the text of each), `title` and `date` of a PDF given in base64."""
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    reader = pypdf.PdfReader(io.BytesIO(base64.b64decode(question)))
    if reader.is_encrypted and not reader.decrypt(""):
        return {"locked": True}
    pages = [page.extract_text() or "" for page in reader.pages[:MOST_PAGES]]
    about = reader.metadata
    stamp = about.creation_date if about is not None else None
    return {
        "pages": pages,
        "title": str(about.title or "")[:LONGEST_TITLE] if about is not None else "",
        "date": stamp.date().isoformat() if stamp is not None else "",
    }


def word(question: str) -> dict[str, Any]:
    """`pages` (one), `title` and `date` of a DOCX file given in base64; tables a row a line."""
    document = docx.Document(io.BytesIO(base64.b64decode(question)))
    parts = []
    for block in document.iter_inner_content():
        if isinstance(block, docx.table.Table):
            parts += [" | ".join(cell.text.strip() for cell in row.cells) for row in block.rows]
        else:
            parts.append(block.text)
    about = document.core_properties
    stamp = about.modified or about.created
    return {
        "pages": ["\n\n".join(part for part in parts if part.strip())],
        "title": str(about.title or "")[:LONGEST_TITLE],
        "date": stamp.date().isoformat() if stamp is not None else "",
    }
