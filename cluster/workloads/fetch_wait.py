"""Shuffle over a slow path: one block at a time is fetched, and tasks wait for it most of their time."""
# submit: spark.shuffle.readHostLocalDisk=false
# submit: spark.shuffle.compress=false
# submit: spark.reducer.maxReqsInFlight=1
# submit: spark.reducer.maxBlocksInFlightPerAddress=1
# submit: spark.authenticate=true
# submit: spark.network.crypto.enabled=true
# submit: spark.sql.adaptive.enabled=false
import argparse

from pyspark.sql import SparkSession, functions as F

ROWS = {"small": 6_000_000, "large": 14_000_000}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=ROWS, default="small")
    parser.add_argument("--maps", type=int, default=40, help="blocks that each task fetches")
    options = parser.parse_args()

    spark = SparkSession.builder.getOrCreate()
    spark.sparkContext.setJobDescription("shuffle over a slow path")
    rows = spark.range(0, ROWS[options.size], numPartitions=options.maps).select("id", *[(F.col("id") + column).alias(f"n{column}") for column in range(12)])
    rows.repartition(8).write.format("noop").mode("overwrite").save()
    spark.stop()


if __name__ == "__main__":
    main()
