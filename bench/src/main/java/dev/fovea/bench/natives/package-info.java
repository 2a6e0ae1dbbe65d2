/** {@code bench/native}, the C that the studies compare with, from Java: how it is loaded, and the FMA peak. */
package dev.fovea.bench.natives;
