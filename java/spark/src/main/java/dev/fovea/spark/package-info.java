/**
 * Columns of texts to vectors, scores and labels, inside the executors of Apache Spark: transformers of Spark ML, which are
 * functions of columns too. A model is loaded once in each executor and shared by its tasks.
 */
package dev.fovea.spark;
