"""What looks like a fault and is none: tiny or mild skew, warm-up, a short stage of one task, an idle notebook."""
# submit: spark.sql.adaptive.enabled=false
# submit: spark.sql.autoBroadcastJoinThreshold=-1
# submit: spark.sql.shuffle.partitions=8
import argparse
import time

from pyspark.sql import SparkSession, functions as F


def digests(spark, rows, partitions=4):
    return spark.range(0, rows, numPartitions=partitions).select("id", F.sha2(F.col("id").cast("string"), 512).alias("digest"))


def balanced(spark, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        digests(spark, 2_000_000).groupBy((F.col("id") % 1024).alias("key")).agg(F.max("digest").alias("digest")).agg(F.max("digest")).first()


def tiny_skew(spark, seconds):
    """One key has nearly all rows, of which there are few."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        keys = F.when(F.col("id") % 50 > 0, F.lit(0)).otherwise(F.col("id")).alias("key")
        digests(spark, 300_000).select(keys, "digest").join(spark.range(0, 300_000, 50).withColumnRenamed("id", "key"), "key").agg(F.max("digest")).first()
        balanced(spark, 2)


def mild_skew(spark, seconds):
    """One partition has twice the rows of the others, and takes twice as long."""
    context = spark.sparkContext

    def work(rows):
        count = sum(1 for _ in rows)
        time.sleep(count * seconds / 240_000)
        return [count]

    rows = context.parallelize(range(180_000), 8).map(lambda value: (min(value % 9, 7), value))
    print(rows.partitionBy(8, lambda key: key).mapPartitions(work).collect())


def warm_up(spark, seconds):
    """The first task of each executor loads a model, the others have it."""

    def work(rows):
        import decimal

        if not hasattr(decimal, "model_is_loaded"):
            decimal.model_is_loaded = True
            time.sleep(5)
        time.sleep(0.4)
        return [sum(1 for _ in rows)]

    for batch in range(int(seconds / 10)):
        spark.sparkContext.setJobDescription(f"batch {batch}")
        spark.sparkContext.parallelize(range(100_000), 32).mapPartitions(work).collect()


def single_partition(spark, seconds):
    """Balanced work, and at its end a short stage of one task that puts the result in order."""
    balanced(spark, seconds)
    digests(spark, 400_000).coalesce(1).sortWithinPartitions("digest").write.mode("overwrite").parquet("/tmp/single_partition")


def idle_notebook(spark, seconds):
    """A session in which somebody thinks between two short jobs."""
    balanced(spark, 1)
    time.sleep(seconds)
    balanced(spark, 1)
    time.sleep(seconds / 2)


KINDS = {kind.__name__: kind for kind in (tiny_skew, mild_skew, warm_up, single_partition, idle_notebook)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--seconds", type=float, default=30)
    options = parser.parse_args()

    spark = SparkSession.builder.getOrCreate()
    spark.sparkContext.setJobDescription(options.kind)
    KINDS[options.kind](spark, options.seconds)
    spark.stop()


if __name__ == "__main__":
    main()
