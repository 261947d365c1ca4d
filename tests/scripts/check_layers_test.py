"""check_layers.py goes red for each violation, at the right line, and stays green on a sound tree."""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "check_layers.py"

# A small sound tree; each test breaks it in one way.
SOUND = {
    "README.md": "",
    "simulator/README.md": "",
    "simulator/base/README.md": "",
    "simulator/base/CMakeLists.txt": "moesim_library(base SOURCES units.cpp)\n",
    "simulator/base/units.hpp": "#pragma once\n#include <vector>\n",
    "simulator/graph/README.md": "",
    "simulator/graph/CMakeLists.txt": (
        "moesim_library(graph\n  SOURCES task_graph.cpp\n  DEPENDS base # ids\n  PACKAGES Boost::headers fmt::fmt)\n"
    ),
    "simulator/graph/task_graph.hpp": '#include "simulator/base/units.hpp"\n',
    "simulator/graph/task_graph.cpp": "#include <boost/graph/topological_sort.hpp>\n#include <fmt/format.h>\n",
    "simulator/execution/README.md": "",
    "simulator/execution/CMakeLists.txt": (
        "moesim_library(execution SOURCES a.cpp\n  DEPENDS graph\n  PACKAGES PkgConfig::SimGrid)\n"
    ),
    "simulator/execution/simgrid_run.cpp": (
        '#include <simgrid/s4u.hpp>\n#include "simulator/graph/task_graph.hpp"\n#include "simulator/base/units.hpp"\n'
    ),
    "analysis/README.md": "",
    "analysis/CMakeLists.txt": "moesim_library(analysis SOURCES summary.cpp\n  DEPENDS base)\n",
    "analysis/summary.cpp": '#include "simulator/base/units.hpp"\n',
    "tests/README.md": "",
    "tests/graph/task_graph_test.cpp": '#include <boost/graph/graph_traits.hpp>\n#include <gtest/gtest.h>\n',
}


