/** Text to vector, as an application sees it: Fovea and LangChain4j. */
package dev.fovea.bench.text;
