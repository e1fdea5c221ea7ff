"""A stage of fewer tasks than there are cores does most of the work, while the other executors idle."""
import argparse

from pyspark.sql import SparkSession, functions as F

ROWS = {"small": 3_000_000, "large": 7_000_000}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=ROWS, default="small")
    options = parser.parse_args()

    spark = SparkSession.builder.getOrCreate()
    context = spark.sparkContext
    context.setJobDescription("balanced work")
    ids = spark.range(0, 2_000_000, numPartitions=4).select(F.sha2(F.col("id").cast("string"), 512).alias("digest"))
    ids.agg(F.max("digest")).first()

    context.setJobDescription("all rows in one partition")
    digest = F.col("id").cast("string")
    for _ in range(4):
        digest = F.sha2(digest, 512)
    spark.range(0, ROWS[options.size], numPartitions=8).coalesce(1).select(digest.alias("digest")).agg(F.max("digest")).first()
    spark.stop()


if __name__ == "__main__":
    main()