def violations(changes):
    """The lines that check_layers.py prints for the sound tree with `changes` (None removes a file)."""
    with tempfile.TemporaryDirectory() as root:
        for name, text in {**SOUND, **changes}.items():
            if text is not None:
                path = Path(root, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
        done = subprocess.run([sys.executable, SCRIPT, root], capture_output=True, text=True, check=False)
    lines = done.stderr.splitlines()
    assert done.stdout == "" and done.returncode == (1 if lines else 0), done
    return lines


class CheckLayers(unittest.TestCase):
    def assert_found(self, changes, *expected):
        self.assertEqual(violations(changes), list(expected))

    def test_sound_tree_is_green(self):
        self.assert_found({})

    def test_undeclared_folder(self):
        self.assert_found(
            {"simulator/base/units.hpp": '#pragma once\n#include "simulator/graph/task_graph.hpp"\n'},
            "simulator/base/units.hpp:2: base includes simulator/graph/task_graph.hpp without DEPENDS graph"
            " in simulator/base/CMakeLists.txt",
        )

    def test_relative_include_does_not_hide_a_folder(self):
        self.assert_found(
            {"analysis/summary.cpp": '#include "../simulator/graph/graph.hpp"\n'},
            "analysis/summary.cpp:1: ../simulator/graph/graph.hpp is not a path from the root of the repository",
        )

    def test_relative_include_of_an_existing_file(self):
        self.assert_found(
            {"simulator/graph/task_graph.hpp": '#include "task_graph.cpp"\n'},
            "simulator/graph/task_graph.hpp:1: task_graph.cpp is not a path from the root of the repository",
        )

    def test_cycle_names_both_edges(self):
        self.assert_found(
            {"simulator/base/CMakeLists.txt": "moesim_library(base\n  SOURCES units.cpp\n  DEPENDS graph)\n"},
            "simulator/base/CMakeLists.txt:3: base depends on graph, which depends on base: a cycle",
            "simulator/graph/CMakeLists.txt:3: graph depends on base, which depends on graph: a cycle",
        )

    def test_self_dependency(self):
        self.assert_found(
            {"simulator/base/CMakeLists.txt": "moesim_library(base SOURCES units.cpp DEPENDS base)\n"},
            "simulator/base/CMakeLists.txt:1: base depends on base, which depends on base: a cycle",
        )

    def test_unknown_folder(self):
        self.assert_found(
            {"analysis/CMakeLists.txt": "moesim_library(analysis SOURCES summary.cpp\n  DEPENDS base\n  nowhere)\n"},
            "analysis/CMakeLists.txt:3: analysis depends on nowhere, which no folder declares",
        )

    def test_analysis_never_starts_a_run(self):
        self.assert_found(
            {"analysis/CMakeLists.txt": "moesim_library(analysis SOURCES summary.cpp\n  DEPENDS base execution)\n"},
            "analysis/CMakeLists.txt:2: analysis must not depend on execution, even through execution",
        )

    def test_analysis_never_starts_a_run_through_another_folder(self):
        self.assert_found(
            {
                "analysis/CMakeLists.txt": "moesim_library(analysis SOURCES summary.cpp\n  DEPENDS base scenario)\n",
                "simulator/scenario/README.md": "",
                "simulator/scenario/CMakeLists.txt": "moesim_library(scenario SOURCES a.cpp DEPENDS execution)\n",
            },
            "analysis/CMakeLists.txt:2: analysis must not depend on execution, even through scenario",
        )

    def test_simgrid_outside_its_files(self):
        self.assert_found(
            {"simulator/execution/ideal.cpp": "#include <simgrid/s4u.hpp>\n"},
            "simulator/execution/ideal.cpp:1: only simulator/execution/simgrid_* may include simgrid/s4u.hpp",
        )

    def test_foreign_headers_outside_their_owner(self):
        for header, owner in {
            "simgrid/s4u.hpp": "simulator/execution/simgrid_*",
            "xbt/log.h": "simulator/execution/simgrid_*",
            "hdf5.h": "simulator/record/*",
            "H5Fpublic.h": "simulator/record/*",
            "yaml-cpp/yaml.h": "simulator/config/*",
            "CLI/CLI.hpp": "simulator/cli/*",
            "gtest/gtest.h": "tests/*",
        }.items():
            with self.subTest(header):
                self.assert_found(
                    {"analysis/summary.cpp": f"\n#  include <{header}>\n"},
                    f"analysis/summary.cpp:2: only {owner} may include {header}",
                )

    def test_foreign_headers_in_tests_of_another_folder(self):
        self.assert_found(
            {"tests/analysis/summary_test.cpp": "#include <hdf5.h>\n"},
            "tests/analysis/summary_test.cpp:1: only simulator/record/* may include hdf5.h",
        )

    def test_undeclared_package(self):
        self.assert_found(
            {"analysis/summary.cpp": "#include <fmt/format.h>\n"},
            "analysis/summary.cpp:1: analysis includes fmt/format.h without PACKAGES fmt::fmt in analysis/CMakeLists.txt",
        )

    def test_package_of_another_folder(self):
        self.assert_found(
            {"analysis/CMakeLists.txt": "moesim_library(analysis SOURCES summary.cpp\nDEPENDS base PACKAGES hdf5::hdf5)\n"},
            "analysis/CMakeLists.txt:2: hdf5::hdf5 belongs to simulator/record, not to analysis",
        )

    def test_unknown_package(self):
        self.assert_found(
            {"analysis/CMakeLists.txt": "moesim_library(analysis SOURCES summary.cpp\nDEPENDS base PACKAGES Qt::Core)\n"},
            "analysis/CMakeLists.txt:2: Qt::Core is unknown; say in check_layers.py who may use it",
        )

    def test_missing_readmes(self):
        self.assert_found(
            {"README.md": None, "simulator/README.md": None, "simulator/graph/README.md": None},
            "README.md:1: missing: every folder says what it is",
            "simulator/README.md:1: missing: every folder says what it is",
            "simulator/graph/README.md:1: missing: every folder says what it is",
        )

    def test_long_files(self):
        self.assert_found({"tests/graph/long_test.cpp": "\n" * 500})
        self.assert_found(
            {"tests/graph/long_test.cpp": "\n" * 501},
            "tests/graph/long_test.cpp:501: 501 lines, at most 500: would two names tell the story better?",
        )


if __name__ == "__main__":
    unittest.main()
