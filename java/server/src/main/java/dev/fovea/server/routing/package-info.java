/** From a request to its route: who may come in, how much at a time, what errors become, and what is counted. */
package dev.fovea.server.routing;
