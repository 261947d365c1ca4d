"""A sweep on a real Slurm of one node: nodes fail, tasks are cancelled and requeued, and every point is done once.

usage: sweep_test.py MOESIM SCENARIO   (as root, with slurm-wlm and munge)
"""

import collections
import csv
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from slurm_cluster import Cluster, descendants, kill

SWEEP = """version: 1
base: {}
axes:
  training.global_batch_size: [{}]
  training.seq_length: {{from: 8, to: 1600, step: 8}}
  simulation.symmetry: [off]
"""


class Sweep:
    """A folder of one sweep, and the program in the cluster's environment."""

    def __init__(self, moesim: str, cluster: Cluster, folder: pathlib.Path) -> None:
        self.moesim, self.cluster, self.folder = moesim, cluster, folder

    def start(self, *arguments: str) -> subprocess.Popen:
        return subprocess.Popen([self.moesim, "sweep", *arguments], env=self.cluster.environment, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run(self, *arguments: str, status: int = 0) -> str:
        process = self.start(*arguments)
        out, err = process.communicate(timeout=600)
        assert process.returncode == status, (process.returncode, out, err)
        return out + err

    def finished(self) -> set[str]:
        return {file.stem for file in self.folder.glob("points/*.json")}

    def attempts(self) -> collections.Counter:
        """How often each point was started."""
        lines = (file.read_text().split() for file in self.folder.glob("attempts/*"))
        return collections.Counter(f"{int(point):06}" for file in lines for point in file)

    def wait_for(self, points: int) -> None:
        self.cluster.wait(lambda: len(self.finished()) >= points, f"point {points}", 600)

    def tasks(self) -> dict[str, list[int]]:
        """Numbers of tasks by state."""
        states: dict[str, list[int]] = collections.defaultdict(list)
        for line in self.cluster.call("squeue", "--noheader", "--array", "--states=all", "--format=%K|%T").splitlines():
            task, state = line.split("|")
            states[state].append(int(task))
        return states


def check_disturbed_sweep(moesim: str, cluster: Cluster, scenario: str, folder: pathlib.Path) -> None:
    file, local = folder / "sweep.yaml", folder / "local"
    file.write_text(SWEEP.format(scenario, 512))
    subprocess.run([moesim, "sweep", file, "-o", local], check=True, capture_output=True)
    sweep = Sweep(moesim, cluster, folder / "slurm-sweep")
    out = sweep.run(str(file), "-o", str(sweep.folder), "--slurm", "--no-wait", "--array-size", "8")
    job = out.split("submitted 200 points as job ")[1].split()[0]
    assert f"job {job}: " in out, out

    # While the job is at work, nobody else starts on it by mistake.
    refused = sweep.run("-o", str(sweep.folder), "--resume", status=2)
    assert f"job {job} of Slurm is at work on this sweep" in refused, refused

    sweep.wait_for(20)
    kept = {point: (sweep.folder / "points" / f"{point}.json").read_bytes() for point in sweep.finished()}
    tried = sweep.attempts()
    cluster.kill_node()
    lost = set(sweep.attempts()) - sweep.finished()
    assert lost, "the node died in the middle of its work"
    cluster.start_node()
    sweep.wait_for(80)
    disturb_a_task(sweep, cluster, job, ["scancel"], "CANCELLED")
    disturb_a_task(sweep, cluster, job, ["scontrol", "requeue"], "PENDING")
    status = sweep.run("--status", str(sweep.folder))
    assert status.startswith("200 points: ") and f"job {job}: " in status, status
    print("a node died, a task was cancelled, another requeued:", dict(sweep.tasks()))

    # Who cancels tasks means it: they are left alone until somebody resumes the sweep.
    cancelled = sweep.run("-o", str(sweep.folder), "--resume", "--slurm", status=1)
    assert "points are missing: tasks were cancelled; --resume goes on with them" in cancelled, cancelled
    before = sweep.finished()
    done = sweep.run(str(file), "-o", str(sweep.folder), "--resume", "--slurm", "--array-size", "2")
    assert f"submitted {200 - len(before)} points as job " in done, (len(before), done)
    assert "200 points: 200 done, 0 invalid, 0 failed" in done, done

    for name in ("sweep.csv", "sweep.h5"):
        assert (sweep.folder / name).read_bytes() == (local / name).read_bytes(), f"{name} differs from the local one"
    for point, contents in kept.items():
        assert (sweep.folder / "points" / f"{point}.json").read_bytes() == contents, f"point {point} was done twice"
        assert sweep.attempts()[point] == tried[point], f"point {point} was started again"
    timing = list(csv.DictReader((sweep.folder / "timing.csv").open()))
    assert all(row["job"].split("_")[0] >= job and row["host"] for row in timing), timing[0]
    # What ran when its task was killed, cancelled or requeued is done again, and nothing else: a task runs one point at a
    # time, and may have ended another whose result it had not written.
    again = sum(sweep.attempts().values()) - 200
    assert 0 < again <= 2 * (4 + 2), again
    print(f"the tables are those of the local sweep; {again} of 200 points were started twice")


def disturb_a_task(sweep: Sweep, cluster: Cluster, job: str, command: list[str], becomes: str) -> None:
    """One that runs, and is then in the state `becomes`: some end while one looks, and the next has its turn.

    Waiting ones Slurm does not requeue, and from 24 on it forgets those that it is told to cancel.
    """
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for task in sweep.tasks()["RUNNING"]:
            try:
                cluster.call(*command, f"{job}_{task}")
            except subprocess.CalledProcessError:
                continue
            cluster.wait(lambda: not {"RUNNING", "COMPLETING"} & {state for state, of in sweep.tasks().items() if task in of},
                         f"the end of task {task}")
            if task in sweep.tasks()[becomes]:
                return
        time.sleep(0.05)
    raise AssertionError(f"no task runs any more: {dict(sweep.tasks())}")


def check_killing_point(moesim: str, cluster: Cluster, scenario: str, folder: pathlib.Path) -> None:
    """A point that takes its task with it each time is marked as failed, with its log; the other one is done."""
    file = folder / "killer.yaml"
    file.write_text(f"version: 1\nbase: {scenario}\naxes: {{training.global_batch_size: [4, 60000]}}\n"
                    .replace("axes: {", "axes: {simulation.symmetry: [off], "))
    sweep = Sweep(moesim, cluster, folder / "killer")
    follower = sweep.start(str(file), "-o", str(sweep.folder), "--slurm", "--array-size", "1")
    for attempt in (1, 2, 3):
        cluster.wait(lambda: sweep.attempts()["000001"] == attempt, f"attempt {attempt}")
        for step in cluster.steps():
            for process in descendants(step):
                kill(process)
    out, err = follower.communicate(timeout=600)
    assert follower.returncode == 1, (out, err)
    assert "2 points: 1 done, 0 invalid, 1 failed" in out, out
    assert "was started 3 times on Slurm and never ended: task 0 of submission 3 ended as FAILED; its log is " \
           "slurm/0003/0.log" in out, out
    print("a point that killed its task three times is a failure with its log")


def main() -> None:
    moesim, scenario = (str(pathlib.Path(path).resolve()) for path in sys.argv[1:])
    assert os.geteuid() == 0, "a Slurm of its own can be started by root only"
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "cluster").mkdir()
        with Cluster(folder / "cluster") as cluster:
            check_disturbed_sweep(moesim, cluster, scenario, folder)
            check_killing_point(moesim, cluster, scenario, folder)
    print(f"took {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
