/* go_map: a hash table in SHARDS parts, each with a lock for who changes its lists of nodes or the
 * values in them. A key stays in one shard, so a range, which takes one shard after the other,
 * meets it once.
 *
 * Loads take no lock: they walk a list as it is (rcu.h). A node is linked when it is whole, and its
 * link stays as it was when it is taken out, so a walk finds each node that was listed all along.
 * Two things a walk may see half done, a value of several words that is stored over and nodes that
 * move to longer lists; `version` is odd meanwhile and another one after: the value is read again,
 * and where no node was found the walk starts again.
 *
 * A node's key never changes. The table is made by the first store and freed by go_map_free. A
 * hash gets a secret of the table, so that nobody can choose keys that collide. */
#include "gofer/map.h"

#include "arch/arch.h"
#include "sync/rcu.h"

enum { SHARDS = 32, FIRST_LISTS = 8, ALIGNMENT = 16, WALKS = 3, LISTS_A_WALK = 16 };

typedef _Atomic(struct node *) map_link;

typedef struct node {
    map_link next;
    uint64_t hash;
    uint32_t value_at, end;          /* where in data, in units of ALIGNMENT */
    _Alignas(ALIGNMENT) char data[]; /* the key, or its text; then the value, in whole words */
} node;

typedef struct shard {
    gofer_spin lock; /* guards all writes to what follows, and to the nodes in the lists */
    _Atomic uint32_t version;
    size_t count;
    _Atomic size_t size; /* of `lists`: a power of two, or 0; both change with the version */
    _Atomic(map_link *) lists;
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

/* ---- nodes -------------------------------------------------------------------------------- */

/* A node that a walk finds is whole: the acquire pairs with the release in store_link. */
static node *load_link(const map_link *at)
{
    return atomic_load_explicit(at, memory_order_acquire);
}

static void store_link(map_link *at, node *n)
{
    atomic_store_explicit(at, n, memory_order_release);
}

static uint32_t version_of(const shard *s)
{
    /* pairs with the release in next_version */
    return atomic_load_explicit(&s->version, memory_order_acquire);
}

static bool is_version(const shard *s, uint32_t version)
{
    return version % 2 == 0 && atomic_load_explicit(&s->version, memory_order_relaxed) == version;
}

/* An array of lists, heads of nodes. */
typedef struct map_lists {
    size_t size;
    map_link *heads;
} map_lists;

static map_lists lists_of(const shard *s)
{
    return (map_lists){ atomic_load_explicit(&s->size, memory_order_acquire),
                        atomic_load_explicit(&s->lists, memory_order_acquire) };
}

static map_link *list_of(map_lists l, uint64_t hash)
{
    return l.heads + (hash / SHARDS & (l.size - 1));
}

static size_t size_of(const node *n)
{
    return sizeof *n + (size_t)n->end * ALIGNMENT;
}

static void *value_of(node *n)
{
    return n->data + (size_t)n->value_at * ALIGNMENT;
}

static bool has_bytes(const map_access *a, const node *n)
{
    return n->hash == a->hash && (size_t)n->value_at * ALIGNMENT >= a->size &&
           are_equal(n->data, a->bytes, a->size);
}

static bool is_key(const map_access *a, const node *n)
{
    return a->map->keys ? n->hash == a->hash && a->map->keys->equal(n->data, a->key)
                        : has_bytes(a, n);
}

/* Word by word, each whole: others store meanwhile. Acquires and releases keep the words between
 * the two looks at `version` and its two changes. */
static void load_words(node *n, void *value, size_t size)
{
    const _Atomic uint64_t *words = value_of(n);
    char *out = value;
    for (size_t step; size; size -= step, out += step) {
        uint64_t word = atomic_load_explicit(words++, memory_order_acquire);
        step = size < sizeof word ? size : sizeof word;
        copy(out, &word, step);
    }
}

static void store_words(node *n, const void *value, size_t size)
{
    _Atomic uint64_t *words = value_of(n);
    const char *in = value;
    for (size_t step; size; size -= step, in += step) {
        uint64_t word = 0;
        step = size < sizeof word ? size : sizeof word;
        copy(&word, in, step);
        atomic_store_explicit(words++, word, memory_order_release);
    }
}

/* The value, if it is asked for. */
static void copy_out(const map_access *a, node *n, void *to)
{
    if (to)
        load_words(n, to, a->type->value_size);
}

/* ---- under the shard's lock --------------------------------------------------------------- */

/* The key's node and, in *at, where it is linked; NULL: there is none. */
static node *find(const map_access *a, map_link **at)
{
    map_lists l = lists_of(a->shard);
    if (!l.size)
        return NULL;
    *at = list_of(l, a->hash);
    for (node *n; (n = load_link(*at)); *at = &n->next)
        if (is_key(a, n))
            return n;
    return NULL;
}

static void next_version(shard *s)
{
    uint32_t version = atomic_load_explicit(&s->version, memory_order_relaxed);
    atomic_store_explicit(&s->version, version + 1, memory_order_release);
}

static void store_value(const map_access *a, node *n, const void *value)
{
    if (a->type->value_size > sizeof(uint64_t))
        next_version(a->shard);
    store_words(n, value, a->type->value_size);
    if (a->type->value_size > sizeof(uint64_t))
        next_version(a->shard);
}

/* The version is odd. */
static void set_lists(shard *s, map_lists l)
{
    atomic_store_explicit(&s->size, l.size, memory_order_release);
    atomic_store_explicit(&s->lists, l.heads, memory_order_release);
}

/* *old becomes the lists that were, for free_lists. Without memory they just get longer; false:
 * there are none at all. */
static bool grow(shard *s, map_lists *old)
{
    map_lists l = lists_of(s), larger = { .size = l.size ? l.size * 2 : FIRST_LISTS };
    larger.heads = calloc(larger.size, sizeof *larger.heads);
    if (!larger.heads)
        return l.size != 0;
    next_version(s);
    for (size_t i = 0; i < l.size; i++) {
        for (node *n = load_link(&l.heads[i]), *next; n; n = next) {
            map_link *at = list_of(larger, n->hash);
            next = load_link(&n->next);
            store_link(&n->next, load_link(at));
            store_link(at, n);
        }
    }
    set_lists(s, larger);
    next_version(s);
    *old = l;
    return true;
}

static bool insert(shard *s, node *n, map_lists *old)
{
    if (s->count >= lists_of(s).size && !grow(s, old))
        return false;
    map_link *at = list_of(lists_of(s), n->hash);
    store_link(&n->next, load_link(at));
    store_link(at, n);
    s->count++;
    return true;
}

/* Returns the node, for gofer_rcu_free. */
static node *take_out(shard *s, map_link *at)
{
    node *n = load_link(at);
    store_link(at, load_link(&n->next));
    s->count--;
    return n;
}

static bool has_value(const map_access *a, node *n, const void *value)
{
    return are_equal(value_of(n), value, a->type->value_size);
}

/* ---- without the lock --------------------------------------------------------------------- */

static void free_node(node *n)
{
    if (n)
        gofer_rcu_free(n, size_of(n));
}

static void free_lists(map_lists l)
{
    if (l.heads)
        gofer_rcu_free(l.heads, l.size * sizeof *l.heads);
}

static size_t rounded(size_t size)
{
    return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static node *new_node(const map_access *a, const void *value)
{
    size_t value_at = rounded(a->size) / ALIGNMENT;
    size_t end = value_at + rounded(a->type->value_size) / ALIGNMENT;
    node *n = end > UINT32_MAX ? NULL : malloc(sizeof *n + end * ALIGNMENT);
    if (!n)
        return NULL;
    *n = (node){ .hash = a->hash, .value_at = (uint32_t)value_at, .end = (uint32_t)end };
    copy(n->data, a->bytes, a->size);
    store_words(n, value, a->type->value_size);
    return n;
}

/* Several words, which others may store over meanwhile: then again, at last with the lock, whose
 * holders never wait for a walk. */
static gofer_noinline void copy_found_words(const map_access *a, node *n, void *to)
{
    shard *s = a->shard;
    for (int i = 0; i < WALKS; i++) {
        uint32_t version = version_of(s);
        copy_out(a, n, to);
        if (gofer_likely(is_version(s, version)))
            return;
    }
    gofer_spin_lock(&s->lock);
    copy_out(a, n, to);
    gofer_spin_unlock(&s->lock);
}

/* The value of a node that a walk found, if it is asked for. */
static gofer_inline void copy_found(const map_access *a, node *n, void *to)
{
    if (gofer_likely(!to || a->type->value_size <= sizeof(uint64_t)))
        copy_out(a, n, to);
    else
        copy_found_words(a, n, to);
}

/* 1 and, if asked for, the value; 0: the key is not there; -1: the lists change just now. A node
 * that is found was in the map since the walk began, also where they change, and keeps its value
 * when it is taken out: so *to is written only where the answer is 1. */
static gofer_inline int look(const map_access *a, void *to)
{
    uint32_t version = version_of(a->shard);
    map_lists l = lists_of(a->shard);
    if (gofer_unlikely(!is_version(a->shard, version)))
        return -1;
    node *n = l.size ? load_link(list_of(l, a->hash)) : NULL;
    while (n && !has_bytes(a, n))
        n = load_link(&n->next);
    if (n) {
        copy_found(a, n, to);
        return 1;
    }
    return is_version(a->shard, version) ? 0 : -1;
}

/* The same; -1: the lock must be taken. */
static gofer_inline int walk(const map_access *a, void *to)
{
    int found = -1;
    gofer_reader_row *row = gofer_unlikely(a->map->keys != NULL) ? NULL : gofer_rcu_enter();
    if (gofer_unlikely(!row))
        return -1;
    for (int i = 0; i < WALKS && found < 0; i++)
        found = look(a, to);
    gofer_rcu_leave(row);
    return found;
}

/* ---- the operations ----------------------------------------------------------------------- */

int gofer_map_load(gofer_map *map, const gofer_map_type *type, const void *key, void *value)
{
    map_access a;
    if (!begin(&a, map, type, key, false))
        return 0;
    int found = walk(&a, value);
    if (gofer_likely(found >= 0))
        return found;
    map_link *at;
    gofer_spin_lock(&a.shard->lock);
    node *n = find(&a, &at);
    if (n)
        copy_out(&a, n, value);
    gofer_spin_unlock(&a.shard->lock);
    return n != NULL;
}

static gofer_cold int fail_put(void)
{
    *gofer_errno() = ENOMEM;
    return -1;
}

/* 1: the key was there, and got the value if `replaces`; its value before is in *before. 0: it is
 * there now. -1 with ENOMEM. */
static int put(gofer_map *map, const gofer_map_type *type, const void *key, const void *value,
               void *before, bool replaces)
{
    map_access a;
    node *fresh = NULL;
    if (!begin(&a, map, type, key, true))
        return fail_put();
    int found = replaces ? -1 : walk(&a, before);
    if (found > 0)
        return 1;
    if (found == 0 && !(fresh = new_node(&a, value)))
        return fail_put();
    for (;;) {
        map_lists old = { 0, NULL };
        map_link *at;
        gofer_spin_lock(&a.shard->lock);
        node *n = find(&a, &at);
        if (n)
            copy_out(&a, n, before);
        if (n && replaces)
            store_value(&a, n, value);
        bool inserted = !n && fresh && insert(a.shard, fresh, &old);
        gofer_spin_unlock(&a.shard->lock);
        free_lists(old);
        if (inserted)
            return 0;
        if (n) {
            free(fresh);
            return 1;
        }
        node *refused = fresh;
        fresh = refused ? NULL : new_node(&a, value);
        if (!fresh) {
            free(refused);
            return fail_put();
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
    map_link *at;
    node *gone = NULL;
    if (!begin(&a, map, type, key, false) || walk(&a, NULL) == 0)
        return 0;
    gofer_spin_lock(&a.shard->lock);
    node *n = find(&a, &at);
    bool taken = n && (!old || has_value(&a, n, old));
    if (taken) {
        copy_out(&a, n, value);
        gone = take_out(a.shard, at);
    }
    gofer_spin_unlock(&a.shard->lock);
    free_node(gone);
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
    map_link *at;
    if (!begin(&a, map, type, key, false))
        return 0;
    gofer_spin_lock(&a.shard->lock);
    node *n = find(&a, &at);
    bool is_old = n && has_value(&a, n, old);
    if (is_old)
        store_value(&a, n, value);
    gofer_spin_unlock(&a.shard->lock);
    return is_old;
}

/* All nodes of the shard, out of it with their lists. */
static void clear_shard(shard *s)
{
    gofer_spin_lock(&s->lock);
    map_lists l = lists_of(s);
    s->count = 0;
    next_version(s);
    set_lists(s, (map_lists){ 0, NULL });
    next_version(s);
    gofer_spin_unlock(&s->lock);
    for (size_t i = 0; i < l.size; i++) {
        for (node *n = load_link(&l.heads[i]), *next; n; n = next) {
            next = load_link(&n->next);
            free_node(n);
        }
    }
    free_lists(l);
}

void gofer_map_clear(gofer_map *map)
{
    map_table *t = table_of(map);
    for (int i = 0; t && i < SHARDS; i++)
        clear_shard(&t->shards[i]);
}

void gofer_map_free(gofer_map *map)
{
    gofer_map_clear(map);
    free(table_of(map));
    map->table = NULL;
}

/* ---- ranges: copies of one shard's entries after the other's --------------------------------- */

gofer_map_iterator gofer_map_iterate(gofer_map *map, const gofer_map_type *type)
{
    gofer_map_iterator it = { .map = map, .type = *type };
    it.type.is_text = type->is_text && !map->keys;
    it.stop = !table_of(map);
    return it;
}

/* Copies of a list's entries, each the value and then the key, as far as there is room; `size` is
 * what all of them take. */
static gofer_inline void copy_list(gofer_map_iterator *it, const map_link *head)
{
    for (node *n = load_link(head); n; n = load_link(&n->next)) {
        size_t value_at = (size_t)n->value_at * ALIGNMENT, size = (size_t)n->end * ALIGNMENT;
        if (gofer_likely(it->size + size <= it->room)) {
            char *key = it->entries + it->size + (size - value_at);
            load_words(n, it->entries + it->size, it->type.value_size);
            for (size_t i = 0; i < value_at; i += ALIGNMENT)
                memcpy(key + i, n->data + i, ALIGNMENT);
        }
        it->size += size;
    }
}

/* Without the lock, a few lists in a walk, for walks are short. False: the lists or values of
 * several words changed, or the lock must be taken anyhow. */
static bool walk_shard(gofer_map_iterator *it, const shard *s)
{
    uint32_t version = version_of(s);
    map_lists l = lists_of(s);
    bool same = is_version(s, version);
    it->size = 0;
    for (size_t i = 0; same && i < l.size;) {
        gofer_reader_row *row = gofer_rcu_enter();
        if (gofer_unlikely(!row))
            return false;
        same = is_version(s, version);
        for (size_t end = i + LISTS_A_WALK; same && i < l.size && i < end; i++)
            copy_list(it, &l.heads[i]);
        same = is_version(s, version);
        gofer_rcu_leave(row);
    }
    return same;
}

static void copy_shard(gofer_map_iterator *it, shard *s)
{
    for (int i = 0; i < WALKS; i++)
        if (walk_shard(it, s))
            return;
    gofer_spin_lock(&s->lock);
    map_lists l = lists_of(s);
    it->size = 0;
    for (size_t i = 0; i < l.size; i++)
        copy_list(it, &l.heads[i]);
    gofer_spin_unlock(&s->lock);
}

/* Copies of all the shard's entries, with room for a few that come meanwhile. False: no memory. */
static bool take_shard(gofer_map_iterator *it, shard *s)
{
    it->at = 0;
    for (copy_shard(it, s); it->size > it->room; copy_shard(it, s)) {
        free(it->entries);
        it->room = it->size + it->size / 8;
        it->entries = malloc(it->room);
        if (!it->entries) {
            it->room = it->size = 0;
            return false;
        }
    }
    return true;
}

int gofer_map_next(gofer_map_iterator *it)
{
    while (it->at == it->size)
        if (it->shard == SHARDS || !take_shard(it, &table_of(it->map)->shards[it->shard++]))
            return 0;
    const char *entry = it->entries + it->at;
    it->value = entry;
    it->text = entry + rounded(it->type.value_size);
    it->key = it->type.is_text ? (const void *)&it->text : it->text;
    size_t key_size = it->type.is_text ? strlen(it->text) + 1 : it->type.key_size;
    it->at += rounded(it->type.value_size) + rounded(key_size);
    return 1;
}

void gofer_map_iterator_end(gofer_map_iterator *it)
{
    free(it->entries);
}
