/**
 * Attention patterns as something to look at: a map of characters for the terminal, a picture as SVG or PNG, a page of
 * HTML to explore all layers and heads in, and JSON for programs.
 *
 * <p>All of them put the token that attends, the query, in the row and the token that is attended to, the key, in the
 * column, and count layers and heads from 1.
 */
package dev.fovea.cli.attend;
