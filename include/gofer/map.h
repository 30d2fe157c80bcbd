/* A map for many goroutines at once. Go's sync.Map, with types.
 *
 *     typedef go_map(const char *, int) counters;
 *     static counters hits;
 *     go_map_store(&hits, "index", 1);
 *     go_map_range (&hits, path, n)
 *         printf("%s %d\n", path, n);
 *
 * Usable as `= {0}`, by goroutines and plain threads; go_map_free gives its memory back. Keys and
 * values are copied in and out by their bytes; of a char pointer as key the map copies, compares
 * and hashes the text. What a value points to stays the program's: who deletes or replaces it gets
 * it from load_and_delete or swap, and must know that nobody who loaded it before still uses it.
 * Keys of another type are compared and hashed by their bytes, so a struct must have no padding, or
 * the map brings functions: static counters hits = { .map = { .keys = &my_keys } }.
 * SPDX-License-Identifier: MIT */
#ifndef GOFER_MAP_H
#define GOFER_MAP_H

#include <gofer/base.h>

/* How the keys of a map are hashed and compared; the functions get pointers to keys, must not block
 * or panic, and run under a lock. */
typedef struct go_map_keys {
    uint64_t (*hash)(const void *key);
    int (*equal)(const void *a, const void *b); /* not 0: they are the same */
} go_map_keys;

/* A map without its types; the library's own but for `keys`: see src/sync/map.c. */
typedef struct gofer_map {
    const go_map_keys *keys; /* NULL: the built-in ones */
    void *table;
} gofer_map;

/* The type of a map from K to V, both complete object types. Each use is a type of its own: give it
 * a name with typedef. Go: sync.Map. */
#define go_map(K, V)          \
    union {                   \
        gofer_map map;        \
        __typeof__(K) *key;   \
        __typeof__(V) *value; \
    }

typedef struct gofer_map_type {
    size_t key_size, value_size;
    int is_text;
} gofer_map_type;

typedef struct gofer_map_iterator {
    const void *key, *value;
    gofer_map *map;
    gofer_map_type type;
    char *entries; /* copies of one shard's, `size` bytes in `room`; `at` is the next */
    size_t size, room, at;
    uint32_t shard;
    int stop;
    const char *text;
} gofer_map_iterator;

GOFER_BEGIN

/* Under the macros; for bindings. key points to a key, value to a value. */
GOFER_API int gofer_map_load(gofer_map *, const gofer_map_type *, const void *key, void *value);
GOFER_API int gofer_map_swap(gofer_map *, const gofer_map_type *, const void *key,
                             const void *value, void *previous);
GOFER_API int gofer_map_load_or_store(gofer_map *, const gofer_map_type *, const void *key,
                                      const void *value, void *actual);
GOFER_API int gofer_map_load_and_delete(gofer_map *, const gofer_map_type *, const void *key,
                                        void *value);
GOFER_API int gofer_map_compare_and_swap(gofer_map *, const gofer_map_type *, const void *key,
                                         const void *old, const void *value);
GOFER_API int gofer_map_compare_and_delete(gofer_map *, const gofer_map_type *, const void *key,
                                           const void *old);
GOFER_API gofer_map_iterator gofer_map_iterate(gofer_map *, const gofer_map_type *);
GOFER_API int gofer_map_next(gofer_map_iterator *);
GOFER_API void gofer_map_iterator_end(gofer_map_iterator *);
GOFER_API void gofer_map_clear(gofer_map *);
GOFER_API void gofer_map_free(gofer_map *);

GOFER_END

/* Deletes all entries. Go: Map.Clear. */
#define go_map_clear(m) gofer_map_clear(&(m)->map)

/* Deletes all entries and gives the map's own memory back; it may be used again. No other call may
 * be in progress. Not in Go. */
#define go_map_free(m) gofer_map_free(&(m)->map)

#ifdef __cplusplus
#include <gofer/cxx/map.h>
#else

#define GOFER_MAP_TYPE(m)                                           \
    (&(const gofer_map_type){ sizeof *(m)->key, sizeof *(m)->value, \
                              _Generic(*(m)->key, char * : 1, const char * : 1, default : 0) })
#define GOFER_MAP_KEY(m, k) ((__typeof__(*(m)->key)[1]){ k })
#define GOFER_MAP_VALUE(m, v) ((__typeof__(*(m)->value)[1]){ v })
#define GOFER_MAP_TO(m, p)                        \
    __extension__({                               \
        __typeof__(*(m)->value) *gofer_to_ = (p); \
        (void *)gofer_to_;                        \
    })

