"""Between short jobs the driver works by itself, for most of the time, while the executors wait."""
import argparse
import time

from pyspark.sql import SparkSession, functions as F

STEPS = {"small": (5, 5.0), "large": (6, 8.0)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=STEPS, default="small")
    options = parser.parse_args()
    steps, seconds = STEPS[options.size]

    spark = SparkSession.builder.getOrCreate()
    for step in range(steps):
        spark.sparkContext.setJobDescription(f"step {step}")
        rows = spark.range(0, 200_000, numPartitions=4).select(F.sha2(F.col("id").cast("string"), 256).alias("digest"))
        collected = rows.limit(50_000).collect()
        # What stands for a model that is fitted in the driver, or for a service that it calls.
        time.sleep(seconds)
        print(len(collected))
    spark.stop()


if __name__ == "__main__":
    main()
