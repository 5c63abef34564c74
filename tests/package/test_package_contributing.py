"""The door for contributors: workflows, forms, hooks and the lock fit the repository."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import services

ROOT = Path(__file__).parents[2]
FILE = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PROJECT, GROUPS = FILE["project"], FILE["dependency-groups"]
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
TARGETS = set(re.findall(r"^([a-z][\w-]*):(?!=)", MAKEFILE, re.MULTILINE))
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
OTHERS = [ROOT / ".pre-commit-config.yaml", ROOT / ".github" / "dependabot.yml"]
PAGES = [ROOT / name for name in ("CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md")]
# A command of make: at the beginning of a line or of an inline code, or after "&&" and the like.
MAKE = re.compile(r"(?:^|[`>:]|&&)\s*make ((?:[\w-]+ ?)+)", re.MULTILINE)


def short(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def steps(workflow: Path) -> list[dict[str, Any]]:
    return [step for job in read(workflow)["jobs"].values() for step in job.get("steps", ())]


def test_the_three_workflows_are_there() -> None:
    assert {path.stem for path in WORKFLOWS} >= {"test", "docs", "release"}


@pytest.mark.parametrize("path", [*WORKFLOWS, *FORMS, *OTHERS], ids=short)
def test_it_parses(path: Path) -> None:
    assert isinstance(read(path), dict)


@pytest.mark.parametrize(
    "path", [*WORKFLOWS, *OTHERS, *PAGES, ROOT / ".ci" / "run", ROOT / "README.md"], ids=short
)
def test_every_make_target_that_is_named_exists(path: Path) -> None:
    named = {
        word for found in MAKE.finditer(path.read_text("utf-8")) for word in found[1].split()[:1]
    }
    assert named <= TARGETS


def test_each_target_is_phony_and_says_what_it_does() -> None:
    phony = re.search(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)
    assert phony is not None
    assert set(phony[1].split()) == TARGETS


@pytest.mark.parametrize("path", WORKFLOWS, ids=short)
def test_a_workflow_may_only_read_unless_a_job_says_more(path: Path) -> None:
    workflow = read(path)
    assert workflow["permissions"] == {"contents": "read"}
    for name, job in workflow["jobs"].items():
        # A called workflow has limits of its own.
        assert "uses" in job or job["timeout-minutes"] <= 60, name


@pytest.mark.parametrize("path", WORKFLOWS, ids=short)
def test_actions_are_pinned_to_a_major_version(path: Path) -> None:
    for step in steps(path):
        if "uses" in step:
            assert re.fullmatch(r"[\w-]+/[\w-]+@(v\d+|release/v1)", step["uses"])
            if step["uses"].startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False


def test_every_python_and_both_ends_are_tried() -> None:
    matrix = read(ROOT / ".github/workflows/test.yml")["jobs"]["test"]["strategy"]["matrix"]
    named = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
    assert set(named) <= set(matrix["python"])
    assert {"lowest", "newest", "locked"} == set(matrix["dependencies"])


def test_a_release_is_trusted_attested_and_listed() -> None:
    jobs = read(ROOT / ".github/workflows/release.yml")["jobs"]
    assert jobs["publish"]["permissions"] == {"id-token": "write"}
    used = " ".join(step.get("uses", "") for step in steps(ROOT / ".github/workflows/release.yml"))
    for action in ("gh-action-pypi-publish", "attest-build-provenance", "attest-sbom"):
        assert action in used
    assert "password" not in (ROOT / ".github/workflows/release.yml").read_text("utf-8")


@pytest.mark.parametrize("path", FORMS, ids=short)
def test_a_form_has_what_github_asks_of_it(path: Path) -> None:
    form = read(path)
    if path.name == "config.yml":
        assert all(link.keys() == {"name", "url", "about"} for link in form["contact_links"])
        return
    assert {"name", "description", "body"} <= form.keys()
    ids = [part["id"] for part in form["body"] if part["type"] != "markdown"]
    assert len(ids) == len(set(ids)) > 0


def test_make_installs_every_extra() -> None:
    listed = re.search(r"^EXTRAS := (\S+)$", MAKEFILE, re.MULTILINE)
    assert listed is not None
    assert listed[1].split(",") == sorted(PROJECT["optional-dependencies"])


def members(group: str) -> list[str]:
    found: list[str] = []
    for one in GROUPS[group]:
        found += members(one["include-group"]) if isinstance(one, dict) else [one]
    return found


def test_no_group_names_a_package_twice_nor_one_that_users_get() -> None:
    names = [canonicalize_name(Requirement(one).name) for one in members("dev")]
    assert len(names) == len(set(names))
    extras = PROJECT["optional-dependencies"].values()
    own = [*PROJECT["dependencies"], *(one for extra in extras for one in extra)]
    assert not {canonicalize_name(Requirement(one).name) for one in own} & set(names)


LOCKED = [
    Requirement(line)
    for line in (ROOT / "requirements" / "dev.lock").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
]


def test_the_lock_names_versions_and_no_place() -> None:
    text = (ROOT / "requirements" / "dev.lock").read_text("utf-8")
    assert "://" not in text
    assert "index-url" not in text
    assert all(str(one.specifier).startswith("==") for one in LOCKED)


def test_the_lock_covers_all_that_is_declared() -> None:
    """After a change of pyproject.toml: make lock."""
    extras = PROJECT["optional-dependencies"].values()
    declared = [
        *PROJECT["dependencies"], *(one for extra in extras for one in extra), *members("dev"),
    ]  # fmt: skip
    pinned: dict[str, list[str]] = {}
    for one in LOCKED:
        pinned.setdefault(canonicalize_name(one.name), []).append(str(one.specifier)[2:])
    for text in declared:
        asked = Requirement(text)
        if asked.name == PROJECT["name"]:
            continue
        versions = pinned.get(canonicalize_name(asked.name), [])
        assert versions, f"{text} is not in requirements/dev.lock: make lock"
        assert all(asked.specifier.contains(each, prereleases=True) for each in versions), text


def test_ci_is_make_test_and_a_script_that_bash_reads() -> None:
    script = ROOT / ".ci" / "run"
    subprocess.run(["bash", "-n", str(script)], check=True)
    lines = script.read_text("utf-8").splitlines()
    assert lines[-1] == "make test"


def test_generated_files_are_marked() -> None:
    """And only these: what is marked stays folded in a review."""
    listed = subprocess.run(
        ["git", "ls-files", "src", "api", "docs/reference"], cwd=ROOT,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode:
        pytest.skip("no git repository here")
    made = {
        name
        for name in listed.stdout.split()
        if name in ("api/public.txt", "docs/reference/operations.md")
        or (ROOT / name).read_text("utf-8", "replace").startswith("# Generated by ")
    }
    asked = subprocess.run(
        ["git", "check-attr", "linguist-generated", "--stdin"], cwd=ROOT,
        input=listed.stdout, capture_output=True, text=True, check=True,
    )  # fmt: skip
    marked = {
        name
        for name, _, value in (line.rsplit(": ", 2) for line in asked.stdout.splitlines())
        if value == "set" and (ROOT / name).stat().st_size
    }
    assert made == marked


@pytest.mark.parametrize("page", PAGES, ids=short)
def test_the_pages_name_files_that_exist(page: Path) -> None:
    text = page.read_text("utf-8")
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", text)
    folders = "tests|docs|tools|facts|src|api|requirements|[.]github|[.]ci"
    files = re.findall(rf"`((?:{folders})/[\w./-]+)`", text)
    missing = [name for name in (*links, *files) if not (ROOT / name).exists()]
    assert missing == []


def test_the_groups_and_variables_of_the_page_are_those_of_the_project() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    for group in (*(each["include-group"] for each in GROUPS["dev"]), "dev"):
        assert f"`{group}`" in text
    assert f"Python {PROJECT['requires-python'].removeprefix('>=')} or newer" in text


@pytest.mark.parametrize("variable", [None, services.REQUIRED, services.BROWSER_REQUIRED])
def test_a_program_that_is_not_here_skips_or_fails_and_says_how_to_get_it(
    variable: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in (services.REQUIRED, services.BROWSER_REQUIRED):
        monkeypatch.delenv(each, raising=False)
    if variable is not None:
        monkeypatch.setenv(variable, "1")
    outcome = pytest.skip.Exception if variable is None else pytest.fail.Exception
    says = variable or "apt-get install prometheus"
    with pytest.raises(outcome, match=says):
        services.require_program("no-such-promtool", "prometheus")


def test_every_file_that_git_treats_differently_is_there() -> None:
    lines = (ROOT / ".gitattributes").read_text("utf-8").splitlines()
    named = [line.split()[0] for line in lines if line and not line.startswith("#")]
    assert named
    assert [pattern for pattern in named if not any(ROOT.glob(pattern))] == []
