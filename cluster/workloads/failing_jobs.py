"""Jobs that fail for good, after all attempts of a task; the program carries on or, at last, fails too."""
import argparse
import time

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

JOBS = {"small": 3, "large": 6}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=JOBS, default="small")
    parser.add_argument("--fail", action="store_true", help="the application too, by the last job")
    options = parser.parse_args()

    def work(records):
        time.sleep(1)
        return [sum(records)]

    def broken(records):
        time.sleep(0.5)
        raise RuntimeError("the feature store does not answer")

    context = SparkSession.builder.getOrCreate().sparkContext
    for job in range(JOBS[options.size]):
        context.setJobDescription(f"partners, batch {job}")
        numbers = context.parallelize(range(1000), 4)
        print(numbers.mapPartitions(work).collect())
        try:
            numbers.mapPartitions(broken).collect()
        except (Py4JJavaError, PySparkException):
            print(f"batch {job} is left out")
            if options.fail and job == JOBS[options.size] - 1:
                raise
    context.stop()


if __name__ == "__main__":
    main()
