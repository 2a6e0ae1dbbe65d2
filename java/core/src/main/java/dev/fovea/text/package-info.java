/**
 * Text to token ids: {@link dev.fovea.text.Tokenizer} reads a {@code tokenizer.json} of the Hugging Face tokenizers
 * library.
 */
package dev.fovea.text;
