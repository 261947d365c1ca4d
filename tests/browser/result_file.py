"""A result file as h5py reads it: what a page has to say."""

import json
import pathlib

import h5py
import numpy


class Result:
    def __init__(self, path: pathlib.Path) -> None:
        with h5py.File(path) as file:
            self.tasks = {name: column[:] for name, column in file["tasks"].items()}
            self.words = {name: column.attrs["words"].astype(str) for name, column in file["tasks"].items()
                          if "words" in column.attrs}
            self.first, self.before = file["dependencies/first"][:], file["dependencies/before"][:]
            self.memory = {name: column[:] for name, column in file["memory"].items()}
            self.makespan = file["run/makespan"][()]
            self.summary = json.loads(file["run/summary"].asstr()[()])

    def rows(self, **wanted: object) -> list[int]:
        """Rows in which every named column has the value; words are given as words."""
        holds = numpy.ones(len(self.tasks["start"]), bool)
        for column, value in wanted.items():
            number = list(self.words[column]).index(value) if isinstance(value, str) else value
            holds &= self.tasks[column] == number
        return [int(row) for row in numpy.flatnonzero(holds)]

    def word(self, column: str, row: int) -> str:
        return str(self.words[column][self.tasks[column][row]])

    def rows_before(self, row: int) -> list[int]:
        """The rows of the tasks that a row's task waits for, the last to end first; one row of each."""
        task = self.tasks["task"][row]
        found = [self.rows(task=other)[0] for other in self.before[self.first[task]:self.first[task + 1]]]
        return sorted(found, key=lambda other: -self.tasks["end"][other])
