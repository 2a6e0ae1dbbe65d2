package dev.fovea.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TokenizerLibraryTest {
    @ParameterizedTest
    @CsvSource({
        "Linux,      amd64,   linux-x86_64,  libtokenizers.so",
        "Linux,      aarch64, linux-aarch64, libtokenizers.so",
        "Mac OS X,   aarch64, osx-aarch64,   libtokenizers.dylib",
        "Windows 11, amd64,   win-x86_64,    tokenizers.dll",
    })
    void shouldFindLibraryOfEachPlatformInTheJar(String os, String arch, String platform, String file) {
        assertEquals(platform, TokenizerLibrary.platform(os, arch));
        assertNotNull(TokenizersLibrary.class.getResource("/native/lib/" + platform + "/cpu/" + file));
    }
}
