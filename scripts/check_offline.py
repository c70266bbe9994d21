"""Check that no page of the built documentation loads anything from another machine.

    python scripts/check_offline.py docs/_build

Sphinx itself warns of links, anchors and images that lead nowhere, and of pages that no page leads
to; `make docs` turns its warnings into errors.
"""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import override

LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
NOT_LOADED = {"canonical", "index", "search", "next", "prev", "author", "license"}
ELSEWHERE = re.compile(r"(?:https?:)?//", re.IGNORECASE)
STYLE_LOADS = re.compile(r"(?:url\(|@import)\s*[\"']?((?:https?:)?//[^\"')\s;]+)", re.IGNORECASE)


class Page(HTMLParser):
    """What a browser loads from another machine to show a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = STYLE_LOADS.findall(text)
        self.feed(text)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        address = values.get(LOADS.get(tag, ""), "")
        if ELSEWHERE.match(address) and not NOT_LOADED & set(values.get("rel", "").split()):
            self.loads.append(address)


def check(folder: Path) -> list[str]:
    """Sentences about all that pages and style sheets load from another machine."""
    faults = []
    for path in sorted([*folder.rglob("*.html"), *folder.rglob("*.css")]):
        text = path.read_text(encoding="utf-8")
        loads = Page(text).loads if path.suffix == ".html" else STYLE_LOADS.findall(text)
        faults += [f"{path.relative_to(folder)}: loads {load}" for load in loads]
    return faults if (folder / "index.html").is_file() else [f"{folder} has no index.html"]


if __name__ == "__main__":
    sys.exit("\n".join(f"error: {fault}" for fault in check(Path(sys.argv[1]))) or 0)
