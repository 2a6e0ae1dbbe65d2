// The activations in double, for tests.
#ifndef FOVEA_TEST_CUDA_ACTIVATION_REFERENCE_H
#define FOVEA_TEST_CUDA_ACTIVATION_REFERENCE_H

#include <cmath>

#include "fovea/fovea.h"

inline double activation_in_double(int activation, double x) {
  switch (activation) {
    case FOVEA_ACTIVATION_GELU_ERF:
      return x / 2 * std::erfc(-x / std::sqrt(2.0));
    case FOVEA_ACTIVATION_GELU_TANH:
      return x / 2 * (1 + std::tanh(0.79788456080286536 * (x + 0.044715 * x * x * x)));
    case FOVEA_ACTIVATION_RELU:
      return x < 0 ? 0 : x;
    case FOVEA_ACTIVATION_SILU:
      return x / (1 + std::exp(-x));
    case FOVEA_ACTIVATION_TANH:
      return std::tanh(x);
    case FOVEA_ACTIVATION_QUICK_GELU:
      return x / (1 + std::exp(-1.702 * x));
    default:
      return x;
  }
}

#endif
