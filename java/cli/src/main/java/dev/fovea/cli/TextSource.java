package dev.fovea.cli;

import java.io.Closeable;
import java.io.IOException;
import java.util.List;

/** Where texts come from, in blocks, so that any number of them passes through little memory. */
sealed interface TextSource extends Closeable permits TextArguments, TextLines {
    /** The most texts of a block. */
    int BLOCK_TEXTS = 256;

    /** The next texts, at least one unless there are none left. */
    List<String> next() throws IOException;

    /** What a text came as, for messages: {@code line} or {@code text}. */
    String unit();

    /** The texts handed out so far. */
    long texts();

    /** How much was handed out so far, in the unit of {@link #total}. */
    long done();

    /** How much there is in all; 0 if nobody knows. */
    long total();
}
