"""Trials of architecture searches in CSV files, to be read, drawn and committed.

A file is rewritten whole with every new row, so an interruption leaves no half of
one. One process writes a file; several share `architectures.search_storage`.
"""

import csv
import io
import os
import time
from pathlib import Path

from helpers.architectures.search import Trial
from helpers.callbacks.atomic import explain_full_disk, write_atomic
from helpers.describe import describe

TRIALS = "trials.csv"
# What is known of a trial of a search, behind the values of its choices.
MEASURED = {
    "parameters": int,
    "multiply_adds": int,
    "accuracy": float,
    "seconds": float,
    "algorithm": str,
    "seed": int,
}


class Table:
    """Candidates and what was measured of them: a row each, in a CSV file."""

    def __init__(self, path, space, columns):
        """Name the file; it is made with the first row.

        Args:
            path: The file.
            space: The `Space` of the candidates.
            columns: Type of each column behind the choices, by name.
        """
        self._path = Path(path)
        self._columns = dict(columns)
        # A choice's values by what the file says of them.
        self._values = {
            name: {str(value): value for value in values}
            for name, values in space.choices.items()
        }

    def rows(self):
        """Read the file.

        Returns:
            A dictionary a row, in the file's order: "candidate" and the columns.
            Empty where there is no file.

        Raises:
            ValueError: If the file is not one of this space and these columns.
        """
        if not self._path.exists():
            return []
        with open(self._path, newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            if list(reader.fieldnames or ()) != self._header():
                raise ValueError(
                    f"{self._path} has the columns {reader.fieldnames}, not "
                    f"{self._header()}: it is of another space. Move it away."
                )
            return [self._parsed(row, reader.line_num) for row in reader]

    def add(self, candidate, **measured):
        """Write one more row; all columns must be given."""
        rows = [*self.rows(), {"candidate": candidate, **measured}]
        text = io.StringIO()
        writer = csv.DictWriter(text, self._header(), lineterminator="\n")
        writer.writeheader()
        for row in rows:
            columns = {name: row[name] for name in self._columns}
            writer.writerow({**row["candidate"], **columns})
        with explain_full_disk(self._path.parent):
            write_atomic(self._path, text.getvalue())

    def _header(self):
        return [*self._values, *self._columns]

    def _parsed(self, row, line):
        try:
            candidate = {name: known[row[name]] for name, known in self._values.items()}
            columns = {name: kind(row[name]) for name, kind in self._columns.items()}
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{self._path}, line {line}: {error} is no value of its column. "
                "Mend the line, or move the file away."
            ) from error
        return {"candidate": candidate, **columns}


class TrialLog:
    """A storage for `search` that keeps its trials in a folder's `trials.csv`.

    A trial takes from the moment when the search reads the trials before it to the
    moment when it is added: so the seconds of a row are counted.
    """

    def __init__(self, folder: str | os.PathLike, space, algorithm, seed=0):
        """Name the folder.

        Args:
            folder: Folder of the search.
            space: The `Space` that is searched.
            algorithm: Name of the algorithm, for the rows.
            seed: Seed of the search, for the rows.
        """
        self._table = Table(Path(folder) / TRIALS, space, MEASURED)
        self._space = space
        self._names = {"algorithm": algorithm, "seed": seed}
        self._since = time.perf_counter()

    def rows(self):
        """Read all columns; see `Table.rows`."""
        return self._table.rows()

    def trials(self):
        """Returns the trials so far, oldest first."""
        trials = [
            Trial(row["candidate"], row["parameters"], row["accuracy"])
            for row in self.rows()
        ]
        self._since = time.perf_counter()
        return trials

    def add(self, trial):
        """Writes one more trial."""
        seconds = time.perf_counter() - self._since
        self._table.add(
            trial.candidate,
            parameters=trial.parameters,
            multiply_adds=describe(self._space.build(trial.candidate)).macs,
            accuracy=trial.accuracy,
            seconds=round(seconds, 1),
            **self._names,
        )
