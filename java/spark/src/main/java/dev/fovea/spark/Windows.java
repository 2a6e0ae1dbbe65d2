package dev.fovea.spark;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;

/**
 * The rows of a partition, each with what is computed of it in one column more. Rows are taken some at a time, so that the
 * model reads them as batches, whatever the partition's size; a window ends after {@value #MAX_ROWS} rows or
 * {@value #MAX_CHARS} chars.
 */
final class Windows implements Iterator<Row> {
    static final int MAX_ROWS = 512;
    static final int MAX_CHARS = 1 << 20;

    private final Iterator<Row> rows;
    private final int[] columns;
    private final Computation computation;
    private Iterator<Row> results = List.<Row>of().iterator();

    /** What is computed of rows whose texts are there. */
    interface Computation {
        /** @param texts those of each column that is read, [columns][rows] */
        List<?> of(List<List<String>> texts);
    }

    /** @param columns those that are read; where one of them is null, the result is */
    Windows(Iterator<Row> rows, int[] columns, Computation computation) {
        this.rows = rows;
        this.columns = columns;
        this.computation = computation;
    }

    @Override
    public boolean hasNext() {
        return results.hasNext() || rows.hasNext();
    }

    @Override
    public Row next() {
        if (!results.hasNext()) {
            results = window().iterator();
        }
        return results.next();
    }

    private List<Row> window() {
        List<Row> window = new ArrayList<>();
        List<List<String>> texts = new ArrayList<>();
        for (int i = 0; i < columns.length; i++) {
            texts.add(new ArrayList<>());
        }
        long chars = 0;
        while (rows.hasNext() && window.size() < MAX_ROWS && chars < MAX_CHARS) {
            Row row = rows.next();
            window.add(row);
            if (isComplete(row)) {
                for (int i = 0; i < columns.length; i++) {
                    String text = row.getString(columns[i]);
                    texts.get(i).add(text);
                    chars += text.length();
                }
            }
        }
        if (window.isEmpty()) {
            throw new NoSuchElementException("the partition has no more rows");
        }
        return appended(window, texts.getFirst().isEmpty() ? List.of() : computation.of(texts));
    }

    private List<Row> appended(List<Row> window, List<?> values) {
        Iterator<?> next = values.iterator();
        List<Row> appended = new ArrayList<>(window.size());
        for (Row row : window) {
            Object[] fields = new Object[row.size() + 1];
            for (int i = 0; i < row.size(); i++) {
                fields[i] = row.get(i);
            }
            fields[row.size()] = isComplete(row) ? next.next() : null;
            appended.add(RowFactory.create(fields));
        }
        return appended;
    }

    private boolean isComplete(Row row) {
        for (int column : columns) {
            if (row.isNullAt(column)) {
                return false;
            }
        }
        return true;
    }
}
