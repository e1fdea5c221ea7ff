"""Join that broadcasts a table of hundreds of megabytes: the driver collects it, and each executor gets all of it."""
# submit: spark.driver.memory=2g
# submit: spark.driver.maxResultSize=2g
# submit: spark.executor.memory=1800m
# submit: spark.sql.shuffle.partitions=4
import argparse

from pyspark.sql import SparkSession, functions as F

ROWS = {"small": 1_500_000, "large": 3_000_000}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=ROWS, default="small")
    options = parser.parse_args()

    spark = SparkSession.builder.getOrCreate()
    spark.sparkContext.setJobDescription("join with a large broadcast")
    rows = ROWS[options.size]
    customers = spark.range(0, rows, numPartitions=4).select(F.col("id").alias("key"), F.sha2(F.col("id").cast("string"), 512).alias("customer"))
    events = spark.range(0, rows, numPartitions=4).select((F.col("id") * 7 % rows).alias("key"))
    print(events.join(F.broadcast(customers), "key").agg(F.max("customer")).first())
    spark.stop()


if __name__ == "__main__":
    main()
