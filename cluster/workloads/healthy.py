"""Balanced work on all executors, several jobs, no fault whatever."""
import argparse
import time

from pyspark.sql import SparkSession, functions as F


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30, help="goes on with new jobs for this long")
    parser.add_argument("--rows", type=int, default=3_000_000, help="per job")
    options = parser.parse_args()

    spark = (
        SparkSession.builder.config("spark.sql.shuffle.partitions", 4)
        .config("spark.sql.adaptive.coalescePartitions.enabled", "false")
        .getOrCreate()
    )

    def job(rows):
        numbers = spark.range(0, rows, numPartitions=4)
        digests = numbers.select((F.col("id") % 1024).alias("key"), F.sha2(F.col("id").cast("string"), 512).alias("digest"))
        return digests.groupBy("key").agg(F.max("digest").alias("digest")).agg(F.max("digest")).first()

    spark.sparkContext.setJobDescription("warm-up")
    job(10_000)
    deadline = time.monotonic() + options.seconds
    batch = 0
    while time.monotonic() < deadline:
        spark.sparkContext.setJobDescription(f"batch {batch}")
        job(options.rows)
        batch += 1
    print(f"{batch} batches")
    spark.stop()


if __name__ == "__main__":
    main()
