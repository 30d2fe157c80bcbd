/* go_local: values of the calling goroutine. A list each, touched by its goroutine alone. */
#include "sched/internal.h"

#ifdef GOFER_ASAN
/* Who still lives at the end leaks nothing: descriptors are where LSan does not look. */
void __lsan_ignore_object(const void *object);
#define IGNORE_LEAK(object) __lsan_ignore_object(object)
#else
#define IGNORE_LEAK(object) (void)(object)
#endif

struct gofer_local {
    struct gofer_local *next;
    const void *key;
    void *value;
    void (*destroy)(void *);
};

static struct gofer_local *find(gofer_g *g, const void *key)
{
    struct gofer_local *local = g->locals;
    while (local && local->key != key)
        local = local->next;
    return local;
}

int go_local_set(const void *key, void *value, void (*destroy)(void *))
{
    gofer_g *self = gofer_m_attached()->g;
    struct gofer_local *local = find(self, key);
    if (!local) {
        local = calloc(1, sizeof *local);
        if (!local) {
            *gofer_errno() = ENOMEM;
            return -1;
        }
        IGNORE_LEAK(local);
        local->key = key;
        local->next = self->locals;
        self->locals = local;
    }
    local->value = value;
    local->destroy = destroy;
    return 0;
}

void *go_local_get(const void *key)
{
    struct gofer_local *local = find(gofer_m_attached()->g, key);
    return local ? local->value : NULL;
}

/* A destructor may set values again; they are destroyed too. */
void gofer_locals_free(gofer_g *g)
{
    while (g->locals) {
        struct gofer_local *local = g->locals;
        g->locals = local->next;
        if (local->destroy && local->value)
            local->destroy(local->value);
        free(local);
    }
}
