"""Check the links of the built documentation, without the network.

    python scripts/check_links.py docs/_build

Every internal link and anchor leads somewhere, every page can be reached from the front page, no
page loads anything from another machine, and external links are at least written well.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import override
from urllib.parse import SplitResult, unquote, urlsplit

LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
NOT_LOADED = {"canonical", "index", "search", "next", "prev", "author", "license"}
HOST = re.compile(r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$", re.I)
# pages that Sphinx adds, which the navigation need not lead to
EXTRA = {"genindex.html", "py-modindex.html", "search.html"}


@dataclass
class Page(HTMLParser):
    """What one page has: anchors, links, and what a browser loads to show it."""

    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.anchors |= {found[name] for name in ("id", "name") if found.get(name)}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        elif found.get(LOADS.get(tag, "")) and not NOT_LOADED & set(found.get("rel", "").split()):
            self.loads.append(found[LOADS[tag]])


def read(folder: Path) -> dict[Path, Page]:
    """Read every page of a built site."""
    pages = {}
    for path in sorted(folder.rglob("*.html")):
        page = pages[path] = Page()
        page.feed(path.read_text(encoding="utf-8"))
    return pages


def check(folder: Path) -> list[str]:
    """Sentences about all that is wrong."""
    folder = folder.resolve()
    pages = read(folder)
    if folder / "index.html" not in pages:
        return [f"{folder} has no index.html: build the pages first"]
    faults: list[str] = []
    leads_to: dict[Path, set[Path]] = defaultdict(set)
    for path, page in pages.items():
        name = path.relative_to(folder)
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                faults += [f"{name}: {fault}" for fault in external(link, parts)]
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            leads_to[path].add(target)
            if not target.is_file():
                faults.append(f"{name}: {link} leads nowhere")
            elif target in pages and unquote(parts.fragment) not in pages[target].anchors | {""}:
                faults.append(f"{name}: {link} names an anchor that is not there")
        for load in page.loads:
            parts = urlsplit(load)
            if parts.netloc:
                faults.append(f"{name}: loads {load} from another machine")
            elif not parts.scheme and not (path.parent / unquote(parts.path)).is_file():
                faults.append(f"{name}: loads {load}, which is not there")
    unreached = set(pages) - reached(folder / "index.html", leads_to)
    faults += [
        f"{path.relative_to(folder)}: no page leads to it"
        for path in sorted(unreached)
        if path.name not in EXTRA
    ]
    return faults


def external(link: str, parts: SplitResult) -> list[str]:
    """What is wrong with how an external link is written."""
    if parts.scheme == "mailto":
        return [] if "@" in parts.path else [f"{link} is no address"]
    if parts.scheme not in ("https", "http"):
        return [f"{link} has the scheme {parts.scheme!r}"]
    if not HOST.match(parts.hostname or ""):
        return [f"{link} names no host"]
    return [f"{link} has a space in it"] if re.search(r"\s", link) else []


def reached(start: Path, leads_to: dict[Path, set[Path]]) -> set[Path]:
    """Pages that links lead to, from one of them."""
    seen, waiting = {start}, [start]
    while waiting:
        new = leads_to[waiting.pop()] - seen
        seen |= new
        waiting += new
    return seen


def main() -> int:
    """Print every fault; 1 if there are any."""
    folder = Path(sys.argv[1])
    faults = check(folder)
    for fault in faults:
        print(f"error: {fault}", file=sys.stderr)
    if not faults:
        print(f"links of {len(list(folder.rglob('*.html')))} pages in {folder} are sound")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
