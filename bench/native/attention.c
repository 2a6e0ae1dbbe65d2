#include <math.h>

#include "bench.h"

void fb_attention_naive(int n, int d, int causal, const float *q, const float *k, const float *v, float *scores,
                        float *out) {
  const float scale = 1 / sqrtf((float)d);
  for (int i = 0; i < n; i++) {
    const int keys = causal ? i + 1 : n;
    for (int j = 0; j < keys; j++) {
      float sum = 0;
      for (int c = 0; c < d; c++) sum += q[(long long)i * d + c] * k[(long long)j * d + c];
      scores[(long long)i * n + j] = scale * sum;
    }
  }
  for (int i = 0; i < n; i++) {
    const int keys = causal ? i + 1 : n;
    float *row = scores + (long long)i * n;
    float peak = -INFINITY, sum = 0;
    for (int j = 0; j < keys; j++) peak = row[j] > peak ? row[j] : peak;
    for (int j = 0; j < keys; j++) {
      row[j] = expf(row[j] - peak);
      sum += row[j];
    }
    for (int j = 0; j < keys; j++) row[j] /= sum;
  }
  for (int i = 0; i < n; i++) {
    const int keys = causal ? i + 1 : n;
    float *row = out + (long long)i * d;
    for (int c = 0; c < d; c++) row[c] = 0;
    for (int j = 0; j < keys; j++) {
      const float weight = scores[(long long)i * n + j];
      for (int c = 0; c < d; c++) row[c] += weight * v[(long long)j * d + c];
    }
  }
}
