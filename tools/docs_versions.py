"""Put the built site among those of other versions: a folder each, which GitHub Pages serves.

Run after ``make docs``: ``python tools/docs_versions.py PUBLISHED 0.2``, or ``dev`` for what is not
released. PUBLISHED, which is made where it is not there, gets:

* ``0.2/`` with the English site, ``0.2/pt/`` with the Portuguese one, as ``make docs`` built them;
* ``latest/``, a copy of the newest release, or of ``dev`` where there is none;
* the list of versions, from which the theme fills its selector, and one in each version's folder,
  where the Portuguese pages look for theirs;
* a first page, which leads to ``latest/``, and the list of pages for machines.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

from llms_txt import SITE, URL

LATEST: Final = "latest"
DEVELOPMENT: Final = "dev"
LIST: Final = "versions.json"

_VERSION: Final = re.compile(r"\d+(\.\d+)*")
_LEAD: Final = f"""\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>evolution-sdk</title>
<meta http-equiv="refresh" content="0; url=latest/">
<link rel="canonical" href="{URL}">
<p><a href="latest/">evolution-sdk</a></p>
</html>
"""


def newest_first(versions: Collection[str]) -> list[str]:
    """Versions as the selector shows them: development, then the newest release.

    Args:
        versions: Names of folders, such as ``dev`` and ``0.10``.
    """
    releases = [version for version in versions if version != DEVELOPMENT]
    releases.sort(key=lambda version: [int(part) for part in version.split(".")], reverse=True)
    return [DEVELOPMENT, *releases] if DEVELOPMENT in versions else releases


def rows(versions: Sequence[str], latest: str, path: str = "{}") -> list[dict[str, object]]:
    """What the theme reads of each version.

    Args:
        versions: In the order to show.
        latest: The one that ``latest/`` holds.
        path: Way to a version's pages from beside those that ask; ``{}`` stands for the version.
    """
    return [
        {
            "version": path.format(version),
            "title": version,
            "aliases": [LATEST] if version == latest else [],
        }
        for version in versions
    ]


def here(versions: Sequence[str], latest: str, own: str) -> list[dict[str, object]]:
    """The list for the Portuguese pages of one version: ``pt`` is the way to their own folder.

    Args:
        versions: In the order to show.
        latest: The one that ``latest/`` holds.
        own: The version whose pages read it.
    """
    listed = rows(versions, latest, "../{}/pt")
    for row in listed:
        if row["title"] == own:
            row["aliases"] = ["pt"]
    return listed


def publish(site: Path, published: Path, version: str) -> None:
    """Add a version, or replace it, and write the lists anew.

    Args:
        site: What ``make docs`` built.
        published: Folder of all versions.
        version: ``dev``, or numbers such as ``0.2``.

    Raises:
        SystemExit: The site was not built, or this is no version.
    """
    if not _is_version(version):
        raise SystemExit(f"{version!r} is neither 'dev' nor a version such as 0.2")
    if not (site / "index.html").is_file():
        raise SystemExit(f"{site} holds no site: run make docs first")
    published.mkdir(parents=True, exist_ok=True)
    _copy(site, published / version)
    versions = newest_first({one.name for one in published.iterdir() if _is_version(one.name)})
    latest = next((one for one in versions if one != DEVELOPMENT), DEVELOPMENT)
    _copy(published / latest, published / LATEST)
    _write(published / LIST, rows(versions, latest))
    for each in versions:
        _write(published / each / LIST, here(versions, latest, each))
    _write(published / LATEST / LIST, here(versions, latest, latest))
    (published / "index.html").write_text(_LEAD, "utf-8")
    # Without it GitHub Pages leaves out what begins with an underscore.
    (published / ".nojekyll").touch()
    shutil.copyfile(published / LATEST / "llms.txt", published / "llms.txt")


def _is_version(name: str) -> bool:
    return name == DEVELOPMENT or _VERSION.fullmatch(name) is not None


def _copy(site: Path, there: Path) -> None:
    shutil.rmtree(there, ignore_errors=True)
    shutil.copytree(site, there)


def _write(path: Path, listed: list[dict[str, object]]) -> None:
    path.write_text(json.dumps(listed, indent=1) + "\n", "utf-8")


def main(arguments: Sequence[str]) -> int:
    """Publish what was built; return the exit code.

    Args:
        arguments: Those of the command line.
    """
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("published", type=Path, help="folder of all versions")
    parser.add_argument("version", help="dev, or a version such as 0.2")
    parser.add_argument("--site", type=Path, default=SITE, help="what make docs built")
    options = parser.parse_args(arguments)
    publish(options.site, options.published, options.version)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
