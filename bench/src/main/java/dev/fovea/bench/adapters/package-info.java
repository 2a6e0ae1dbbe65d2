/** What applications see through the interface of a framework: LangChain4j's in-process model and Fovea's. */
package dev.fovea.bench.adapters;
