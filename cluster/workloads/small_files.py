"""Writes hundreds of small files to HDFS, and reads them again."""
import argparse

from pyspark.sql import SparkSession, functions as F

FILES = {"small": 300, "large": 800}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=FILES, default="small")
    parser.add_argument("--output", default="/tmp/small_files", help="folder of HDFS, written anew")
    options = parser.parse_args()

    spark = SparkSession.builder.getOrCreate()
    spark.sparkContext.setJobDescription("write small files")
    files = FILES[options.size]
    output = f"{options.output}_{options.size}"
    rows = spark.range(0, 500 * files, numPartitions=files).select("id", F.sha2(F.col("id").cast("string"), 256).alias("digest"))
    rows.write.mode("overwrite").parquet(output)

    for batch in range(3):
        spark.sparkContext.setJobDescription(f"read small files, {batch}")
        spark.read.parquet(output).agg(F.max("digest")).first()
    spark.stop()


if __name__ == "__main__":
    main()
