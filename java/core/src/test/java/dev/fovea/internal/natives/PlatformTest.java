package dev.fovea.internal.natives;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PlatformTest {
    @ParameterizedTest
    @CsvSource({
        "Linux, amd64, linux-x86_64",
        "Linux, aarch64, linux-aarch64",
        "Mac OS X, aarch64, macos-aarch64",
        "Mac OS X, x86_64, macos-x86_64",
        "Windows 11, amd64, windows-x86_64",
        "Linux, riscv64, linux-riscv64",
        "FreeBSD, amd64, freebsd-x86_64",
    })
    void shouldNamePlatformsAsTheJarsDo(String os, String arch, String expected) {
        assertEquals(expected, Platform.name(os, arch));
    }

    @Test
    void shouldSayWhyThereIsNoLibrary() {
        assertTrue(Platform.absent("linux-riscv64").contains("it is built for linux-aarch64, linux-aarch64-musl, "
                + "linux-x86_64, linux-x86_64-musl, macos-aarch64, macos-x86_64, windows-x86_64"));
        assertTrue(Platform.absent("linux-x86_64-musl").contains("dev.fovea:fovea-native-linux-x86_64-musl "));
        assertTrue(Platform.absentCuda("windows-x86_64").contains("it is built for linux-aarch64, linux-x86_64"));
        assertTrue(Platform.absentCuda("linux-x86_64").contains("dev.fovea:fovea-cuda with classifier linux-x86_64"));
        assertTrue(Platform.absent("linux-x86_64").contains("dev.fovea:fovea-native-linux-x86_64 "));
    }
}
