package dev.fovea.internal.natives;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Opens shared libraries without binding them to a class loader, as {@code System.load} does: several may open the same
 * one, and each may be unloaded. The library itself stays in the process: an engine that someone forgot to close has
 * threads in it.
 */
final class SharedLibrary {
    private static final int RTLD_LAZY = 1;

    private SharedLibrary() {}

    /**
     * The symbols of {@code file}.
     *
     * @param help what may be done if it does not load
     */
    static SymbolLookup open(Path file, String help) throws NativeLibraryException {
        try {
            return SymbolLookup.libraryLookup(file, Arena.global());
        } catch (IllegalArgumentException e) {
            throw new NativeLibraryException("cannot load " + file + " (" + reason(file, e) + "); " + help, e);
        }
    }

    /** As {@link #open}, of a file that has no name, but a number among those that this process has open. */
    static SymbolLookup openNumbered(Path file, String help) throws NativeLibraryException {
        // The JVM would ask for the name.
        try {
            MemorySegment library = dlopen(file);
            MethodHandle find = function("dlsym",
                    FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.ADDRESS));
            return name -> symbol(find, library, name);
        } catch (NativeLibraryException e) {
            throw new NativeLibraryException("cannot load " + file + " (" + e.getMessage() + "); " + help, e);
        }
    }

    /** The library's handle, or a failure with the C library's words. */
    private static MemorySegment dlopen(Path file) throws NativeLibraryException {
        MethodHandle open = function("dlopen",
                FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
        MethodHandle error = function("dlerror", FunctionDescriptor.of(ValueLayout.ADDRESS));
        try (Arena call = Arena.ofConfined()) {
            MemorySegment library = (MemorySegment) open.invokeExact(call.allocateFrom(file.toString()), RTLD_LAZY);
            if (library.address() != 0) {
                return library;
            }
            MemorySegment text = (MemorySegment) error.invokeExact();
            throw new NativeLibraryException(text.address() == 0 ? "the C library says no reason"
                    : text.reinterpret(Long.MAX_VALUE).getString(0).strip().replaceAll("\\s*\\R\\s*", "; "));
        } catch (NativeLibraryException | RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError("dlopen throws nothing", e);
        }
    }

    private static Optional<MemorySegment> symbol(MethodHandle find, MemorySegment library, String name) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment symbol = (MemorySegment) find.invokeExact(library, call.allocateFrom(name));
            return symbol.address() == 0 ? Optional.empty() : Optional.of(symbol);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError("dlsym throws nothing", e);
        }
    }

    /** Why the C library does not open {@code file}, which the JVM does not tell. */
    private static String reason(Path file, RuntimeException untold) {
        try {
            dlopen(file);
        } catch (NativeLibraryException e) {
            return e.getMessage();
        }
        return untold.getMessage();
    }

    private static MethodHandle function(String name, FunctionDescriptor descriptor) throws NativeLibraryException {
        Linker linker = Linker.nativeLinker();
        MemorySegment function = linker.defaultLookup().find(name)
                .orElseThrow(() -> new NativeLibraryException("the C library has no " + name));
        return linker.downcallHandle(function, descriptor);
    }
}
