/**
 * Text to token ids, and back: {@link dev.fovea.text.Tokenizer} reads a {@code tokenizer.json} of the Hugging Face
 * tokenizers library, or the tokenizer in a GGUF file.
 */
package dev.fovea.text;
