package dev.fovea.internal.cache;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;

/**
 * What a directory of the cache consists of: a file in it that gives the size and the name of each other one. It shows
 * whether the directory has lost a file, or a part of one, and costs no more than a look at each size.
 *
 * <pre>
 * 2 files
 * 90387630 model.onnx
 * 190 1_Pooling/config.json
 * </pre>
 */
final class FileIndex {
    /** The name of the file. */
    static final String NAME = "files.index";

    private FileIndex() {}

    /** The index of all files that {@code directory} has now. */
    static String of(Path directory) throws IOException {
        List<Path> files = files(directory);
        StringBuilder index = new StringBuilder(heading(files.size()));
        for (Path file : files) {
            String name = directory.relativize(file).toString().replace('\\', '/');
            index.append('\n').append(Files.size(file)).append(' ').append(name);
        }
        return index.append('\n').toString();
    }

    /** Whether {@code directory} has an index, and each file in it its size. */
    static boolean matches(Path directory) throws IOException {
        Path index = directory.resolve(NAME);
        if (!Files.isRegularFile(index)) {
            return false;
        }
        try {
            List<String> lines = Files.readAllLines(index);
            if (lines.isEmpty() || !lines.getFirst().equals(heading(lines.size() - 1))) {
                return false;
            }
            for (String line : lines.subList(1, lines.size())) {
                if (!matches(directory, line.split(" ", 2))) {
                    return false;
                }
            }
            return true;
        } catch (CharacterCodingException | InvalidPathException e) {
            return false;
        }
    }

    /** The files of {@code directory}, without the index. */
    static List<Path> files(Path directory) throws IOException {
        try (var files = Files.walk(directory)) {
            return files.filter(Files::isRegularFile)
                    .filter(file -> !file.equals(directory.resolve(NAME)))
                    .sorted()
                    .toList();
        }
    }

    private static boolean matches(Path directory, String[] sizeAndName) throws IOException {
        Path file = directory.resolve(sizeAndName[sizeAndName.length - 1]);
        return Files.isRegularFile(file) && sizeAndName[0].equals(Long.toString(Files.size(file)));
    }

    private static String heading(int files) {
        return files + " files";
    }
}
