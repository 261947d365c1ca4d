"""A script of scripts/ as a module, and what it prints."""
import contextlib
import importlib.util
import io
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


def load(name):
    """The module of scripts/NAME.py."""
    spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def output_of(main, *options):
    """(exit status, stdout) of main(options)."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        try:
            status = main(list(options))
        except SystemExit as problem:
            status = problem.code
    return status, out.getvalue()
