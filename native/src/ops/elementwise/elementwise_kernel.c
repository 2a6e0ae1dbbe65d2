#include "ops/elementwise/elementwise.h"

#include "simd/activation.h"

FV_INLINE fv_f32 combine(const int op, const int activation, fv_f32 a, fv_f32 b) {
  switch (op) {
    case FOVEA_ELEMENTWISE_ADD:
      return a + b;
    case FOVEA_ELEMENTWISE_MULTIPLY:
      return fv_activate(activation, a) * b;
    default:
      return fv_activate(activation, a);
  }
}

/* op and activation are constants wherever this is inlined, so that no loop asks for them. */
FV_INLINE void run(const int op, const int activation, const fv_elementwise_job *job, long long first,
                   long long last) {
  const int width = job->width, tail = width % FV_LANES;
  for (long long r = first; r < last; r++) {
    const float *a = job->a + r * job->a_stride;
    const float *b = op == FOVEA_ELEMENTWISE_ACTIVATE ? a : job->b + r * job->b_stride;
    float *out = job->out + r * job->out_stride;
    int i = 0;
    for (; i + FV_LANES <= width; i += FV_LANES) {
      fv_store(out + i, combine(op, activation, fv_load(a + i), fv_load(b + i)));
    }
    if (tail) {
      fv_store_part(out + i, combine(op, activation, fv_load_part(a + i, tail), fv_load_part(b + i, tail)), tail);
    }
  }
}

FV_INLINE void run_activation(const int op, const fv_elementwise_job *job, long long first, long long last) {
  switch (job->activation) {
    case FOVEA_ACTIVATION_GELU_ERF:
      run(op, FOVEA_ACTIVATION_GELU_ERF, job, first, last);
      break;
    case FOVEA_ACTIVATION_GELU_TANH:
      run(op, FOVEA_ACTIVATION_GELU_TANH, job, first, last);
      break;
    case FOVEA_ACTIVATION_RELU:
      run(op, FOVEA_ACTIVATION_RELU, job, first, last);
      break;
    case FOVEA_ACTIVATION_SILU:
      run(op, FOVEA_ACTIVATION_SILU, job, first, last);
      break;
    case FOVEA_ACTIVATION_TANH:
      run(op, FOVEA_ACTIVATION_TANH, job, first, last);
      break;
    case FOVEA_ACTIVATION_QUICK_GELU:
      run(op, FOVEA_ACTIVATION_QUICK_GELU, job, first, last);
      break;
    default:
      run(op, FOVEA_ACTIVATION_NONE, job, first, last);
      break;
  }
}

void FV_NAME(elementwise)(const fv_elementwise_job *job, long long first, long long last) {
  switch (job->op) {
    case FOVEA_ELEMENTWISE_ADD:
      run(FOVEA_ELEMENTWISE_ADD, FOVEA_ACTIVATION_NONE, job, first, last);
      break;
    case FOVEA_ELEMENTWISE_MULTIPLY:
      run_activation(FOVEA_ELEMENTWISE_MULTIPLY, job, first, last);
      break;
    default:
      run_activation(FOVEA_ELEMENTWISE_ACTIVATE, job, first, last);
      break;
  }
}
