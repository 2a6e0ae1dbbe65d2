/**
 * Shows attention patterns: a character map for the terminal, a picture as SVG or PNG, an HTML page to explore all
 * layers and heads, and JSON for programs.
 *
 * <p>In all of them a row is a query, the token that attends, and a column is a key, the token that it attends to.
 * Layers and heads are counted from 1.
 */
package dev.fovea.cli.attend;
