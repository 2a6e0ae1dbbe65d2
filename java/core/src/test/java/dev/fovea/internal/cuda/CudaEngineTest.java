package dev.fovea.internal.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fovea.Backend;
import dev.fovea.EmulatedGpu;
import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Asking for a GPU: what an engine says of the one it has, and in one line why there is none. */
class CudaEngineTest {
    private static final EngineOptions CUDA = EngineOptions.defaults().withBackend(Backend.CUDA);

    @TempDir
    private static Path directory;

    private static int links;

    @AfterEach
    void reset() {
        if (EmulatedGpu.isThere()) {
            EmulatedGpu.reset();
        }
    }

    /** Where there is no GPU, as on most machines that build this. */
    @Test
    void shouldSayInOneLineWhyThereIsNoGpuHere() {
        Optional<String> reason = Engine.unavailable(Backend.CUDA);
        assumeTrue(reason.isPresent(), "this machine has a GPU");
        assertEquals(1, reason.get().lines().count(), reason.get());
        assertTrue(reason.get().contains("libcuda.so.1") || reason.get().startsWith("no CUDA library for ")
                || reason.get().startsWith("no libfovea_cuda.so in "), reason.get());
        var refused = assertThrows(UnsupportedOperationException.class, () -> Engine.create(CUDA));
        assertEquals("the CUDA backend is not available: " + reason.get(), refused.getMessage());
    }

    @Test
    void shouldNeverBeTakenUnlessAskedFor() {
        EmulatedGpu.require();
        Backend taken = EmulatedGpu.with(EmulatedGpu.driver(), () -> {
            try (Engine engine = Engine.create()) {
                return engine.backend();
            }
        });
        assertTrue(taken == Backend.NATIVE || taken == Backend.JAVA, taken.name());
    }

    @Test
    void shouldSayWhatItRunsOn() {
        EmulatedGpu.require();
        EmulatedGpu.reset();
        try (Engine engine = EmulatedGpu.engine()) {
            assertEquals(Backend.CUDA, engine.backend());
            assertEquals(1, engine.threads());
            assertEquals("sm_90", engine.isa());
            assertEquals(List.of("sm_90"), engine.availableIsas());
            assertEquals("none", engine.blas());
            assertTrue(engine.device().matches(".+, 1\\.0 GiB of memory \\(\\d\\.\\d GiB free\\), driver of CUDA 13\\.0"),
                    engine.device());
        }
        var isa = assertThrows(IllegalArgumentException.class,
                () -> EmulatedGpu.engine(EngineOptions.defaults().withIsa("avx2")));
        assertEquals("isa avx2 does not run here; available: [sm_90]", isa.getMessage());
        EmulatedGpu.engine(EngineOptions.defaults().withIsa("sm_90")).close();
    }

    @Test
    void shouldSayWhyAGpuCannotBeUsed() {
        EmulatedGpu.require();
        assertRefused("/absent/libcuda.so.1", 0, "/absent/libcuda.so.1: cannot open shared object file");
        assertRefusedWith(EmulatedGpu.DRIVER_VERSION, 12080, 0, "speaks CUDA 12.8; CUDA 13.0 or newer is needed");
        assertRefusedWith(EmulatedGpu.DEVICES, 0, 0, "CUDA_ERROR_NO_DEVICE");
        assertRefusedWith(EmulatedGpu.DEVICES, 1, 3, "there is no GPU 3; the driver finds 1");
        assertRefusedWith(EmulatedGpu.COMPUTE_CAPABILITY, 75, 0, "compute capability 7.5; 8.0 or newer is needed");
        for (String function : List.of("cuDevicePrimaryCtxRetain", "cuModuleLoadDataEx")) {
            EmulatedGpu.reset();
            EmulatedGpu.fail(function, 1, EmulatedGpu.CUDA_ERROR_OUT_OF_MEMORY);
            assertRefused(EmulatedGpu.driver(), 0, "memory");
        }
    }

    private static void assertRefusedWith(int setting, long value, int device, String reason) {
        EmulatedGpu.reset();
        EmulatedGpu.set(setting, value);
        assertRefused(link(), device, reason);
    }

    /** The driver by a name that no one has opened: what it is asked when it is opened, it is asked once per name. */
    private static String link() {
        try {
            return Files.createSymbolicLink(directory.resolve("libcuda." + links++), Path.of(EmulatedGpu.driver()))
                    .toString();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void assertRefused(String driver, int device, String reason) {
        List<Long> before = EmulatedGpu.alive();
        EngineOptions options = CUDA.withDevice(device);
        var refused = assertThrows(UnsupportedOperationException.class,
                () -> EmulatedGpu.with(driver, () -> Engine.create(options)));
        assertTrue(refused.getMessage().startsWith("the CUDA backend is not available: "), refused.getMessage());
        assertTrue(refused.getMessage().contains(reason), refused.getMessage());
        assertEquals(1, refused.getMessage().lines().count());
        assertEquals(before, EmulatedGpu.alive());
    }

    @Test
    void shouldRefuseOptionsOutOfRange() {
        assertThrows(IllegalArgumentException.class, () -> CUDA.withDevice(-1));
        assertThrows(IllegalArgumentException.class, () -> CUDA.withDeviceMemory(-1));
        assertEquals(2, CUDA.withDevice(2).device());
        assertEquals(1L << 30, CUDA.withDeviceMemory(1L << 30).deviceMemory());
    }
}
