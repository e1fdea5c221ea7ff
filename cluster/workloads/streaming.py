"""Structured streaming query with state: counts per key and window, from a steady source."""
# submit: spark.sql.streaming.metricsEnabled=true
# submit: spark.sql.shuffle.partitions=2
import argparse
import time

from pyspark.sql import SparkSession, functions as F


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=40)
    parser.add_argument("--rows-per-second", type=int, default=500)
    parser.add_argument("--query", default="events_per_key", help="name of the query")
    options = parser.parse_args()

    spark = SparkSession.builder.getOrCreate()
    events = spark.readStream.format("rate").option("rowsPerSecond", options.rows_per_second).load()
    counts = (
        events.withWatermark("timestamp", "10 seconds")
        .groupBy(F.window("timestamp", "5 seconds"), (F.col("value") % 20).alias("key"))
        .count()
    )
    query = (
        counts.writeStream.queryName(options.query)
        .format("noop")
        .outputMode("update")
        .trigger(processingTime="2 seconds")
        .start()
    )
    query.awaitTermination(options.seconds)
    # Stopped in the middle of a batch it would leave a failed job.
    while query.status["isTriggerActive"]:
        time.sleep(0.05)
    query.stop()
    spark.stop()


if __name__ == "__main__":
    main()
