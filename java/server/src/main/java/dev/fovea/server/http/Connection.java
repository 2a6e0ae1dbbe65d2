package dev.fovea.server.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.netty.util.ReferenceCountUtil;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * One connection: requests one after the other. While one is answered, the connection is still read, so that a client that
 * closes it is noticed. All state belongs to the thread of the event loop.
 */
final class Connection extends ChannelInboundHandlerAdapter {
    private static final Duration LINGER = Duration.ofSeconds(2);

    private enum State {
        /** Nothing of the next request is there. */
        AWAITING,
        /** The body of a request arrives. */
        READING,
        /** A request is being answered. */
        BUSY,
        /** What still comes is thrown away. */
        CLOSING
    }

    private final HttpFront front;
    private final HttpSettings settings;
    /** What came behind a request that is being answered: at most what one read gave. */
    private final ArrayDeque<Object> waiting = new ArrayDeque<>(0);
    private ChannelHandlerContext context;
    private State state = State.AWAITING;
    private HttpRequest request;
    private ByteBuf body;
    private int counted;
    private Exchange exchange;
    private boolean keepsAlive;
    private ScheduledFuture<?> deadline;
    private ScheduledFuture<?> writeDeadline;

    Connection(HttpFront front) {
        this.front = front;
        this.settings = front.settings();
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        context = ctx;
        if (!front.opened(this)) {
            state = State.CLOSING;
            ctx.close();
            return;
        }
        arm(settings.arrival());
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        if (state == State.CLOSING) {
            ReferenceCountUtil.release(message);
        } else if (state == State.BUSY || !waiting.isEmpty()) {
            waiting.add(message);
            ctx.channel().config().setAutoRead(false);
        } else {
            accept((HttpObject) message);
        }
    }

    private void accept(HttpObject message) {
        try {
            if (message.decoderResult().isFailure()) {
                malformed(message);
                return;
            }
            if (message instanceof HttpRequest next) {
                begin(next);
            }
            if (message instanceof HttpContent content && state == State.READING) {
                append(content);
            }
        } finally {
            ReferenceCountUtil.release(message);
        }
    }

    private void malformed(HttpObject message) {
        if (message instanceof HttpRequest bad) {
            request = bad;
        }
        switch (message.decoderResult().cause()) {
            case TooLongHttpLineException _ -> refuse(414, "the first line of the request has more than "
                    + HttpSettings.MAX_LINE + " bytes");
            case TooLongHttpHeaderException _ -> refuse(431, "the headers have more than " + settings.maxHeaderBytes() + " bytes");
            default -> refuse(400, "the request is not HTTP/1.1");
        }
    }

