/**
 * Models inside Flink's task managers: {@code CREATE MODEL … WITH ('provider' = 'fovea', …)} and {@code ML_PREDICT}.
 */
package dev.fovea.flink;
