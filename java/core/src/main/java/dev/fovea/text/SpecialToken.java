package dev.fovea.text;

/** What special tokens are for. The names are the field's own. */
public enum SpecialToken {
    /** Begins a text. */
    BOS,
    /** Ends a text. */
    EOS,
    /** Ends a turn of a chat. */
    EOT,
    /** Ends a message that goes on once a tool has answered. */
    EOM,
    /** Stands for what the vocabulary has not. */
    UNK,
    /** Stands between two texts. */
    SEP,
    /** Fills room. */
    PAD,
    /** Stands for a text as a whole. */
    CLS,
    /** Stands for a word that is to be guessed. */
    MASK
}
