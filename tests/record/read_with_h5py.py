"""read_with_h5py.py WRITE_SAMPLE: reads a result file as a user without moesim would, and checks what the README promises.

Needs nothing but h5py; the unit of every dataset, the words behind the integers and the rows of a folded rank are there.
"""
import subprocess
import sys
import tempfile
from pathlib import Path

import h5py


def datasets(file):
    found = {}
    file.visititems(lambda path, item: found.update({path: item}) if isinstance(item, h5py.Dataset) else None)
    return found


def check(file):
    # The two lines of the README.
    tasks = {name: column[:] for name, column in file["tasks"].items()}
    names = file["tasks/name"].attrs["words"].astype(str)[tasks["name"]]

    assert len({len(column) for column in tasks.values()}) == 1, "columns of /tasks differ in length"
    assert set(names[tasks["stream"] == 3]) == {"dispatch", "combine"}, "words do not belong to the integers"
    assert tasks["end"].max() == file["run/makespan"][()]

    for path, dataset in datasets(file).items():
        assert isinstance(dataset.attrs["unit"], str) and dataset.attrs["unit"], f"{path} has no unit"
        if dataset.ndim:
            assert dataset.chunks and dataset.shuffle and dataset.compression_opts == 1, f"{path} is not packed"
    assert file["tasks/start"].attrs["unit"] == "s" and file["tasks/flops"].attrs["unit"] == "FLOP"
    assert file["tasks/micro_batch"].dtype == "int32" and file["tasks/kind"].dtype == "uint8"

    # Rank 3 is folded: its rows are those of rank 2.
    assert list(file["ranks/rank"]) == list(range(len(file["ranks/node"])))
    assert list(file["ranks/class"])[2:4] == [file["ranks/class"][2]] * 2 and file["ranks/class"][0] == 0
    first, count = file["ranks/first_task"][3], file["ranks/task_count"][3]
    assert count > 0 and (tasks["rank"][first:first + count] == 2).all()
    assert (tasks["rank"] == 2).sum() == count

    assert file["run/format"].asstr()[()] == "moesim result" and file["run/format_version"][()] == 5
    assert file["run/scenario"].asstr()[()] == "version: 1\nname: sample\n"
    assert list(file["links/name"].asstr()[:]) == ["node0.nic0", "node0.nic1"]
    assert list(file["links/row_of_link"]) == [0, 1, 0, 1]
    assert list(file["symmetry/attribute"].asstr()[:]) == ["pipeline stage", "GPU speed"]
    assert file["links/bytes"].shape == (2, 10) and file["links/bytes"][1, 0] == 11
    assert list(file["memory"].attrs["categories"].astype(str)) == ["weights", "gradients", "optimizer", "activations"]
    assert file["memory/weights"].shape == file["memory/time"].shape
    assert list(file["experts/tokens"][1]) == [250, 50, 50, 50]


def main():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sample.h5"
        subprocess.run([sys.argv[1], str(path)], check=True, stdout=subprocess.DEVNULL)
        with h5py.File(path, "r") as file:
            check(file)


if __name__ == "__main__":
    main()