    private void begin(HttpRequest next) {
        request = next;
        keepsAlive = HttpUtil.isKeepAlive(next);
        long length = HttpUtil.getContentLength(next, -1L);
        int hosts = next.headers().getAll(HttpHeaderNames.HOST).size();
        if (front.isDraining()) {
            refuse(503, "the server ends");
        } else if (next.protocolVersion().majorVersion() != 1) {
            refuse(505, "the request is not HTTP/1.1");
        } else if (hosts > 1 || hosts == 0 && !next.protocolVersion().equals(HttpVersion.HTTP_1_0)) {
            refuse(400, "expected one header Host, got " + hosts);
        } else if (length > settings.maxBodyBytes()) {
            tooLarge();
        } else {
            state = State.READING;
            body = Unpooled.EMPTY_BUFFER;
            arm(settings.arrival());
            if (HttpUtil.is100ContinueExpected(next)) {
                context.writeAndFlush(new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.CONTINUE,
                        Unpooled.EMPTY_BUFFER));
            }
        }
    }

    private void append(HttpContent content) {
        ByteBuf more = content.content();
        int bytes = more.readableBytes();
        if (counted + bytes > settings.maxBodyBytes()) {
            tooLarge();
            return;
        }
        if (!front.takeBodyBytes(bytes)) {
            refuse(429, "the requests that are there hold " + settings.maxBodyBytesOfAll() + " bytes, which is the most");
            return;
        }
        counted += bytes;
        if (bytes > 0) {
            if (body == Unpooled.EMPTY_BUFFER) {
                body = context.alloc().heapBuffer(Math.max(256, bytes), settings.maxBodyBytes());
            }
            body.writeBytes(more);
        }
        if (content instanceof LastHttpContent) {
            finishReading();
        }
    }

    private void finishReading() {
        disarm();
        byte[] bytes = ByteBufUtil.getBytes(body);
        releaseBody();
        state = State.BUSY;
        exchange = new Exchange(this, request, bytes);
        front.handle(exchange);
    }

    private void tooLarge() {
        refuse(413, "the body has more than " + settings.maxBodyBytes() + " bytes");
    }

    /** Answers what did not become an exchange, and ends the connection once the client had the time to read that. */
    private void refuse(int status, String message) {
        state = State.CLOSING;
        disarm();
        releaseBody();
        String path = request == null ? "" : Exchange.path(request.uri());
        HttpResponse response = full(status, "application/json", front.refusal(path, status, message), Map.of());
        response.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        // A client that still sends would lose the answer if the connection were closed at once.
        context.writeAndFlush(response).addListener(_ -> {
            if (context.channel() instanceof DuplexChannel duplex && duplex.isActive()) {
                duplex.shutdownOutput();
            }
        });
        deadline = context.executor().schedule(() -> context.close(), LINGER.toMillis(), TimeUnit.MILLISECONDS);
    }

    private static DefaultFullHttpResponse full(int status, String type, byte[] content, Map<String, String> more) {
        var response = new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(status),
                Unpooled.wrappedBuffer(content));
        response.headers().set(HttpHeaderNames.CONTENT_LENGTH, content.length);
        addHeaders(response, type, more);
        return response;
    }

    private static void addHeaders(HttpResponse response, String type, Map<String, String> more) {
        response.headers().set(HttpHeaderNames.CONTENT_TYPE, type)
                .set("X-Content-Type-Options", "nosniff").set(HttpHeaderNames.CACHE_CONTROL, "no-store");
        more.forEach((name, value) -> response.headers().set(name, value));
    }

    /** Writes a whole answer. */
    void respond(Exchange of, int status, String type, byte[] content, Map<String, String> more) {
        onLoop(of, () -> {
            HttpResponse response = full(status, type, content, more);
            sayWhetherItStays(response);
            context.writeAndFlush(response).addListener(_ -> answered(of));
        });
    }

    void beginEvents(Exchange of) {
        onLoop(of, () -> {
            var response = new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK);
            addHeaders(response, "text/event-stream; charset=utf-8", Map.of());
            if (request.protocolVersion().equals(HttpVersion.HTTP_1_0)) {
                keepsAlive = false;
            } else {
                HttpUtil.setTransferEncodingChunked(response, true);
            }
            sayWhetherItStays(response);
            context.writeAndFlush(response);
        });
    }

    void sendEvent(Exchange of, byte[] event, AtomicLong unsent) {
        onLoop(of, () -> context.writeAndFlush(new DefaultHttpContent(Unpooled.wrappedBuffer(event)))
                .addListener(_ -> unsent.addAndGet(-event.length)));
    }

    void endEvents(Exchange of) {
        onLoop(of, () -> context.writeAndFlush(LastHttpContent.EMPTY_LAST_CONTENT).addListener(_ -> answered(of)));
    }

    /** Ends the connection of a client that does not read. */
    void giveUp(Exchange of) {
        onLoop(of, () -> context.close());
    }

    private void sayWhetherItStays(HttpResponse response) {
        keepsAlive = keepsAlive && !front.isDraining();
        if (!keepsAlive) {
            response.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        } else if (request.protocolVersion().equals(HttpVersion.HTTP_1_0)) {
            response.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.KEEP_ALIVE);
        }
    }

    /** Runs {@code action} on the event loop, if the exchange is still that of this connection. */
    private void onLoop(Exchange of, Runnable action) {
        try {
            context.executor().execute(() -> {
                if (exchange == of && context.channel().isActive()) {
                    action.run();
                }
            });
        } catch (RejectedExecutionException _) {
            // The server has ended, and the connection with it.
        }
    }

    private void answered(Exchange of) {
        if (exchange != of) {
            return;
        }
        exchange = null;
        uncount();
        if (!keepsAlive || front.isDraining()) {
            state = State.CLOSING;
            context.close();
            return;
        }
        state = State.AWAITING;
        arm(settings.idle());
        while (state != State.BUSY && state != State.CLOSING && !waiting.isEmpty()) {
            accept((HttpObject) waiting.poll());
        }
        if (waiting.isEmpty()) {
            context.channel().config().setAutoRead(true);
        }
    }

    /** Closes the connection if nothing of a request is there. */
    void closeIfIdle() {
        context.executor().execute(() -> {
            if (state == State.AWAITING) {
                context.close();
            }
        });
    }

    /** Says to the work in progress that the server ends. */
    void cancel() {
        context.executor().execute(() -> {
            if (exchange != null) {
                exchange.cancellation().cancel(Cancellation.Reason.SHUTDOWN);
            }
        });
    }

    private void arm(Duration time) {
        disarm();
        deadline = context.executor().schedule(this::late, time.toMillis(), TimeUnit.MILLISECONDS);
    }

    private void disarm() {
        if (deadline != null) {
            deadline.cancel(false);
            deadline = null;
        }
    }

    private void late() {
        if (state == State.READING) {
            refuse(408, "the request did not arrive within " + settings.arrival().toSeconds() + " s");
        } else if (state == State.AWAITING) {
            context.close();
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        if (ctx.channel().isWritable()) {
            if (writeDeadline != null) {
                writeDeadline.cancel(false);
                writeDeadline = null;
            }
        } else if (writeDeadline == null) {
            writeDeadline = ctx.executor().schedule(() -> ctx.close(), settings.write().toMillis(), TimeUnit.MILLISECONDS);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        state = State.CLOSING;
        disarm();
        if (writeDeadline != null) {
            writeDeadline.cancel(false);
        }
        waiting.forEach(ReferenceCountUtil::release);
        waiting.clear();
        releaseBody();
        uncount();
        if (exchange != null) {
            exchange.cancellation().cancel(Cancellation.Reason.GONE);
            exchange = null;
        }
        front.closed(this);
    }

    private void releaseBody() {
        if (body != null) {
            body.release();
            body = null;
        }
    }

    private void uncount() {
        front.giveBodyBytes(counted);
        counted = 0;
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        ctx.close(); // a reset, mostly
    }
}
