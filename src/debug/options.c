/* See options.h. */
#include "debug/options.h"

#include "debug/dump.h"

#include <stdio.h>

struct gofer_debug gofer_debug;

static const struct {
    const char *word;
    bool *option;
} words[] = {
    { "hog", &gofer_debug.hog },
    { "deadlock", &gofer_debug.deadlock },
    { "migrate", &gofer_debug.migrate },
    { "poller", &gofer_debug.poller },
};

static bool set_option(const char *word, size_t length)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strlen(words[i].word) == length && memcmp(words[i].word, word, length) == 0) {
            *words[i].option = true;
            return true;
        }
    }
    return length == 0;
}

static void report_unknown(const char *word, size_t length)
{
    char line[256];
    int n = snprintf(line, sizeof line, "gofer: GOFER_DEBUG: \"%.*s\" is unknown; there are",
                     length > 60 ? 60 : (int)length, word);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        n += snprintf(line + n, sizeof line - (size_t)n, "%s %s", i ? "," : "", words[i].word);
    gofer_print(line);
    gofer_print("\n");
}

void gofer_debug_start(void)
{
    const char *text = getenv("GOFER_DEBUG");
    while (text) {
        size_t length = strcspn(text, ",");
        if (!set_option(text, length))
            report_unknown(text, length);
        text = text[length] ? text + length + 1 : NULL;
    }
}
