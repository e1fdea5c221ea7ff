"""Join in which one key has most of the rows: one task reads far more than the others."""
# submit: spark.executor.memory=1200m
# submit: spark.sql.adaptive.skewJoin.enabled=false
# submit: spark.sql.adaptive.coalescePartitions.enabled=false
# submit: spark.sql.autoBroadcastJoinThreshold=-1
# submit: spark.sql.shuffle.partitions=8
import argparse

from pyspark.sql import SparkSession, functions as F


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=6_000_000)
    parser.add_argument("--keys", type=int, default=1000)
    parser.add_argument("--hot-share", type=float, default=0.8, help="share of the rows that have one and the same key")
    options = parser.parse_args()

    spark = SparkSession.builder.getOrCreate()
    spark.sparkContext.setJobDescription("join with one hot key")

    ids = F.col("id")
    hot = F.rand(seed=7) < options.hot_share
    events = spark.range(0, options.rows, numPartitions=8).select(
        F.when(hot, F.lit(0)).otherwise(ids % options.keys).alias("key"),
        F.sha2(ids.cast("string"), 256).alias("payload"),
    )
    customers = spark.range(0, options.keys, numPartitions=2).select(
        F.col("id").alias("key"), F.concat(F.lit("customer "), F.col("id")).alias("customer")
    )
    digest = F.concat("payload", "customer")
    for _ in range(4):
        digest = F.sha2(digest, 512)
    result = events.join(customers, "key").agg(F.max(digest)).first()
    print(result)
    spark.stop()


if __name__ == "__main__":
    main()
