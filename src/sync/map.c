/* go_map: a hash table in SHARDS parts, each with a lock that guards its lists of nodes and the
 * values in them. A key stays in one shard, so a range, which takes one shard after the other,
 * meets it once.
 *
 * A node is in its list, or held by ranges, or both; `references` counts that, under the shard's
 * lock. Its key never changes. The table is made by the first store and freed by go_map_free. A
 * hash gets a secret of the table, so that nobody can choose keys that collide. */
#include "gofer/map.h"

#include "arch/arch.h"
#include "base/base.h"

enum { SHARDS = 32, FIRST_LISTS = 8, ALIGNMENT = 16 };

typedef struct node {
    struct node *next;
    uint64_t hash;
    uint32_t references;
    bool listed;
    size_t value_at;                 /* where in data */
    _Alignas(ALIGNMENT) char data[]; /* the key, or its text; then the value */
} node;

typedef struct shard {
    gofer_spin lock;
    size_t size, count; /* size: a power of two, or 0 */
    node **lists;
} __attribute__((aligned(GOFER_CACHE_LINE))) shard;

typedef struct map_table {
    uint64_t secret;
    shard shards[SHARDS];
} map_table;

/* An operation on one key. */
typedef struct map_access {
    const gofer_map *map;
    const gofer_map_type *type;
    const void *key;
    const char *bytes; /* of the key, as they are stored */
    size_t size;
    uint64_t hash;
    shard *shard;
} map_access;

/* ---- hashing ------------------------------------------------------------------------------ */

