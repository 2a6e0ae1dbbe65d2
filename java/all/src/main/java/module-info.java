/** Fovea with the C core of all platforms. */
module dev.fovea.all {
    requires transitive dev.fovea;
    requires dev.fovea.natives;
}
