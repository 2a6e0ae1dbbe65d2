/* Sleeping on a word of memory until another thread changes it: a futex where the system has one. */
#ifndef FV_PARK_H
#define FV_PARK_H

#include <stdatomic.h>

/* Sleeps while *word is expected. May return early; callers look at the word again. */
void fv_park(atomic_uint *word, unsigned expected);

/* Wakes the thread that sleeps on word. To be called after the word was changed. */
void fv_unpark(atomic_uint *word);

#endif /* FV_PARK_H */