static uint64_t mix(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 product = (unsigned __int128)(a ^ 0x9e3779b97f4a7c15u) * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t hash_bytes(const char *bytes, size_t size, uint64_t secret)
{
    uint64_t hash = secret ^ size, word = 0;
    for (; size >= sizeof word; bytes += sizeof word, size -= sizeof word) {
        memcpy(&word, bytes, sizeof word);
        hash = mix(hash ^ word, 0xd6e8feb86659fd93u);
    }
    word = 0;
    if (size)
        memcpy(&word, bytes, size);
    return mix(hash ^ word, 0xa0761d6478bd642fu);
}

static map_table *table_of(const gofer_map *map)
{
    /* pairs with the release in make_table */
    return atomic_load_explicit((_Atomic(map_table *) *)(void *)&map->table, memory_order_acquire);
}

static gofer_cold map_table *make_table(gofer_map *map)
{
    map_table *made = aligned_alloc(GOFER_CACHE_LINE, sizeof *made), *there = NULL;
    if (!made)
        return NULL;
    memset(made, 0, sizeof *made);
    made->secret = mix((uint64_t)(uintptr_t)made, (uint64_t)gofer_nanotime() | 1);
    if (atomic_compare_exchange_strong_explicit((_Atomic(map_table *) *)(void *)&map->table, &there,
                                                made, memory_order_acq_rel, memory_order_acquire))
        return made;
    free(made);
    return there;
}

/* False: there is no table. */
static bool begin(map_access *a, gofer_map *map, const gofer_map_type *type, const void *key,
                  bool make)
{
    map_table *t = table_of(map);
    if (gofer_unlikely(!t) && !(make && (t = make_table(map))))
        return false;
    bool is_text = type->is_text && !map->keys;
    *a = (map_access){ .map = map, .type = type, .key = key };
    a->bytes = is_text ? *(const char *const *)key : key;
    a->size = is_text ? strlen(a->bytes) + 1 : type->key_size;
    a->hash = map->keys ? mix(map->keys->hash(key), t->secret | 1)
                        : hash_bytes(a->bytes, a->size, t->secret);
    a->shard = &t->shards[a->hash % SHARDS];
    return true;
}

/* A word is the usual size of a key and of a value, and the call of memcpy as long as all else. */
static bool are_equal(const void *a, const void *b, size_t size)
{
    return size == sizeof(uint64_t) ? memcmp(a, b, sizeof(uint64_t)) == 0 : memcmp(a, b, size) == 0;
}

static void copy(void *to, const void *from, size_t size)
{
    if (size == sizeof(uint64_t))
        memcpy(to, from, sizeof(uint64_t));
    else
        memcpy(to, from, size);
}

/* ---- nodes: the shard's lock is held ------------------------------------------------------ */

static node **list_of(const shard *s, uint64_t hash)
{
    return &s->lists[hash / SHARDS & (s->size - 1)];
}

static bool is_key(const map_access *a, const node *n)
{
    if (n->hash != a->hash)
        return false;
    return a->map->keys ? a->map->keys->equal(n->data, a->key)
                        : n->value_at >= a->size && are_equal(n->data, a->bytes, a->size);
}

/* Where the key's node is linked, or NULL. */
static node **find(const map_access *a)
{
    if (!a->shard->size)
        return NULL;
    node **at = list_of(a->shard, a->hash);
    while (*at && !is_key(a, *at))
        at = &(*at)->next;
    return *at ? at : NULL;
}

/* Without memory the lists just get longer; false: there are none at all. */
static bool grow(shard *s)
{
    shard larger = { .size = s->size ? s->size * 2 : FIRST_LISTS };
    larger.lists = calloc(larger.size, sizeof *larger.lists);
    if (!larger.lists)
        return s->size != 0;
    for (size_t i = 0; i < s->size; i++) {
        for (node *n = s->lists[i], *next; n; n = next) {
            node **at = list_of(&larger, n->hash);
            next = n->next;
            n->next = *at;
            *at = n;
        }
    }
    free(s->lists);
    s->lists = larger.lists;
    s->size = larger.size;
    return true;
}

static bool insert(shard *s, node *n)
{
    if (s->count >= s->size && !grow(s))
        return false;
    node **at = list_of(s, n->hash);
    n->next = *at;
    *at = n;
    s->count++;
    return true;
}

/* Returns the node if nobody holds it any more: to be freed without the lock. */
static node *release(node *n)
{
    return --n->references ? NULL : n;
}

static node *take_out(shard *s, node **at)
{
    node *n = *at;
    *at = n->next;
    n->listed = false;
    s->count--;
    return release(n);
}

static void *value_of(node *n)
{
    return n->data + n->value_at;
}

static void copy_out(const map_access *a, node *n, void *to)
{
    if (to)
        copy(to, value_of(n), a->type->value_size);
}

static bool has_value(const map_access *a, node *n, const void *value)
{
    return are_equal(value_of(n), value, a->type->value_size);
}

/* Without the lock. */
static node *new_node(const map_access *a, const void *value)
{
    size_t value_at = (a->size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    node *n = malloc(sizeof *n + value_at + a->type->value_size);
    if (!n)
        return NULL;
    *n = (node){ .hash = a->hash, .references = 1, .listed = true, .value_at = value_at };
    copy(n->data, a->bytes, a->size);
    copy(value_of(n), value, a->type->value_size);
    return n;
}

/* ---- the operations ----------------------------------------------------------------------- */

int gofer_map_load(gofer_map *map, const gofer_map_type *type, const void *key, void *value)
{
    map_access a;
    if (!begin(&a, map, type, key, false))
        return 0;
    gofer_spin_lock(&a.shard->lock);
    node **at = find(&a);
    if (at)
        copy_out(&a, *at, value);
    gofer_spin_unlock(&a.shard->lock);
    return at != NULL;
}

/* 1: the key was there, and got the value if `replaces`; its value before is in *before. 0: it is
 * there now. -1 with ENOMEM. */
static int put(gofer_map *map, const gofer_map_type *type, const void *key, const void *value,
               void *before, bool replaces)
{
    map_access a;
    node *fresh = NULL;
    if (!begin(&a, map, type, key, true)) {
        *gofer_errno() = ENOMEM;
        return -1;
    }
    for (;;) {
        gofer_spin_lock(&a.shard->lock);
        node **at = find(&a);
        if (at) {
            copy_out(&a, *at, before);
            if (replaces)
                copy(value_of(*at), value, type->value_size);
        }
        bool inserted = !at && fresh && insert(a.shard, fresh);
        gofer_spin_unlock(&a.shard->lock);
        if (inserted)
            return 0;
        if (at) {
            free(fresh);
            return 1;
        }
        node *refused = fresh;
        fresh = refused ? NULL : new_node(&a, value);
        if (!fresh) {
            free(refused);
            *gofer_errno() = ENOMEM;
            return -1;
        }
    }
}

int gofer_map_swap(gofer_map *map, const gofer_map_type *type, const void *key, const void *value,
                   void *previous)
{
    return put(map, type, key, value, previous, true);
}

int gofer_map_load_or_store(gofer_map *map, const gofer_map_type *type, const void *key,
                            const void *value, void *actual)
{
    int loaded = put(map, type, key, value, actual, false);
    if (loaded == 0 && actual)
        copy(actual, value, type->value_size);
    return loaded;
}

/* Deletes the key, if its value is `old` or `old` is NULL. */
static int take(gofer_map *map, const gofer_map_type *type, const void *key, const void *old,
                void *value)
{
    map_access a;
    node *gone = NULL;
    if (!begin(&a, map, type, key, false))
        return 0;
    gofer_spin_lock(&a.shard->lock);
    node **at = find(&a);
    bool taken = at && (!old || has_value(&a, *at, old));
    if (taken) {
        copy_out(&a, *at, value);
        gone = take_out(a.shard, at);
    }
    gofer_spin_unlock(&a.shard->lock);
    free(gone);
    return taken;
}

int gofer_map_load_and_delete(gofer_map *map, const gofer_map_type *type, const void *key,
                              void *value)
{
    return take(map, type, key, NULL, value);
}

int gofer_map_compare_and_delete(gofer_map *map, const gofer_map_type *type, const void *key,
                                 const void *old)
{
    return take(map, type, key, old, NULL);
}

int gofer_map_compare_and_swap(gofer_map *map, const gofer_map_type *type, const void *key,
                               const void *old, const void *value)
{
    map_access a;
    if (!begin(&a, map, type, key, false))
        return 0;
    gofer_spin_lock(&a.shard->lock);
    node **at = find(&a);
    bool is_old = at && has_value(&a, *at, old);
    if (is_old)
        copy(value_of(*at), value, type->value_size);
    gofer_spin_unlock(&a.shard->lock);
    return is_old;
}

/* All nodes of the shard, out of it; those that ranges hold stay theirs. */
static void clear_shard(shard *s)
{
    node *free_ones = NULL;
    gofer_spin_lock(&s->lock);
    for (size_t i = 0; i < s->size; i++) {
        while (s->lists[i]) {
            node *gone = take_out(s, &s->lists[i]);
            if (gone) {
                gone->next = free_ones;
                free_ones = gone;
            }
        }
    }
    gofer_spin_unlock(&s->lock);
    while (free_ones) {
        node *next = free_ones->next;
        free(free_ones);
        free_ones = next;
    }
}

void gofer_map_clear(gofer_map *map)
{
    map_table *t = table_of(map);
    for (int i = 0; t && i < SHARDS; i++)
        clear_shard(&t->shards[i]);
}

void gofer_map_free(gofer_map *map)
{
    map_table *t = table_of(map);
    gofer_map_clear(map);
    for (int i = 0; t && i < SHARDS; i++)
        free(t->shards[i].lists);
    free(t);
    map->table = NULL;
}

/* ---- ranges ------------------------------------------------------------------------------- */

gofer_map_iterator gofer_map_iterate(gofer_map *map, const gofer_map_type *type)
{
    gofer_map_iterator it = { .map = map, .type = *type, .value = malloc(type->value_size) };
    it.stop = !it.value || !table_of(map);
    return it;
}

/* Room for the nodes of the shard; false: no memory. */
static bool make_room(gofer_map_iterator *it, size_t count)
{
    void **nodes = realloc(it->nodes, count * sizeof *nodes);
    if (!nodes)
        return false;
    it->nodes = nodes;
    it->room = count;
    return true;
}

/* Holds all nodes of the shard. */
static bool hold_shard(gofer_map_iterator *it, shard *s)
{
    it->at = it->count = 0;
    for (;;) {
        gofer_spin_lock(&s->lock);
        size_t count = s->count;
        for (size_t i = 0; count <= it->room && i < s->size; i++) {
            for (node *n = s->lists[i]; n; n = n->next) {
                n->references++;
                it->nodes[it->count++] = n;
            }
        }
        gofer_spin_unlock(&s->lock);
        if (count <= it->room)
            return true;
        if (!make_room(it, count))
            return false;
    }
}

/* The shard's lock is held: the node's value now, and its key until the next step. False: it was
 * deleted. */
static bool show(gofer_map_iterator *it, node *n)
{
    copy((void *)(uintptr_t)it->value, value_of(n), it->type.value_size);
    it->text = n->data;
    it->key = it->type.is_text && !it->map->keys ? (const void *)&it->text : n->data;
    return n->listed;
}

/* Lets go of the node that is shown, nodes[at - 1], and shows the next, under one lock. False: that
 * one was deleted, or there is none. */
static bool step(gofer_map_iterator *it, shard *s)
{
    gofer_spin_lock(&s->lock);
    node *gone = it->at > 0 ? release(it->nodes[it->at - 1]) : NULL;
    bool shown = it->at < it->count && show(it, it->nodes[it->at]);
    gofer_spin_unlock(&s->lock);
    it->at++;
    free(gone);
    return shown;
}

int gofer_map_next(gofer_map_iterator *it)
{
    map_table *t = table_of(it->map);
    for (;;) {
        while (it->count && it->at <= it->count)
            if (step(it, &t->shards[it->shard - 1]))
                return 1;
        it->at = it->count = 0;
        if (it->shard == SHARDS || !hold_shard(it, &t->shards[it->shard++]))
            return 0;
    }
}

static void let_go(shard *s, node *n)
{
    gofer_spin_lock(&s->lock);
    node *gone = release(n);
    gofer_spin_unlock(&s->lock);
    free(gone);
}

void gofer_map_iterator_end(gofer_map_iterator *it)
{
    map_table *t = table_of(it->map);
    for (size_t i = it->at ? it->at - 1 : 0; i < it->count; i++)
        let_go(&t->shards[it->shard - 1], it->nodes[i]);
    free(it->nodes);
    free((void *)(uintptr_t)it->value);
}
