/**
 * Text to vector, as an application sees it: Fovea against LangChain4j.
 */
package dev.fovea.bench.text;
