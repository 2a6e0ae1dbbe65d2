package dev.fovea.internal.natives;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Optional;

/** Loads the native library in a process of its own and prints where from, or why not. */
final class LoadNative {
    private LoadNative() {}

    /** With the argument {@code blas}, loads OpenBLAS too, if there is one, and says where it is. */
    public static void main(String[] arguments) {
        try {
            NativeLibrary library = NativeLibrary.load();
            if (arguments.length > 0 && arguments[0].equals("blas")) {
                Optional<Path> openBlas = library.openBlas();
                openBlas.ifPresent(file -> open(library, file));
                System.out.println("OpenBLAS " + openBlas.map(Path::toString).orElse("absent"));
            }
            System.out.println("loaded " + library.directory());
        } catch (NativeLibraryException e) {
            System.out.println("unavailable " + e.getMessage());
        }
    }

    /** As the core does, which opens it by its path. */
    private static void open(NativeLibrary library, Path openBlas) {
        var load = Linker.nativeLinker().downcallHandle(library.symbols().findOrThrow("fovea_blas_load"),
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS));
        try (Arena call = Arena.ofConfined()) {
            int status = (int) load.invokeExact(call.allocateFrom(openBlas.toString()));
            if (status != 0) {
                throw new IllegalStateException("status " + status);
            }
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }
}
