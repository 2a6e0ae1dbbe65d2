/** The routes of OpenAI. */
package dev.fovea.server.openai;
