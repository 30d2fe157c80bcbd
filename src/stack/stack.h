/* Stacks: what goroutines run on.
 *
 * A stack of the default size is a slot of an arena, [guard page | stack], and known by its top;
 * gofer_stacks is the pool of them. The kernel commits a page when it is touched. Two things keep
 * many stacks from competing for the same sets of a cache: slots are an odd number of pages apart
 * (the address translation's caches), and tops are staggered within their page (the data's).
 * A goroutine gets its stack when it first runs, so those that wait for their turn have none, and
 * those that run to their end one after the other share a warm one. */
#ifndef GOFER_SRC_STACK_H
#define GOFER_SRC_STACK_H

#include "base/pool.h"

extern gofer_pool gofer_stacks;
extern size_t gofer_stack_size; /* at least so many bytes each; set before the first is made */

/* The lowest usable byte of a pooled stack. Tops lie in the upper half of a page of 4 KiB. */
extern size_t gofer_stack_reach; /* from the end of the top's page to there */
static inline char *gofer_stack_low(char *top)
{
    return top + (-(uintptr_t)top & 4095) - gofer_stack_reach;
}

/* A mapping of its own with at least `size` bytes of stack, or as many as go_set_max_stack allows,
 * if fewer, but no fewer than a pooled one; NULL: no memory. *low and the result,
 * its top, are what gofer_stack_unmap wants back. */
char *gofer_stack_map(size_t size, char **low);
void gofer_stack_unmap(char *low, char *top);

#ifdef GOFER_TSAN
void gofer_stack_renew(char *top); /* gofer_tsan_forget for a pooled stack */
#endif

/* For the monitor: gives back the memory of one pooled stack that nobody has used for long; false:
 * there was none. */
bool gofer_stacks_trim(void);

/* For go_shutdown, when no goroutine and no cache of a processor is left: unmaps all of the pool.
 */
void gofer_stacks_free_all(void);

#endif
