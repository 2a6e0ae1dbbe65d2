/** Makes Fovea's models beans of a Spring Boot application, as its properties {@code spring.ai.fovea.*} say. */
package dev.fovea.springai.autoconfigure;
