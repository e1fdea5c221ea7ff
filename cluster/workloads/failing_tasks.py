"""A share of the tasks fails at the first attempt, in several stages; the job succeeds in the end."""
import argparse
import time

from pyspark import TaskContext
from pyspark.sql import SparkSession


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=3, help="of two stages each")
    parser.add_argument("--tasks", type=int, default=8, help="in each stage")
    parser.add_argument("--task-seconds", type=float, default=1.2)
    parser.add_argument("--every", type=int, default=3, help="each so many-th task fails once")
    options = parser.parse_args()

    def work(records):
        time.sleep(options.task_seconds)
        task = TaskContext.get()
        if task.attemptNumber() == 0 and task.partitionId() % options.every == 0:
            raise ValueError(f"unreadable record in partition {task.partitionId()}")
        return [(value % options.tasks, value) for _, value in records]

    spark = SparkSession.builder.getOrCreate()
    context = spark.sparkContext
    records = [(0, value) for value in range(1000)]
    for job in range(options.jobs):
        context.setJobDescription(f"batch {job} with unreadable records")
        source = context.parallelize(records, options.tasks)
        source.mapPartitions(work).groupByKey(options.tasks).flatMapValues(list).mapPartitions(work).count()
    spark.stop()


if __name__ == "__main__":
    main()
