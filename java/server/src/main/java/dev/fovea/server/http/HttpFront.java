package dev.fovea.server.http;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpServerCodec;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Listens for connections. Their bytes are moved by a few threads of an event loop, which run no handler; each request is
 * handled on a virtual thread.
 */
public final class HttpFront implements AutoCloseable {
    private static final int BACKLOG = 1024;
    private static final WriteBufferWaterMark WATER = new WriteBufferWaterMark(32 << 10, 128 << 10);
    /** What the system may hold for a client that does not read; by itself it takes megabytes. */
    private static final int SEND_BYTES = 256 << 10;
    private static final long QUIET_MILLIS = 5;

    private final HttpSettings settings;
    private final HttpHandler handler;
    private final EventLoopGroup loops;
    private final ExecutorService requests =
            Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("fovea-request-", 0).factory());
    private final Set<Connection> connections = ConcurrentHashMap.newKeySet();
    private final AtomicInteger open = new AtomicInteger();
    private final AtomicInteger handling = new AtomicInteger();
    private final AtomicLong bodyBytes = new AtomicLong();
    private final Channel listener;
    private volatile boolean draining;

    private HttpFront(HttpSettings settings, HttpHandler handler) throws IOException {
        this.settings = settings;
        this.handler = handler;
        ThreadFactory names = Thread.ofPlatform().daemon().name("fovea-http-", 0).factory();
        this.loops = new MultiThreadIoEventLoopGroup(Math.max(1, Runtime.getRuntime().availableProcessors() / 4), names,
                NioIoHandler.newFactory());
        try {
            this.listener = bind();
        } catch (IOException | RuntimeException e) {
            loops.shutdownGracefully(0, 1, TimeUnit.SECONDS);
            requests.shutdown();
            throw e;
        }
    }

    /**
     * Begins to listen.
     *
     * @throws IOException if that is not possible, such as on a port that is in use; the message says which
     */
    public static HttpFront open(HttpSettings settings, HttpHandler handler) throws IOException {
        return new HttpFront(settings, handler);
    }

    private Channel bind() throws IOException {
        var decoder = new HttpDecoderConfig().setMaxInitialLineLength(HttpSettings.MAX_LINE)
                .setMaxHeaderSize(settings.maxHeaderBytes());
        var address = new InetSocketAddress(settings.host(), settings.port());
        if (address.isUnresolved()) {
            throw new IOException("no address is known of the host " + settings.host());
        }
        var bound = new ServerBootstrap().group(loops).channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_BACKLOG, BACKLOG).option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true).childOption(ChannelOption.SO_KEEPALIVE, true)
                .childOption(ChannelOption.SO_SNDBUF, SEND_BYTES).childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, WATER)
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline().addLast(new HttpServerCodec(decoder), new Connection(HttpFront.this));
                    }
                })
                .bind(address).awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw new IOException("cannot listen on " + settings.host() + ", port " + settings.port() + ": "
                    + bound.cause().getMessage(), bound.cause());
        }
        return bound.channel();
    }

    /** The port that it listens on. */
    public int port() {
        return ((InetSocketAddress) listener.localAddress()).getPort();
    }

    /** Whether it listens on this machine's own address alone. */
    public boolean isLoopback() {
        return ((InetSocketAddress) listener.localAddress()).getAddress().isLoopbackAddress();
    }

    /** Connections that are open. */
    public int connections() {
        return open.get();
    }

    /** Requests whose handlers run. */
    public int handling() {
        return handling.get();
    }

    /** Bytes of bodies that are held. */
    public long bodyBytes() {
        return bodyBytes.get();
    }

    HttpSettings settings() {
        return settings;
    }

    boolean isDraining() {
        return draining;
    }

    boolean opened(Connection connection) {
        connections.add(connection);
        return open.incrementAndGet() <= settings.maxConnections() && !draining;
    }

    void closed(Connection connection) {
        if (connections.remove(connection)) {
            open.decrementAndGet();
        }
    }

    boolean takeBodyBytes(int bytes) {
        if (bodyBytes.addAndGet(bytes) <= settings.maxBodyBytesOfAll()) {
            return true;
        }
        bodyBytes.addAndGet(-bytes);
        return false;
    }

    void giveBodyBytes(int bytes) {
        bodyBytes.addAndGet(-bytes);
    }

    byte[] refusal(String path, int status, String message) {
        return handler.refusal(path, status, message);
    }

    void handle(Exchange exchange) {
        handling.incrementAndGet();
        boolean begun = false;
        try {
            requests.execute(() -> {
                try {
                    handler.handle(exchange);
                } finally {
                    handling.decrementAndGet();
                }
            });
            begun = true;
        } finally {
            if (!begun) {
                handling.decrementAndGet(); // the server ends, or there is no memory
            }
        }
    }

    /** Runs {@code action} after a time, on the event loop; it must not block. Gives what takes that back. */
    public Runnable after(Duration time, Runnable action) {
        var future = loops.next().schedule(action, time.toMillis(), TimeUnit.MILLISECONDS);
        return () -> future.cancel(false);
    }

    /**
     * Ends it: no new connections and requests; those in progress have {@code grace} to finish, are then cancelled, and
     * have {@code last} to notice. Returns when all is closed.
     *
     * @return whether all that was in progress has finished
     */
    public boolean close(Duration grace, Duration last) {
        draining = true;
        listener.close().awaitUninterruptibly();
        connections.forEach(Connection::closeIfIdle);
        boolean finished = awaitEnd(grace);
        if (!finished) {
            connections.forEach(Connection::cancel);
            awaitEnd(last);
        }
        requests.shutdown();
        loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(last.toMillis() + 1000);
        return finished;
    }

    private boolean awaitEnd(Duration time) {
        long begin = System.nanoTime();
        while (handling.get() > 0 || open.get() > 0) {
            if (System.nanoTime() - begin > time.toNanos()) {
                return false;
            }
            try {
                Thread.sleep(QUIET_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return false;
            }
        }
        return true;
    }

    /** Ends it at once. */
    @Override
    public void close() {
        close(Duration.ZERO, Duration.ofSeconds(1));
    }
}
