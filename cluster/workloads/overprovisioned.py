"""Balanced work on executors of which each has far more memory than it ever uses."""
# submit: spark.executor.memory=3g
import argparse
import time

from pyspark.sql import SparkSession, functions as F

SECONDS = {"small": 25, "large": 50}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=SECONDS, default="small")
    options = parser.parse_args()

    spark = SparkSession.builder.getOrCreate()
    deadline = time.monotonic() + SECONDS[options.size]
    batch = 0
    while time.monotonic() < deadline:
        spark.sparkContext.setJobDescription(f"batch {batch}")
        digests = spark.range(0, 2_000_000, numPartitions=4).select(F.sha2(F.col("id").cast("string"), 512).alias("digest"))
        digests.agg(F.max("digest")).first()
        batch += 1
    spark.stop()


if __name__ == "__main__":
    main()
