/*
 * The callees of the calls suite through JNI: the natives of dev.fovea.bench.calls.Jni.
 */
#include <jni.h>
#include <stdint.h>
#include <stdlib.h>

#include "bench.h"

#define NATIVE(type, name) JNIEXPORT type JNICALL Java_dev_fovea_bench_calls_Jni_##name

NATIVE(jint, empty)(JNIEnv *env, jclass class, jint x) {
  (void)env, (void)class;
  return fb_empty(x);
}

NATIVE(jlong, op)(JNIEnv *env, jclass class, jlong params, jlong x, jlong weight, jlong out) {
  (void)env, (void)class;
  return fb_op((const fb_params *)(intptr_t)params, (const float *)(intptr_t)x, (const float *)(intptr_t)weight,
               (float *)(intptr_t)out);
}

/* By GetPrimitiveArrayCritical: NaN where the JVM gives no address. */
NATIVE(jfloat, sumCritical)(JNIEnv *env, jclass class, jfloatArray array, jint n) {
  (void)class;
  float *x = (*env)->GetPrimitiveArrayCritical(env, array, NULL);
  if (!x) return 0.0f / 0.0f;
  const float sum = fb_sum(x, n);
  (*env)->ReleasePrimitiveArrayCritical(env, array, x, JNI_ABORT);
  return sum;
}

/* By GetFloatArrayRegion into a buffer of the caller's, of n floats. */
NATIVE(jfloat, sumRegion)(JNIEnv *env, jclass class, jfloatArray array, jint n, jlong buffer) {
  (void)class;
  float *x = (float *)(intptr_t)buffer;
  (*env)->GetFloatArrayRegion(env, array, 0, n, x);
  return fb_sum(x, n);
}
