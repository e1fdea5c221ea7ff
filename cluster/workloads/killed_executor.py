"""One executor is killed (SIGKILL) in the middle of a job; its work is done again and the job succeeds."""
# submit: spark.shuffle.readHostLocalDisk=false
import argparse
import os
import signal
import time

from pyspark import TaskContext
from pyspark.sql import SparkSession


def parent(pid):
    with open(f"/proc/{pid}/stat") as stat:
        return int(stat.read().rpartition(")")[2].split()[1])


def command(pid):
    with open(f"/proc/{pid}/comm") as comm:
        return comm.read().strip()


def kill_executor():
    pid = os.getpid()
    while command(pid) != "java":
        pid = parent(pid)
    os.kill(pid, signal.SIGKILL)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=18, help="in each of the two stages")
    parser.add_argument("--task-seconds", type=float, default=1.0)
    options = parser.parse_args()

    def first(records):
        time.sleep(options.task_seconds)
        return [(value % options.tasks, value) for value in records]

    def second(records):
        time.sleep(options.task_seconds)
        # Spark numbers task attempts on and on, so this one comes only once,
        # in the middle of the second stage.
        if TaskContext.get().taskAttemptId() == options.tasks + options.tasks // 2:
            kill_executor()
        return [sum(len(values) for _, values in records)]

    spark = SparkSession.builder.getOrCreate()
    spark.sparkContext.setJobDescription("a job that loses an executor")
    numbers = spark.sparkContext.parallelize(range(100_000), options.tasks)
    total = numbers.mapPartitions(first).groupByKey(options.tasks).mapPartitions(second).sum()
    print(total)
    spark.stop()


if __name__ == "__main__":
    main()
