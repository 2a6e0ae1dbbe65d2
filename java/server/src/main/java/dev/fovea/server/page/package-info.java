/** The page to try models, and what it asks for beside the other routes. */
package dev.fovea.server.page;
