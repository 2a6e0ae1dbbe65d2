/** What clients send, read strictly, and the errors that say what is wrong with it. */
package dev.fovea.server.json;
