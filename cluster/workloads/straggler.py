"""One task takes far longer than the others, which have just as much input."""
import argparse
import time

from pyspark import TaskContext
from pyspark.sql import SparkSession


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=12)
    parser.add_argument("--task-seconds", type=float, default=1.0)
    parser.add_argument("--slow-seconds", type=float, default=25.0, help="what one of the tasks takes")
    options = parser.parse_args()

    def work(records):
        records = list(records)
        slow = TaskContext.get().partitionId() == options.tasks // 2
        time.sleep(options.slow_seconds if slow else options.task_seconds)
        return [len(records)]

    spark = SparkSession.builder.getOrCreate()
    spark.sparkContext.setJobDescription("one slow task")
    numbers = spark.sparkContext.parallelize(range(240_000), options.tasks)
    shuffled = numbers.map(lambda number: (number, number)).partitionBy(options.tasks)
    print(shuffled.mapPartitions(work).collect())
    spark.stop()


if __name__ == "__main__":
    main()
