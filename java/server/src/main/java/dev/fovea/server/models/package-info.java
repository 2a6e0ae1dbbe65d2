/** The models that are served, each behind a queue that gathers the texts of all requests. */
package dev.fovea.server.models;
