package dev.fovea.server;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;

/** A connection that sends what no well-behaved client sends. */
final class RawClient implements AutoCloseable {
    final Socket socket = new Socket();

    RawClient(TestServer server) throws IOException {
        this(server.server.port());
    }

    RawClient(int port) throws IOException {
        socket.setReceiveBufferSize(1 << 12);
        socket.connect(new InetSocketAddress("127.0.0.1", port), 5000);
        socket.setSoTimeout((int) TestServer.PATIENCE.toMillis());
    }

    RawClient send(String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
        socket.getOutputStream().flush();
        return this;
    }

    static String post(String path, String body) {
        return "POST " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
                + body.getBytes(StandardCharsets.UTF_8).length + "\r\n\r\n" + body;
    }

    /** What comes until the server has nothing more to say, or {@code end} came. */
    String read(String end) {
        var bytes = new ByteArrayOutputStream();
        try {
            InputStream in = socket.getInputStream();
            while (end == null || !bytes.toString(StandardCharsets.UTF_8).contains(end)) {
                int one = in.read();
                if (one < 0) {
                    break;
                }
                bytes.write(one);
            }
        } catch (SocketException e) {
            bytes.writeBytes("[reset]".getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    /** Whether the server ends the connection. */
    boolean isEnded() {
        try {
            return socket.getInputStream().read() < 0;
        } catch (SocketTimeoutException e) {
            return false;
        } catch (IOException e) {
            return true;
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
