package dev.fovea.internal.natives;

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
                openBlas.map(Path::toString).ifPresent(System::load);
                System.out.println("OpenBLAS " + openBlas.map(Path::toString).orElse("absent"));
            }
            System.out.println("loaded " + library.directory());
        } catch (NativeLibraryException e) {
            System.out.println("unavailable " + e.getMessage());
        }
    }
}
