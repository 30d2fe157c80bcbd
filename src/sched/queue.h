/* Queues of goroutines: the linked list, and a processor's own run queue.
 *
 * All plain: the caller holds what guards the list, or is inside with the processor, or has
 * frozen its thread. Counts are atomics so that others may peek. */
#ifndef GOFER_SRC_QUEUE_H
#define GOFER_SRC_QUEUE_H

#include "sched/sched.h"

void gofer_call_attention(gofer_m *m); /* schedule.c */

static inline uint32_t gofer_list_count(const gofer_list *list)
{
    return atomic_load_explicit(&list->count, memory_order_relaxed);
}

static inline void gofer_list_set_count(gofer_list *list, uint32_t count)
{
    atomic_store_explicit(&list->count, count, memory_order_relaxed);
}

static inline void gofer_list_push(gofer_list *list, gofer_g *g)
{
    g->link = NULL;
    if (list->tail)
        list->tail->link = g;
    else
        list->head = g;
    list->tail = g;
    gofer_list_set_count(list, gofer_list_count(list) + 1);
}

static inline gofer_g *gofer_list_pop(gofer_list *list)
{
    gofer_g *g = list->head;
    if (!g)
        return NULL;
    list->head = g->link;
    if (!list->head)
        list->tail = NULL;
    else
        __builtin_prefetch(list->head);
    gofer_list_set_count(list, gofer_list_count(list) - 1);
    return g;
}

/* A push and a pop, of a list that is not empty. */
static inline gofer_g *gofer_list_rotate(gofer_list *list, gofer_g *last)
{
    gofer_g *first = list->head;
    last->link = NULL;
    list->tail->link = last;
    list->tail = last;
    list->head = first->link;
    __builtin_prefetch(list->head);
    return first;
}

/* Before the others, in a list that is taken from at both ends. */
static inline void gofer_fresh_push(gofer_list *list, gofer_g *g)
{
    g->link = list->head;
    if (list->head)
        list->head->newer = g;
    else
        list->tail = g;
    list->head = g;
    gofer_list_set_count(list, gofer_list_count(list) + 1);
}

static inline gofer_g *gofer_fresh_pop_oldest(gofer_list *list)
{
    gofer_g *g = list->tail;
    if (g == list->head)
        return gofer_list_pop(list);
    list->tail = g->newer;
    list->tail->link = NULL;
    gofer_list_set_count(list, gofer_list_count(list) - 1);
    return g;
}

/* sched.lock. The lists of goroutines that one thread alone may run. */
static inline void gofer_pinned_push(gofer_m *home, gofer_g *g)
{
    gofer_list_push(&home->pinned, g);
    gofer_call_attention(home);
    gofer_sched.pinned_count++;
}

static inline gofer_g *gofer_pinned_pop(gofer_m *home)
{
    gofer_g *g = gofer_list_pop(&home->pinned);
    gofer_sched.pinned_count -= g != NULL;
    return g;
}

static inline uint32_t gofer_runq_count(const gofer_p *p)
{
    return atomic_load_explicit(&p->runq_tail, memory_order_relaxed) -
           atomic_load_explicit(&p->runq_head, memory_order_relaxed);
}

/* Behind the others; into one of the lists behind the ring where that is full. While those wait
 * that have begun nobody else comes before them. */
static inline void gofer_runq_push(gofer_p *p, gofer_g *g)
{
    uint32_t tail = atomic_load_explicit(&p->runq_tail, memory_order_relaxed);
    if (gofer_unlikely(gofer_runq_count(p) == GOFER_RUNQ_SIZE || p->woken.head)) {
        if (g->unstarted)
            gofer_fresh_push(&p->fresh, g);
        else
            gofer_list_push(&p->woken, g);
        return;
    }
    p->runq[tail % GOFER_RUNQ_SIZE] = g;
    atomic_store_explicit(&p->runq_tail, tail + 1, memory_order_relaxed);
}

/* Gets what a switch to g reads, which is in no cache where there are many: the descriptor, and of
 * one whose descriptor was got a while before the stack. */
static inline void gofer_prefetch(const gofer_g *g)
{
    __builtin_prefetch(g); /* may be an old entry, or none: a prefetch minds no address */
    __builtin_prefetch((const char *)g + GOFER_CACHE_LINE);
}

static inline void gofer_prefetch_stack(const gofer_g *g)
{
    const char *sp = __atomic_load_n(&g->sp, __ATOMIC_RELAXED); /* it may still be saved */
    __builtin_prefetch(sp);
    __builtin_prefetch(sp + GOFER_CACHE_LINE);
    __builtin_prefetch(sp + (size_t)2 * GOFER_CACHE_LINE);
}

static inline gofer_g *gofer_runq_pop(gofer_p *p)
{
    uint32_t head = atomic_load_explicit(&p->runq_head, memory_order_relaxed);
    uint32_t tail = atomic_load_explicit(&p->runq_tail, memory_order_relaxed);
    if (head == tail)
        return NULL;
    atomic_store_explicit(&p->runq_head, head + 1, memory_order_relaxed);
    gofer_prefetch(p->runq[(head + 2) % GOFER_RUNQ_SIZE]);
    if (head + 1 != tail)
        gofer_prefetch_stack(p->runq[(head + 1) % GOFER_RUNQ_SIZE]);
    return p->runq[head % GOFER_RUNQ_SIZE];
}

/* How many goroutines wait on p behind `next`. */
static inline uint32_t gofer_p_waiting(const gofer_p *p)
{
    return gofer_runq_count(p) + gofer_list_count(&p->woken) + gofer_list_count(&p->fresh) +
           gofer_list_count(&p->backlog);
}

static inline bool gofer_p_has_work(const gofer_p *p)
{
    return gofer_p_waiting(p) || atomic_load_explicit(&p->next, memory_order_relaxed);
}

#endif
