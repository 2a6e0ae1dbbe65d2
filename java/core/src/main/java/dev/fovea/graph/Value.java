package dev.fovea.graph;

import dev.fovea.ops.Rows;
import dev.fovea.tensor.DType;
import java.util.Locale;

/**
 * A matrix that an op of a graph yields: one row per token or per sequence of the batch.
 *
 * <p>Values come from a {@link Graph.Builder} and mean something only to it and to its graph.
 *
 * @param id the index of the op that yields it, in {@link Graph#ops()}
 * @param rows what a row stands for; how many there are is known when a session runs
 * @param columns the number of columns, at least 1
 * @param dtype the type of its elements: F32, or I32 for indices
 * @param name what error messages and {@link Plan#toString()} call it
 */
public record Value(int id, Rows rows, int columns, DType dtype, String name) {
    // What the record would do, whose own methods are linked by the first call: milliseconds of every start.

    @Override
    public int hashCode() {
        return id;
    }

    @Override
    public boolean equals(Object other) {
        return this == other || other instanceof Value that && id == that.id && rows == that.rows
                && columns == that.columns && dtype == that.dtype && name.equals(that.name);
    }

    /** Such as {@code "query" [tokens, 384]}. */
    @Override
    public String toString() {
        return '"' + name + "\" [" + rows.name().toLowerCase(Locale.ROOT) + ", " + columns + "]";
    }
}
