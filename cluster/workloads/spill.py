"""Sort with far too little memory: executors spill to memory and disk."""
# submit: spark.memory.fraction=0.2
# submit: spark.sql.shuffle.partitions=4
# submit: spark.sql.adaptive.coalescePartitions.enabled=false
import argparse

from pyspark.sql import SparkSession, functions as F


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    options = parser.parse_args()

    spark = SparkSession.builder.getOrCreate()
    spark.sparkContext.setJobDescription("sort that spills")
    ids = F.col("id")
    rows = spark.range(0, options.rows, numPartitions=8).select(
        F.xxhash64(ids).alias("key"), F.sha2(ids.cast("string"), 512).alias("payload")
    )
    rows.sort("key", "payload").write.format("noop").mode("overwrite").save()
    spark.stop()


if __name__ == "__main__":
    main()
