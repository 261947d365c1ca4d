"""A real Slurm on this computer, as root: controller and one node, in a folder and on ports of its own."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import time

CONFIGURATION = """ClusterName=moesim
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmctldPort={controller_port}
SlurmdPort={node_port}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmdSpoolDir={folder}/node
StateSaveLocation={folder}/state
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SlurmdTimeout=5
SlurmctldTimeout=5
KillWait=2
SlurmdParameters=config_overrides
SchedulerParameters=sched_min_interval=0,batch_sched_delay=0,sched_interval=1
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=1000 State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Cluster:
    """Started when entered; when left, everything that it started has ended."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.daemons: dict[str, subprocess.Popen] = {}
        for name in ("node", "state"):
            (folder / name).mkdir()
        host = socket.gethostname().split(".")[0]
        (folder / "slurm.conf").write_text(CONFIGURATION.format(
            host=host, folder=folder, controller_port=free_port(), node_port=free_port()))
        version = subprocess.run(["slurmd", "-V"], check=True, capture_output=True, text=True).stdout.split()[1]
        if int(version.split(".")[0]) >= 24:  # earlier ones have no such word, and touch no cgroups unless asked to
            (folder / "cgroup.conf").write_text("CgroupPlugin=disabled\n")
        self.environment = os.environ | {"SLURM_CONF": str(folder / "slurm.conf")}
        self.node = host

    def __enter__(self) -> "Cluster":
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        self.folder.chmod(0o755)  # munged refuses what others could replace
        self.start("munged", "munged", "--foreground", "--force", f"--key-file={key}", "--num-threads=2",
                   *(f"--{name}={self.folder}/munge.{ending}" for name, ending in (
                       ("socket", "socket"), ("pid-file", "pid"), ("seed-file", "seed"))))
        self.wait(lambda: (self.folder / "munge.socket").exists(), "munged")
        self.start("slurmctld", "slurmctld", "-D")
        self.start_node()
        return self

    def __exit__(self, *_: object) -> None:
        if "slurmd" in self.daemons:
            self.kill_node()
        for name in reversed(list(self.daemons)):
            self.stop(name)

    def start(self, name: str, *command: str) -> None:
        log = (self.folder / f"{name}.out").open("ab")
        self.daemons[name] = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)

    def stop(self, name: str) -> None:
        daemon = self.daemons.pop(name)
        daemon.terminate()
        try:
            daemon.wait(20)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()

    def start_node(self) -> None:
        self.start("slurmd", "slurmd", "-D")
        self.wait(lambda: "idle" in self.call("sinfo", "--noheader", "--format=%t"), "the node")

    def kill_node(self) -> None:
        """As if its computer had lost power: the daemon, and all that it had started."""
        daemon = self.daemons.pop("slurmd")
        daemon.kill()
        daemon.wait()
        for step in self.steps():
            for process in [*descendants(step), step]:
                kill(process)

    def steps(self) -> list[int]:
        """The processes of Slurm that watch over tasks of this cluster."""
        found = subprocess.run(["pgrep", "slurmstepd"], capture_output=True, text=True).stdout.split()
        # From 24 on their own environment says nothing, but that of what they run does.
        return [step for step in map(int, found) if any(map(self.is_ours, [step, *descendants(step)]))]

    def is_ours(self, process: int) -> bool:
        try:
            return str(self.folder).encode() in pathlib.Path(f"/proc/{process}/environ").read_bytes()
        except OSError:
            return False

    def call(self, *command: str) -> str:
        return subprocess.run(command, env=self.environment, check=True, capture_output=True, text=True, timeout=60).stdout

    def wait(self, condition, what: str, seconds: float = 120) -> None:
        end = time.monotonic() + seconds
        while True:
            with contextlib.suppress(subprocess.CalledProcessError):
                if condition():
                    return
            if time.monotonic() > end:
                logs = "\n".join(f"{log.name}:\n{log.read_text(errors='replace')[-3000:]}"
                                 for log in sorted(self.folder.glob("*.log")) + sorted(self.folder.glob("*.out")))
                raise AssertionError(f"{what} did not come up\n{logs}")
            time.sleep(0.1)


def kill(process: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


def descendants(process: int) -> list[int]:
    children = subprocess.run(["pgrep", "-P", str(process)], capture_output=True, text=True).stdout.split()
    return [each for child in map(int, children) for each in [*descendants(child), child]]
