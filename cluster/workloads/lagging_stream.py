"""Structured streaming query that cannot keep up: more rows arrive than it processes, and its batches grow."""
# submit: spark.sql.streaming.metricsEnabled=true
# submit: spark.sql.shuffle.partitions=2
import argparse
import time

from pyspark.sql import SparkSession, functions as F

SECONDS = {"small": 45, "large": 75}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=SECONDS, default="small")
    parser.add_argument("--rows-per-second", type=int, default=1000)
    parser.add_argument("--row-seconds", type=float, default=0.0026, help="what one row takes")
    options = parser.parse_args()

    spark = SparkSession.builder.getOrCreate()
    row_seconds = options.row_seconds

    @F.udf("long")
    def score(value):
        time.sleep(row_seconds)
        return value % 20

    events = spark.readStream.format("rate").option("rowsPerSecond", options.rows_per_second).option("numPartitions", 2).load()
    counts = events.withWatermark("timestamp", "10 seconds").groupBy(F.window("timestamp", "5 seconds"), score("value").alias("key")).count()
    query = counts.writeStream.queryName("scores").format("noop").outputMode("update").trigger(processingTime="1 second").start()
    query.awaitTermination(SECONDS[options.size])
    # Stopped in the middle of a batch it would leave a long job that failed.
    def ended():
        return query.lastProgress["batchId"] if query.lastProgress else None

    last = ended()
    while ended() == last:
        time.sleep(0.05)
    query.stop()
    spark.stop()


if __name__ == "__main__":
    main()
