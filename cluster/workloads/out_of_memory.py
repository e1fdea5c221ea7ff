"""Executors die of a full heap: one group of rows is larger than their memory."""
# submit: spark.sql.objectHashAggregate.sortBased.fallbackThreshold=1000000
# submit: spark.sql.shuffle.partitions=2
# submit: spark.sql.adaptive.enabled=false
import argparse

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession, functions as F

ROWS = {"small": 3_000_000, "large": 6_000_000}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=ROWS, default="small")
    parser.add_argument("--fail", action="store_true", help="the application fails by it; else it goes on without that job")
    options = parser.parse_args()

    spark = SparkSession.builder.getOrCreate()
    spark.sparkContext.setJobDescription("one list of all rows")
    rows = spark.range(0, ROWS[options.size], numPartitions=4).select(F.sha2(F.col("id").cast("string"), 512).alias("text"))
    try:
        rows.agg(F.collect_list("text").alias("texts")).select(F.size("texts")).first()
    except (Py4JJavaError, PySparkException):
        if options.fail:
            raise
        print("too large")
    spark.stop()


if __name__ == "__main__":
    main()
