package dev.fovea.internal.natives;

/** Loads the native library in a process of its own and prints where from, or why not. */
final class LoadNative {
    private LoadNative() {}

    /** With the argument {@code blas}, asks for OpenBLAS as well. */
    public static void main(String[] arguments) {
        try {
            NativeLibrary library = NativeLibrary.load();
            if (arguments.length > 0 && arguments[0].equals("blas")) {
                System.load(library.openBlas().toString());
            }
            System.out.println("loaded " + library.directory());
        } catch (NativeLibraryException e) {
            System.out.println("unavailable " + e.getMessage());
        }
    }
}
