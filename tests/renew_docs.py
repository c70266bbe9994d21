"""Write the output that commands print now into the README and docs/, in place of what is there.

    python tests/renew_docs.py [PAGE.md ...]

Lines keep their place: a line whose words are printed gets the numbers of today, and one whose
words are not printed any more is named, to be mended by hand.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from printed_blocks import PageRun, blocks, given, matched

DOCS = Path(__file__).parents[1] / "docs"


def renew(page: Path) -> list[str]:
    """Renew one page; give the lines that nobody prints any more."""
    lines = page.read_text(encoding="utf-8").splitlines()
    gone, here = [], PageRun()
    if given(page):
        return [f"{page.name}: left alone, since it takes {', '.join(given(page))} as given"]
    for block in blocks(page):
        if {"not run", "run by"} & set(block.marks) or block.word == "real-data":
            continue
        place = block.line
        for line, found in matched(block.shown, here.run(block)):
            place = lines.index(line, place)
            if found is None:
                gone.append(f"{page.name}:{place + 1}: {line}")
            else:
                lines[place] = found
            place += 1
    page.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return gone


def main() -> int:
    """Renew the pages named, or all."""
    named = [Path(name).resolve() for name in sys.argv[1:]]
    pages = [page for page in sorted(DOCS.rglob("*.md")) if "_build" not in page.parts]
    pages = named or [DOCS.parent / "README.md", *pages]
    os.environ["MPLBACKEND"] = "Agg"
    gone = []
    for page in pages:
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            gone += renew(page)
            os.chdir(DOCS)
    print("\n".join(gone))
    return 1 if gone else 0


if __name__ == "__main__":
    sys.exit(main())
