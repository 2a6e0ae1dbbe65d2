package dev.fovea.graph;

/** An op each of whose rows depends on the same row of what it reads alone, so that its value may take over that memory. */
interface InPlace {}
