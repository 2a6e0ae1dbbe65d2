/** The C code in {@code bench/native} that the studies compare with: how Java loads it, and the FMA peak. */
package dev.fovea.bench.natives;
