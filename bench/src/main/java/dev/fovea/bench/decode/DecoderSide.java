package dev.fovea.bench.decode;

/** An engine with a file loaded. Times are those until the logits of the next token are there. */
interface DecoderSide extends AutoCloseable {
    /** Logarithms of the probabilities of tokens that follow a prompt, each behind those before it. */
    float[] logProbabilities(int[] prompt, int[] tokens);

    /** Nanoseconds to read a prompt that has nothing in common with the one before. */
    long read(int[] prompt);

    /** Reads a prompt, then a token at a time; nanoseconds of all these tokens together. */
    long decode(int[] prompt, int count);

    /** Reads prompts, then a token of each at a time, all at once; tokens per second of all together. */
    double decodeTogether(int[][] prompts, int count);

    @Override
    void close();
}
