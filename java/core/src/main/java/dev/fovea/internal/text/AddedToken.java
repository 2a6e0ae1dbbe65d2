package dev.fovea.internal.text;

/**
 * A token that is found in a text before it is split.
 *
 * @param singleWord whether letters and digits beside it make it none
 * @param stripsLeft whether the white space before it is a part of it
 * @param stripsRight whether that behind it is
 * @param normalized whether it is looked for in the normalized text
 * @param special whether it is not text
 */
public record AddedToken(int id, String content, boolean singleWord, boolean stripsLeft, boolean stripsRight,
        boolean normalized, boolean special) {}
