"""Executors whose old generation is nearly full of cached objects: they collect garbage for much of the time."""
# submit: spark.executor.memory=900m
# submit: spark.memory.fraction=0.9
# submit: spark.memory.storageFraction=0.95
# submit: spark.executor.extraJavaOptions=-XX:+UseParallelGC -Xmn320m -XX:-UsePerfData
# submit: spark.sql.objectHashAggregate.sortBased.fallbackThreshold=1000000
# submit: spark.sql.shuffle.partitions=8
# submit: spark.sql.adaptive.coalescePartitions.enabled=false
import argparse
import time

from pyspark.sql import SparkSession, functions as F


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=4_600_000, help="cached as Java objects on all executors together")
    parser.add_argument("--seconds", type=float, default=20, help="goes on with new jobs for this long")
    options = parser.parse_args()

    spark = SparkSession.builder.getOrCreate()
    context = spark.sparkContext
    context.setJobDescription("fill the cache")
    ids = F.col("id")
    rows = spark.range(0, options.rows, numPartitions=36).select(*[(ids + column).alias(f"number{column}") for column in range(8)])
    # Rows as Java objects, unlike DataFrame.cache(), which keeps a few large arrays.
    cached = rows._jdf.javaRDD().persist(context._jvm.org.apache.spark.storage.StorageLevel.MEMORY_ONLY())
    cached.count()

    # Lists that live long enough to be moved to the old generation, then die.
    deadline = time.monotonic() + options.seconds
    batch = 0
    while time.monotonic() < deadline:
        context.setJobDescription(f"lists, batch {batch}")
        texts = spark.range(0, 4_800_000, numPartitions=16).select((ids % 60_000).alias("key"), F.sha2(ids.cast("string"), 256).alias("text"))
        texts.groupBy("key").agg(F.collect_list("text").alias("texts")).agg(F.max(F.size("texts"))).first()
        batch += 1
    spark.stop()


if __name__ == "__main__":
    main()