/* None of these blocks but for a moment; all are atomic. p may be NULL; *p stays as it was where
 * they do not say that something is in it. */

/* 1 and the key's value in *p, or 0. Go: Map.Load. */
#define go_map_load(m, k, p) \
    gofer_map_load(&(m)->map, GOFER_MAP_TYPE(m), GOFER_MAP_KEY(m, k), GOFER_MAP_TO(m, p))

/* Sets the key's value; 0, or -1 with ENOMEM. Go: Map.Store. */
#define go_map_store(m, k, v)                                                                 \
    (gofer_map_swap(&(m)->map, GOFER_MAP_TYPE(m), GOFER_MAP_KEY(m, k), GOFER_MAP_VALUE(m, v), \
                    NULL) < 0                                                                 \
         ? -1                                                                                 \
         : 0)

/* Sets the key's value: 1 with the one before in *p, 0 if there was none, or -1 with ENOMEM.
 * Go: Map.Swap. */
#define go_map_swap(m, k, v, p)                                                              \
    gofer_map_swap(&(m)->map, GOFER_MAP_TYPE(m), GOFER_MAP_KEY(m, k), GOFER_MAP_VALUE(m, v), \
                   GOFER_MAP_TO(m, p))

/* 1 with the key's value in *p if there is one, else stores v: 0 with v in *p, or -1 with ENOMEM.
 * Go: Map.LoadOrStore. */
#define go_map_load_or_store(m, k, v, p)                                       \
    gofer_map_load_or_store(&(m)->map, GOFER_MAP_TYPE(m), GOFER_MAP_KEY(m, k), \
                            GOFER_MAP_VALUE(m, v), GOFER_MAP_TO(m, p))

/* Deletes the key: 1 with the value it had in *p, or 0. Go: Map.LoadAndDelete. */
#define go_map_load_and_delete(m, k, p) \
    gofer_map_load_and_delete(&(m)->map, GOFER_MAP_TYPE(m), GOFER_MAP_KEY(m, k), GOFER_MAP_TO(m, p))

/* Deletes the key. Go: Map.Delete. */
#define go_map_delete(m, k) \
    ((void)gofer_map_load_and_delete(&(m)->map, GOFER_MAP_TYPE(m), GOFER_MAP_KEY(m, k), NULL))

/* Sets the key's value to v if it is `old`, byte for byte; whether it was. Go: Map.CompareAndSwap,
 * Map.CompareAndDelete. */
#define go_map_compare_and_swap(m, k, old, v)                                     \
    gofer_map_compare_and_swap(&(m)->map, GOFER_MAP_TYPE(m), GOFER_MAP_KEY(m, k), \
                               GOFER_MAP_VALUE(m, old), GOFER_MAP_VALUE(m, v))
#define go_map_compare_and_delete(m, k, old)                                        \
    gofer_map_compare_and_delete(&(m)->map, GOFER_MAP_TYPE(m), GOFER_MAP_KEY(m, k), \
                                 GOFER_MAP_VALUE(m, old))

/* The body runs once for each entry, in no order, with copies of key and value; it may use the map,
 * and break. An entry that is stored or deleted meanwhile, by the body too, may appear or not, and
 * with either value. A text is the map's,
 * and good until the body ends. A panic or go_goexit in the body leaves some memory behind. Without
 * memory the loop ends early. Go: Map.Range. */
#define go_map_range(m, k, v) GOFER_MAP_RANGE(GOFER_CAT(gofer_range_, __COUNTER__), m, k, v)
#define GOFER_MAP_RANGE(id, m, k, v)                                              \
    for (gofer_map_iterator id __attribute__((cleanup(gofer_map_iterator_end))) = \
             gofer_map_iterate(&(m)->map, GOFER_MAP_TYPE(m));                     \
         !id.stop && gofer_map_next(&id);)                                        \
        for (__typeof__(*(m)->key) k = *(__typeof__((m)->key))id.key,             \
                                   *GOFER_CAT(id, _key) = (id.stop = 1, &k);      \
             GOFER_CAT(id, _key); GOFER_CAT(id, _key) = NULL)                     \
            for (__typeof__(*(m)->value) v = *(__typeof__((m)->value))id.value,   \
                                         *GOFER_CAT(id, _value) = &v;             \
                 GOFER_CAT(id, _value); GOFER_CAT(id, _value) = NULL, id.stop = 0)

#endif
#endif
