/** The linear suite: x Wᵀ with a constant weight, by a general product and by kernels over packed weights. */
package dev.fovea.bench.linear;
