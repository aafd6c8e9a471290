"""How many cores there are for this process, and clusters of machines."""

import logging
import math
import os
from pathlib import Path
from typing import Any

import tensorflow as tf

CPU_MAX = Path("/sys/fs/cgroup/cpu.max")  # of a container: microseconds of computing, or "max", in so many of the clock


def usable_cores() -> int:
    """How many cores this process may use: those it is bound to, and no more than its container has the time of."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = map(float, CPU_MAX.read_text().split())
    except (OSError, ValueError):  # There is no container, or no limit.
        return cores
    return max(1, min(cores, math.ceil(quota / period)))


def hold_to(cores: int) -> None:
    """Gives TensorFlow as many threads as there are cores for it, before it has computed anything in this process."""
    tf.config.threading.set_intra_op_parallelism_threads(cores)
    tf.config.threading.set_inter_op_parallelism_threads(cores)


def connect(address: str | None = None) -> Any:
    """Connects this process to a Ray cluster: Ray.

    Args:
        address: Of the cluster, such as `"auto"`; None starts one on this machine. One that this process is connected
            to already is used in any case.

    Raises:
        ImportError: If Ray is not installed.
        ConnectionError: If there is no cluster at the address.
    """
    try:
        import ray
    except ImportError as error:
        raise ImportError("Work on a cluster needs Ray. Run: pip install 'keras_saliency[ray]'") from error
    if not ray.is_initialized():
        ray.init(address=address or "local", log_to_driver=False, logging_level=logging.ERROR)
    return ray
