/* go_map: kinds of keys, ownership of texts, ranges that are left early or change the map. */
#include "unit.h"

#include <string.h>

typedef go_map(const char *, long) texts;
typedef go_map(int, long) numbers;

struct wide {
    long a, b, c;
};
typedef go_map(struct wide, struct wide) wides;
typedef go_map(char, char) bytes;

static void texts_are_copied_and_compared_by_content(void)
{
    texts map = { 0 };
    char key[40] = "the key";
    long v = 0;
    CHECK(go_map_store(&map, key, 1), 0);
    strcpy(key, "another");
    CHECK(go_map_load(&map, "the key", &v), 1);
    CHECK(v, 1);
    CHECK(go_map_load(&map, key, &v), 0);
    CHECK(go_map_load(&map, "", NULL), 0);
    CHECK(go_map_store(&map, "", 2), 0);
    CHECK(go_map_store(&map, "a key that is a good deal longer than sixteen bytes", 3), 0);
    CHECK(go_map_load(&map, "", &v), 1);
    CHECK(v, 2);
    CHECK(go_map_load(&map, "a key that is a good deal longer than sixteen bytes", &v), 1);
    CHECK(v, 3);
    CHECK(go_map_load(&map, "a key that is a good deal longer than sixteen byte", &v), 0);
    go_map_free(&map);
    CHECK(go_map_load(&map, "", &v), 0);
    CHECK(go_map_store(&map, "again", 4), 0);
    go_map_free(&map);
}

static void keys_of_other_types(void)
{
    wides by_struct = { 0 };
    bytes by_char = { 0 };
    for (long i = 0; i < 1000; i++)
        CHECK(go_map_store(&by_struct, ((struct wide){ i, i + 1, i + 2 }),
                           ((struct wide){ i, 0, i })),
              0);
    for (long i = 0; i < 1000; i++) {
        struct wide got = { 0 };
        CHECK(go_map_load(&by_struct, ((struct wide){ i, i + 1, i + 2 }), &got), 1);
        CHECK(got.a + got.c, 2 * i);
    }
    for (int i = 0; i < 256; i++)
        CHECK(go_map_store(&by_char, (char)i, (char)(i + 1)), 0);
    int n = 0;
    go_map_range (&by_char, key, value)
        n += (char)(key + 1) == value;
    CHECK(n, 256);
    go_map_free(&by_struct);
    go_map_free(&by_char);
}

static uint64_t hash_by_length(const void *key)
{
    return strlen(*(const char *const *)key);
}

static int same_length(const void *a, const void *b)
{
    return hash_by_length(a) == hash_by_length(b);
}

static void keys_by_the_users_functions(void)
{
    static const go_map_keys by_length = { hash_by_length, same_length };
    texts map = { .map = { .keys = &by_length } };
    long v = 0;
    CHECK(go_map_swap(&map, "abc", 1, &v), 0);
    CHECK(go_map_swap(&map, "xyz", 2, &v), 1);
    CHECK(v, 1);
    CHECK(go_map_load(&map, "ab", &v), 0);
    go_map_range (&map, key, value) {
        CHECK_TEXT(key, "abc"); /* the pointer that was stored first */
        CHECK(value, 2);
    }
    go_map_free(&map);
}

static void ranges_see_each_key_once(void)
{
    numbers map = { 0 };
    static char seen[6000];
    for (int i = 0; i < 3000; i++)
        CHECK(go_map_store(&map, i, i), 0);
    int n = 0;
    go_map_range (&map, key, value) {
        CHECK(seen[key]++, 0);
        n += key < 3000;
        if (key % 3 == 0 || key >= 3000)
            continue;
        go_map_delete(&map, key);
        go_map_store(&map, key + 3000, value); /* grows the shards meanwhile; may appear */
    }
    CHECK(n, 3000);
    go_map_free(&map);
}

static void ranges_copy_texts(void)
{
    texts map = { 0 };
    char text[64];
    size_t sum = 0, seen = 0;
    for (size_t i = 0; i < 1000; i++) {
        memset(text, 'a' + (int)(i % 26), i % 50);
        snprintf(text + i % 50, sizeof text - i % 50, "%zu", i);
        CHECK(go_map_store(&map, text, (long)strlen(text)), 0);
        sum += strlen(text);
    }
    go_map_range (&map, key, value) {
        go_map_delete(&map, key);
        CHECK(strlen(key), value); /* the text is the loop's own */
        seen += strlen(key);
    }
    CHECK(seen, sum);
    go_map_free(&map);
}

static long first_of(numbers *map)
{
    go_map_range (map, key, value)
        return key + value; /* leaves the loop by return: nothing is leaked */
    return -1;
}

static void ranges_are_left_early(void)
{
    numbers map = { 0 };
    CHECK(first_of(&map), -1);
    for (int i = 0; i < 100; i++)
        CHECK(go_map_store(&map, i, 1000), 0);
    CHECK(first_of(&map) >= 1000, 1);
    int n = 0;
    go_map_range (&map, key, value) {
        n++;
        (void)value;
        go_map_clear(&map); /* what the loop has copied by now may still appear */
        CHECK(key >= 0 && key < 100, 1);
    }
    CHECK(n >= 1 && n < 100, 1);
    go_map_free(&map);
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    texts_are_copied_and_compared_by_content();
    keys_of_other_types();
    keys_by_the_users_functions();
    ranges_see_each_key_once();
    ranges_copy_texts();
    ranges_are_left_early();
    return 0;
}
