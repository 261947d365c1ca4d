#!/usr/bin/env python3
"""Checks that the folders are the architecture: prints each violation as FILE:LINE: what is wrong, and exits with 1.

The moesim_library(name SOURCES ... DEPENDS ... PACKAGES ...) of each folder says what its files may include. Besides:
no cycles, foreign libraries stay with their owner, analysis never starts a run, READMEs exist, files stay short.
"""
import os
import re
import sys
from collections import namedtuple
from pathlib import Path

TOP = ("simulator", "platforms", "workloads", "schedulers", "analysis", "tests", "scripts", "cmake")
SUFFIXES = (".cpp", ".hpp", ".h", ".py", ".sh", ".js", ".cmake", "CMakeLists.txt")
MAX_LINES = 500
FORBIDDEN = {"analysis": "execution"}  # not even through another folder

# A library from outside: a regular expression for the start of its headers, its target in PACKAGES and, if there is
# one, the only folder (with its tests and the benchmarks) and the prefix of that folder's file names that may use it.
Foreign = namedtuple("Foreign", "headers target owner prefix", defaults=("", ""))
FOREIGN = (
    Foreign(r"(simgrid|xbt|smpi)/", "PkgConfig::SimGrid", "simulator/execution", "simgrid_"),
    Foreign(r"(hdf5|H5\w*)\.h$", "hdf5::hdf5", "simulator/record"),
    Foreign(r"yaml-cpp/", "yaml-cpp::yaml-cpp", "simulator/config"),
    Foreign(r"boost/", "Boost::headers"),
    Foreign(r"CLI/|CLI11", "CLI11::CLI11", "simulator/cli"),
    Foreign(r"(gtest|gmock)/", "GTest::gmock", "tests"),
    Foreign(r"benchmark/", "benchmark::benchmark", "tests/benchmarks"),
    Foreign(r"zlib\.h$", "ZLIB::ZLIB"),
    Foreign(r"pthread\.h$", "Threads::Threads"),
    Foreign(r"fmt/", "fmt::fmt"),
    Foreign(r"nlohmann/", "nlohmann_json::nlohmann_json"),
)

# One moesim_library(...); depends and packages give, for each name, the line that declares it.
Library = namedtuple("Library", "folder cmake_file depends packages")


def parse_libraries(cmake_file, text):
    text = re.sub(r"#[^\n]*", "", text)
    for call in re.finditer(r"\bmoesim_library\(\s*(\w+)([^)]*)\)", text):
        keyword, words = "", {"SOURCES": {}, "DEPENDS": {}, "PACKAGES": {}, "": {}}
        for word in re.finditer(r"\S+", call[2]):
            if word[0] in words:
                keyword = word[0]
            else:
                words[keyword][word[0]] = 1 + text.count("\n", 0, call.start(2) + word.start())
        yield call[1], Library(os.path.dirname(cmake_file), cmake_file, words["DEPENDS"], words["PACKAGES"])


def reachable(libraries, name):
    """What `name` may include besides itself; holds `name` only when there is a cycle."""
    found, todo = set(), [name]
    while todo:
        new = [d for d in libraries[todo.pop()].depends if d in libraries and d not in found]
        found.update(new)
        todo += new
    return found


def check_declarations(libraries):
    targets = {foreign.target: foreign for foreign in FOREIGN}
    for name, library in libraries.items():
        for other, line in library.depends.items():
            if other not in libraries:
                yield library.cmake_file, line, f"{name} depends on {other}, which no folder declares"
            elif name == other or name in reachable(libraries, other):
                yield library.cmake_file, line, f"{name} depends on {other}, which depends on {name}: a cycle"
            elif FORBIDDEN.get(name) in {other, *reachable(libraries, other)}:
                yield library.cmake_file, line, f"{name} must not depend on {FORBIDDEN[name]}, even through {other}"
        for target, line in library.packages.items():
            if target not in targets:
                yield library.cmake_file, line, f"{target} is unknown; say in check_layers.py who may use it"
            elif targets[target].owner not in ("", library.folder):
                yield library.cmake_file, line, f"{target} belongs to {targets[target].owner}, not to {library.folder}"


def check_include(path, include, libraries):
    home = next((name for name, library in libraries.items() if path.startswith(library.folder + "/")), None)
    other = next((name for name, library in libraries.items() if include.startswith(library.folder + "/")), home)
    if home and other != home and other not in reachable(libraries, home):
        yield f"{home} includes {include} without DEPENDS {other} in {libraries[home].cmake_file}"
    for foreign in (f for f in FOREIGN if re.match(f.headers, include)):
        allowed = (f"{foreign.owner}/{foreign.prefix}", f"tests/{Path(foreign.owner).name}/", "tests/benchmarks/")
        if foreign.owner and not path.startswith(allowed):
            yield f"only {allowed[0]}* may include {include}"
        elif home and foreign.target not in libraries[home].packages:
            yield f"{home} includes {include} without PACKAGES {foreign.target} in {libraries[home].cmake_file}"


def check_source(path, text, libraries):
    if (length := len(text.splitlines())) > MAX_LINES:
        yield path, MAX_LINES + 1, f"{length} lines, at most {MAX_LINES}: would two names tell the story better?"
    for number, line in enumerate(text.splitlines(), 1):
        if match := re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line):
            if match[1] == '"' and not Path(match[2]).is_file():
                yield path, number, f"{match[2]} is not a path from the root of the repository"
            yield from ((path, number, message) for message in check_include(path, match[2], libraries))


def check_repository():
    """All violations in the current directory as (path, line, message)."""
    texts = {str(path): path.read_text(encoding="utf-8") for top in TOP for path in Path(top).rglob("*")
             if path.name.endswith(SUFFIXES)}
    libraries = {name: library for path, text in texts.items() if path.endswith("CMakeLists.txt")
                 for name, library in parse_libraries(path, text)}
    yield from check_declarations(libraries)
    for path, text in texts.items():
        yield from check_source(path, text, libraries)
    for folder in {"", *filter(os.path.isdir, TOP), *(library.folder for library in libraries.values())}:
        if not os.path.isfile(readme := os.path.join(folder, "README.md")):
            yield readme, 1, "missing: every folder says what it is"


if __name__ == "__main__":
    os.chdir(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parents[1])
    sys.exit("\n".join("{}:{}: {}".format(*violation) for violation in sorted(check_repository())) or 0)
