"""Machine learning pipeline: trains a classifier, reports its AUC, scores a batch and writes it to HDFS."""
# submit: spark.sparkmodel.name=churn
# submit: spark.sparkmodel.version=7
# submit: spark.sql.shuffle.partitions=4
import argparse

from pyspark.ml import Pipeline
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.evaluation import BinaryClassificationEvaluator
from pyspark.ml.feature import StandardScaler, VectorAssembler
from pyspark.sql import SparkSession, functions as F


def customers(spark, rows, seed):
    names = ["age", "balance", "calls", "months"]
    features = spark.range(0, rows, numPartitions=4).select(
        "id", *[F.randn(seed + number).alias(name) for number, name in enumerate(names)]
    )
    odds = F.col("balance") - 2 * F.col("calls") + F.randn(seed + 99)
    return names, features.withColumn("label", (odds > 0).cast("double"))


def report(spark, name, value):
    """Makes a gauge of a result, which the driver's metrics show at once."""
    context = spark.sparkContext
    accumulator = context._jsc.sc().doubleAccumulator(name)
    accumulator.add(value)
    gauges = context._jvm.java.util.HashMap()
    gauges.put(name, accumulator)
    source = getattr(getattr(context._jvm.org.apache.spark.metrics.source, "DoubleAccumulatorSource$"), "MODULE$")
    source.register(context._jsc.sc(), context._jvm.PythonUtils.toScalaMap(gauges))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=400_000)
    parser.add_argument("--iterations", type=int, default=30)
    parser.add_argument("--output", default="/tmp/scores", help="folder of HDFS, written anew")
    options = parser.parse_args()

    spark = SparkSession.builder.getOrCreate()
    context = spark.sparkContext

    context.setJobDescription("model=churn phase=train")
    names, data = customers(spark, options.rows, seed=1)
    training, test = data.randomSplit([0.8, 0.2], seed=1)
    stages = [
        VectorAssembler(inputCols=names, outputCol="raw"),
        StandardScaler(inputCol="raw", outputCol="features"),
        LogisticRegression(maxIter=options.iterations),
    ]
    model = Pipeline(stages=stages).fit(training.cache())

    context.setJobDescription("model=churn phase=eval")
    auc = BinaryClassificationEvaluator().evaluate(model.transform(test))
    report(spark, "model.auc", auc)

    context.setJobDescription(f"model=churn phase=score auc={auc:.4f}")
    _, batch = customers(spark, options.rows, seed=100)
    model.transform(batch).select("id", "prediction").write.mode("overwrite").parquet(options.output)
    print(f"auc={auc:.4f}")
    spark.stop()


if __name__ == "__main__":
    main()
