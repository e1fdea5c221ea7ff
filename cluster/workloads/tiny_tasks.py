"""Thousands of tasks of a few milliseconds each: the driver hands out more than the executors compute."""
import argparse

from pyspark.sql import SparkSession, functions as F

TASKS = {"small": 3_000, "large": 7_000}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=TASKS, default="small")
    options = parser.parse_args()

    spark = SparkSession.builder.getOrCreate()
    spark.sparkContext.setJobDescription("far too many partitions")
    tasks = TASKS[options.size]
    rows = spark.range(0, 100 * tasks, numPartitions=tasks).select(F.sha2(F.col("id").cast("string"), 256))
    rows.write.format("noop").mode("overwrite").save()
    spark.stop()


if __name__ == "__main__":
    main()
