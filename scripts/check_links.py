"""Checks that no link of the repository's Markdown pages to a file or heading of its own is dead.

    python scripts/check_links.py --check

Links to other hosts are not followed, so that the check gives the same answer everywhere.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).resolve().parent.parent
_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\[[^\]]*\]\(\s*<?([^)\s>]+)>?[^)]*\)|^\[[^\]]+\]:\s*(\S+)", re.MULTILINE)
_HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$", re.MULTILINE)
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:")


def main() -> int:
    """Print the dead links; 1 when there is one."""
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    dead = [message for page in sorted(pages) for message in dead_links(page)]
    sys.stdout.write("".join(f"{message}\n" for message in dead))
    sys.stdout.write(f"{len(pages)} pages, {len(dead)} dead links\n")
    return 1 if dead else 0


def dead_links(page: Path) -> list[str]:
    """A message for each link of a page that leads nowhere."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    found = (match[1] or match[2] for match in _LINK.finditer(_CODE.sub("", text)))
    name = page.relative_to(ROOT)
    return [
        f"{name}: {link}: {reason}"
        for link in found
        if (reason := why_dead(page, link)) is not None
    ]


def why_dead(page: Path, link: str) -> str | None:
    """Why a link leads nowhere; None when it leads somewhere, or to another host."""
    if _ELSEWHERE.match(link):
        return None
    path, _, anchor = unquote(link).partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.exists():
        return "no such file"
    if anchor and target.suffix == ".md" and anchor not in anchors(target):
        return "no such heading"
    return None


def anchors(page: Path) -> frozenset[str]:
    """The anchors of a page's headings: lower case, hyphens for spaces, other signs dropped."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    names = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in _HEADING.findall(text))
    return frozenset(name.replace(" ", "-") for name in names)


if __name__ == "__main__":
    sys.exit(main())
