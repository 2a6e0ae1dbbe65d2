package dev.fovea.it;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.ref.WeakReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.catalina.Context;
import org.apache.catalina.LifecycleException;
import org.apache.catalina.loader.WebappLoader;
import org.apache.catalina.startup.Tomcat;

/**
 * Two web applications in one Tomcat, each with its own copy of Fovea. Deploys the second again and again while the first
 * one runs, and says what is left behind. Arguments: the folder of a web application, and how many times.
 */
public final class Server {
    private final Tomcat tomcat = new Tomcat();
    private final Path folder;

    private Server(Path folder) throws IOException {
        this.folder = folder;
        tomcat.setBaseDir(Files.createTempDirectory("tomcat").toString());
        tomcat.setPort(0);
    }

    public static void main(String[] arguments) throws Exception {
        new Server(Path.of(arguments[0]).toAbsolutePath()).run(Integer.parseInt(arguments[1]));
    }

    private void run(int times) throws Exception {
        tomcat.start();
        Context first = deploy("/first");
        System.out.println("first " + answer(first));
        List<WeakReference<ClassLoader>> loaders = new ArrayList<>();
        long metaspace = 0;
        long resident = 0;
        for (int i = 0; i < times; i++) {
            loaders.add(deployAndRemove());
            if (i == times / 2) {
                collect(loaders);
                metaspace = metaspace();
                resident = resident();
            }
        }
        collect(loaders);
        System.out.println("loaders left " + left(loaders));
        System.out.println("metaspace " + (metaspace() - metaspace <= 2 << 20 ? "flat" : "grew to " + metaspace()));
        System.out.println("memory " + (resident() - resident <= 32 << 20 ? "flat" : "grew from " + resident + " to "
                + resident()));
        System.out.println("first again " + answer(first));
        tomcat.stop();
        tomcat.destroy();
    }

    private Context deploy(String path) {
        Context context = tomcat.addContext(path, folder.toString());
        context.setLoader(new WebappLoader());
        context.addApplicationListener("dev.fovea.it.Application");
        return restart(context);
    }

    /** A context is added to a server that runs: it has started by now, without the listener. */
    private static Context restart(Context context) {
        try {
            context.stop();
            context.start();
            return context;
        } catch (LifecycleException e) {
            throw new IllegalStateException(e);
        }
    }

    private WeakReference<ClassLoader> deployAndRemove() throws LifecycleException {
        Context context = deploy("/second");
        System.out.println("second " + answer(context));
        var loader = new WeakReference<>(context.getLoader().getClassLoader());
        context.stop();
        tomcat.getHost().removeChild(context);
        context.destroy();
        return loader;
    }

    private static Object answer(Context context) {
        return context.getServletContext().getAttribute("answer");
    }

    private static void collect(List<WeakReference<ClassLoader>> loaders) throws InterruptedException {
        for (int i = 0; i < 20 && left(loaders) > 0; i++) {
            System.gc();
            Thread.sleep(50);
        }
    }

    private static long left(List<WeakReference<ClassLoader>> loaders) {
        return loaders.stream().filter(loader -> loader.get() != null).count();
    }

    private static long metaspace() {
        return ManagementFactory.getMemoryPoolMXBeans().stream()
                .filter(pool -> pool.getName().equals("Metaspace"))
                .mapToLong((MemoryPoolMXBean pool) -> pool.getUsage().getUsed())
                .sum();
    }

    /** The process's resident memory in bytes, where the system says; else 0. */
    private static long resident() throws IOException {
        Path status = Path.of("/proc/self/status");
        if (!Files.exists(status)) {
            return 0;
        }
        return Files.readAllLines(status).stream()
                .filter(line -> line.startsWith("VmRSS:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
                .sum();
    }
}
