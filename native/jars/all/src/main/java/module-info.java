/** The C core of Fovea for all platforms. */
module dev.fovea.natives {
    requires dev.fovea.natives.linux.x86_64;
    requires dev.fovea.natives.linux.aarch64;
    requires dev.fovea.natives.linux.x86_64.musl;
    requires dev.fovea.natives.linux.aarch64.musl;
    requires dev.fovea.natives.macos.aarch64;
    requires dev.fovea.natives.macos.x86_64;
    requires dev.fovea.natives.windows.x86_64;
}
