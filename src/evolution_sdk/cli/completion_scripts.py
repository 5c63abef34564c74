"""Completion scripts of bash, zsh and fish."""

from __future__ import annotations

from typing import Final

from .completing import Level, Words

__all__ = ["bash", "fish", "zsh"]

_BASH: Final = """\
# bash completion of evolution, made by: evolution completion bash
_evolution() {{
    local cur prev word path="" i skip=""
    cur="${{COMP_WORDS[COMP_CWORD]}}"
    prev="${{COMP_WORDS[COMP_CWORD-1]}}"
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        word="${{COMP_WORDS[i]}}"
        if [[ -n $skip ]]; then skip=""; continue; fi
        case "$path:$word" in
            {values}) skip=1 ;;
            {paths}) path="${{path:+$path }}$word" ;;
        esac
    done
    if [[ -n $skip ]]; then
        case "$path:$prev" in
{choices}
        esac
        return
    fi
    if [[ $cur == -* ]]; then
        case "$path" in
{options}
        esac
        return
    fi
    case "$path" in
{words}
    esac
}}
complete -F _evolution evolution
"""


def bash(root: Level) -> str:
    """Return the script of bash.

    Args:
        root: The program.
    """
    levels = list(root.walk())
    valued = [(level, option) for level in levels for option in level.options if option.takes_value]
    return _BASH.format(
        values="|".join(_bash_flags(level, option) for level, option in valued),
        paths="|".join(
            f'"{_path(level.path[:-1])}:{level.path[-1]}"' for level in levels if level.path
        ),
        choices="\n".join(
            f"            {_bash_flags(level, option)}) {_bash_values(option)} ;;"
            for level, option in valued
            if option.choices or option.is_file
        ),
        options="\n".join(
            f'            "{_path(each.path)}") {_flags(each)} ;;' for each in levels
        ),
        words="\n".join(
            f'        "{_path(level.path)}") {found} ;;'
            for level in levels
            if (found := _bash_positionals(level))
        ),
    )


def _path(path: tuple[str, ...]) -> str:
    return " ".join(path)


def _bash_flags(level: Level, option: Words) -> str:
    return "|".join(f'"{_path(level.path)}:{flag}"' for flag in option.flags)


def _bash_reply(words: tuple[str, ...]) -> str:
    return f"""COMPREPLY=($(compgen -W "{" ".join(words)}" -- "$cur"))"""


def _flags(level: Level) -> str:
    return _bash_reply(tuple(flag for option in level.options for flag in option.flags))


def _bash_values(words: Words) -> str:
    if words.choices:
        return _bash_reply(words.choices)
    # The shell then escapes blanks in names, and puts a slash after folders.
    return 'compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$cur"))'


def _bash_positionals(level: Level) -> str:
    if level.below:
        return _bash_reply(tuple(each.path[-1] for each in level.below))
    for each in level.positionals:
        if each.choices or each.is_file:
            return _bash_values(each)
    return ""


def zsh(root: Level) -> str:
    """Return the script of zsh.

    Args:
        root: The program.
    """
    functions = "\n".join(_zsh_function(level) for level in root.walk())
    return (
        "#compdef evolution\n# zsh completion of evolution, made by: evolution completion zsh\n"
        f'{functions}\nif [[ $funcstack[1] == _evolution ]]; then _evolution "$@"; '
        "else compdef _evolution evolution; fi\n"
    )


def _zsh_function(level: Level) -> str:
    name = "_".join(("_evolution", *level.path)).replace("-", "_")
    specs = [_zsh_option(option, flag) for option in level.options for flag in option.flags]
    if not level.below:
        specs += [f"'*:{_zsh(each.help)}:{_zsh_values(each)}'" for each in level.positionals[:1]]
        return f"{name}() {{\n    _arguments {_continued(specs)}\n}}"
    specs += ["'1:command:->command'", "'*::argument:->argument'"]
    listed = " ".join(f"'{each.path[-1]}:{_zsh(each.help)}'" for each in level.below)
    cases = "\n".join(
        f"            {each.path[-1]}) {name}_{each.path[-1].replace('-', '_')} ;;"
        for each in level.below
    )
    return f"""{name}() {{
    local context state state_descr line
    typeset -A opt_args
    _arguments -C {_continued(specs)}
    case $state in
        command) local -a below; below=({listed}); _describe command below ;;
        argument) case $words[1] in
{cases}
        esac ;;
    esac
}}"""


def _continued(specs: list[str]) -> str:
    return " \\\n        ".join(specs)


def _zsh_option(option: Words, flag: str) -> str:
    value = f":value:{_zsh_values(option)}" if option.takes_value else ""
    return f"'{flag}[{_zsh(option.help)}]{value}'"


def _zsh_values(words: Words) -> str:
    if words.choices:
        return f"({' '.join(words.choices)})"
    return "_files" if words.is_file else " "


def _zsh(words: str) -> str:
    for special in ("\\", "[", "]", ":"):
        words = words.replace(special, f"\\{special}")
    return words.replace("'", "'\\''")


def fish(root: Level) -> str:
    """Return the script of fish.

    Args:
        root: The program.
    """
    lines = ["# fish completion of evolution, made by: evolution completion fish"]
    lines.append("complete -c evolution -f")
    for level in root.walk():
        where = _fish_where(level)
        lines += [
            f"complete -c evolution -n {where} -a {each.path[-1]} -d {_fish(each.help)}"
            for each in level.below
        ]
        lines += [
            f"complete -c evolution -n {where} {_fish_words(each)} -d {_fish(each.help)}"
            for each in level.words
            if each.flags or each.choices or each.is_file
        ]
    return "\n".join((*lines, ""))


def _fish_where(level: Level) -> str:
    if not level.path:
        return "__fish_use_subcommand"
    seen = [f"__fish_seen_subcommand_from {word}" for word in level.path]
    if level.below:
        below = " ".join(each.path[-1] for each in level.below)
        seen.append(f"not __fish_seen_subcommand_from {below}")
    return _fish("; and ".join(seen))


def _fish_words(words: Words) -> str:
    flags = [
        f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}" for flag in words.flags
    ]
    if words.choices:
        return " ".join((*flags, "-x" if flags else "-f", "-a", _fish(" ".join(words.choices))))
    if words.is_file:
        return " ".join((*flags, "-r" if flags else "", "-F"))
    return " ".join((*flags, *(["-x"] if words.takes_value else [])))


def _fish(words: str) -> str:
    escaped = words.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
