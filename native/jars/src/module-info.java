/** ${project.description} */
module ${jars.module} {
    provides java.util.spi.ToolProvider with ${jars.module}.Contents;
}
