package dev.fovea.weights;

import dev.fovea.internal.files.Excerpt;
import java.io.IOException;
import java.nio.file.Path;

/**
 * A file does not say what its format demands: truncated, damaged, lying about sizes, or using a
 * part of the format that is not supported.
 */
public final class FormatException extends IOException {
    private static final long serialVersionUID = 1;

    /** Chars of a field and of a problem, which may come from the file. */
    private static final int MAX_FIELD = 160;
    private static final int MAX_PROBLEM = 500;

    private final transient Path file;
    private final long offset;
    private final String field;
    private final String problem;

    /**
     * @param file the file
     * @param offset bytes from the start of the file to the wrong part; −1 where only the field is known
     * @param field the wrong part in the format's own words, such as {@code encoder.bias.data_offsets}
     * @param problem what is wrong, with the values found and expected
     */
    public FormatException(Path file, long offset, String field, String problem) {
        super(Excerpt.visible(String.valueOf(file)) + (offset < 0 ? "" : ", byte " + offset) + ", " + Excerpt.of(field, MAX_FIELD) + ": "
                + Excerpt.of(problem, MAX_PROBLEM));
        this.file = file;
        this.offset = offset;
        this.field = Excerpt.of(field, MAX_FIELD);
        this.problem = Excerpt.of(problem, MAX_PROBLEM);
    }

    /** As above, where a parser of the underlying notation found the fault. */
    public FormatException(Path file, long offset, String field, String problem, Throwable cause) {
        this(file, offset, field, problem);
        initCause(cause);
    }

    /** The file. */
    public Path file() {
        return file;
    }

    /** Bytes from the start of the file to the wrong part; −1 where only the field is known. */
    public long offset() {
        return offset;
    }

    /** The wrong part in the format's own words. */
    public String field() {
        return field;
    }

    /** What is wrong: the message without file, offset and field. */
    public String problem() {
        return problem;
    }
}
