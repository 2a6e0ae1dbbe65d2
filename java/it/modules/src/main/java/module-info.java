module dev.fovea.it {
    requires dev.fovea;
}
