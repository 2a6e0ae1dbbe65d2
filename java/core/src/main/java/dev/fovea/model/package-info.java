/**
 * Models: text encoders, and the Transformer itself.
 *
 * <p>For texts, start with {@link dev.fovea.model.TextEncoder}. A model is a directory in the Hugging Face layout, or a
 * name from {@link dev.fovea.model.ModelCatalog} that stands for one. Nothing here downloads anything. Where many threads ask
 * one encoder, {@link dev.fovea.model.EncoderQueue} makes batches of what they ask.
 *
 * <p>{@link dev.fovea.model.Transformer} implements "Attention Is All You Need" for token ids (Vaswani et al.,
 * arXiv:1706.03762). This is where the paper's ideas are:
 *
 * <ul>
 *   <li>the parts of a model: {@link dev.fovea.model.TransformerConfig}
 *   <li>an architecture as data, and the forward pass, figure 1: {@code Description} and {@code ModelGraph} in {@code
 *       dev.fovea.model.family}
 *   <li>scaled dot products, masks before the softmax, several heads: {@link dev.fovea.ops.AttentionSpec}, {@link
 *       dev.fovea.ops.Mask}
 *   <li>value maps and the output matrix: {@link dev.fovea.model.ValueMap}
 *   <li>positional encoding: {@link dev.fovea.model.PositionalEncoding}, {@link dev.fovea.ops.Rope}, {@link
 *       dev.fovea.ops.Alibi}
 *   <li>the attention pattern: {@link dev.fovea.model.AttentionPattern}
 *   <li>generating token by token: {@code Decoding} and {@code BeamSearch} in {@code
 *       dev.fovea.model.generation}
 * </ul>
 */
package dev.fovea.model;
