/** HTTP/1.1 on Netty: connections, their limits and deadlines, and one exchange at a time on each. Knows no routes. */
package dev.fovea.server.http;
