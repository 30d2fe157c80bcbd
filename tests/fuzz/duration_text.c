/* Durations from any text and to text: what is printed is read back as the same. */
#include <gofer.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void hold(bool is_so, const char *what, go_duration d, const char *text)
{
    if (is_so)
        return;
    fprintf(stderr, "%s: %lld, \"%s\"\n", what, (long long)d, text);
    abort();
}

static void check_duration(go_duration d, size_t size)
{
    char text[GO_DURATION_ROOM], cut[GO_DURATION_ROOM + 1];
    go_duration again = ~d;
    go_duration_string(d, text, sizeof text);
    hold(strlen(text) < sizeof text - 1, "a text fills the room for any", d, text);
    hold(go_duration_parse(text, &again) == 0 && again == d, "another when read again", d, text);
    memset(cut, 'x', sizeof cut);
    go_duration_string(d, cut, size);
    hold(size == 0 || (strlen(cut) < size && strncmp(cut, text, size - 1) == 0), "a cut text", d,
         cut);
    hold(cut[size] == 'x', "more was written than there was room", d, text);
}

static void check_rounding(go_duration d, go_duration m)
{
    go_duration round = go_duration_round(d, m), truncated = go_duration_truncate(d, m);
    bool is_limit = round == INT64_MAX || round == INT64_MIN;
    hold(m <= 0 ? truncated == d : truncated % m == 0, "not truncated", d, "");
    hold(d >= 0 ? truncated >= 0 && truncated <= d : truncated <= 0 && truncated >= d,
         "truncated away from zero", d, "");
    hold(m <= 0 ? round == d : is_limit || round % m == 0, "not rounded", d, "");
    hold(m <= 0 || is_limit || round == truncated || round == truncated + m ||
             round == truncated - m,
         "rounded too far", d, "");
    hold(go_duration_abs(d) >= 0, "negative without its sign", d, "");
}

/* A duration's eight bytes, eight of what it is rounded to, and a text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    go_duration numbers[2] = { 0 }, d = 42;
    char error[64];
    size_t used = size < sizeof numbers ? size : sizeof numbers;
    if (used)
        memcpy(numbers, data, used);
    check_duration(numbers[0], (uint64_t)numbers[1] % GO_DURATION_ROOM);
    check_rounding(numbers[0], numbers[1]);

    char *text = malloc(size - used + 1);
    memcpy(text, data + used, size - used);
    text[size - used] = 0;
    bool is_one = go_duration_parse(text, &d) == 0;
    hold(is_one || d == 42, "changed by a text that is none", d, text);
    go_duration_parse_error(text, error, sizeof error);
    hold((*error == 0) == is_one, "an error that is none, or none that is one", d, text);
    if (is_one)
        check_duration(d, size % GO_DURATION_ROOM);
    free(text);
    return 0;
}
