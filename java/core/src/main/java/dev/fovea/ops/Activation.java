package dev.fovea.ops;

/** An elementwise function, fused into the linear layer before it. */
public enum Activation {
    /** The identity. */
    NONE,
    /** {@code x/2 · (1 + erf(x/√2))}: the exact GELU of Hendrycks and Gimpel, arXiv:1606.08415. */
    GELU_ERF,
    /** {@code x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))}: its approximation by tanh, ibid. */
    GELU_TANH,
    /** {@code max(0, x)}: that of Vaswani et al., arXiv:1706.03762, section 3.3. */
    RELU,
    /** {@code x / (1 + e⁻ˣ)}: Hendrycks and Gimpel, arXiv:1606.08415, section 2; also called Swish. */
    SILU,
    /** {@code tanh x}: what BERT's pooler has, Devlin et al., arXiv:1810.04805. */
    TANH,
    /** {@code x / (1 + e^(−1.702 x))}: Hendrycks and Gimpel, arXiv:1606.08415, section 2; the GELU of CLIP. */
    QUICK_GELU
}
