/* Stacks: where goroutines live.
 *
 * A goroutine of the default size is a slot of an arena: [guard page | stack … | gofer_g]. The
 * kernel commits a page when it is touched; the descriptor lies on the stack's first page, so a
 * parked goroutine costs one page. Descriptors are staggered within their page, or all would
 * compete for the same cache sets. Arenas are never unmapped: their addresses stay readable, which
 * the dump relies on. A stack of another size is a mapping of its own. */
#ifndef GOFER_SRC_STACK_H
#define GOFER_SRC_STACK_H

#include "sched/sched.h"

/* A goroutine with a fresh stack of the default size, its state DEAD; NULL: no memory. */
gofer_g *gofer_stack_new(void);

/* One with at least `size` bytes of stack; given back with gofer_stack_free_own. */
gofer_g *gofer_stack_new_own(size_t size);
void gofer_stack_free_own(gofer_g *g);

/* Gives back the memory below the page of g's descriptor; it must be free. */
void gofer_stack_trim(gofer_g *g);

#endif
