package dev.fovea.text;

/**
 * What a model reads of a text or a pair of texts: arrays of one length, an element per token. The arrays are the
 * caller's.
 *
 * @param ids token ids, special tokens included
 * @param types of tokens: 0 for the first text, and mostly 1 for the second
 * @param texts the text that a token is of: 0 or 1; −1 for special tokens
 * @param starts where the token begins in its text, in chars; 0 for special tokens
 * @param ends where it ends
 * @param words the number of the word that it is of, as the tokenizer splits a text; −1 for special tokens
 * @param truncated whether tokens were cut
 */
public record ModelInput(int[] ids, int[] types, int[] texts, int[] starts, int[] ends, int[] words,
        boolean truncated) {}
