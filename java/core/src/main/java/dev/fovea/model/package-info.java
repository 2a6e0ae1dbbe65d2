/**
 * Models: what turns a text into a vector, and the Transformer itself.
 *
 * <p>{@link dev.fovea.model.TextEncoder} is the way in for texts. A model is a directory in the Hugging Face layout, or
 * a name of {@link dev.fovea.model.ModelCatalog} that stands for one. Nothing here downloads anything.
 *
 * <p>{@link dev.fovea.model.Transformer} is "Attention Is All You Need" for token ids: Vaswani et al.,
 * arXiv:1706.03762. Where the paper's ideas are:
 *
 * <ul>
 *   <li>what a model is made of: {@link dev.fovea.model.TransformerConfig}
 *   <li>the forward pass, figure 1: {@code TransformerGraph}
 *   <li>scaled dot products, masks before the softmax, several heads: {@link dev.fovea.attention.AttentionSpec}, {@link
 *       dev.fovea.attention.Mask}
 *   <li>values, down and up again, and the output matrix: {@link dev.fovea.model.ValueMap}
 *   <li>positional encoding: {@link dev.fovea.model.PositionalEncoding}, {@link dev.fovea.attention.Rope}, {@link
 *       dev.fovea.attention.Alibi}
 *   <li>what a token attends to: {@link dev.fovea.model.AttentionPattern}
 *   <li>one token after the other: {@code Decoding}, {@code BeamSearch}
 * </ul>
 */
package dev.fovea.model;
