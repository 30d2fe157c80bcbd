/* What a request asks of a file: only if it has changed, only a part of it. */
#include "httpd.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Whether a list of tags, or "*", names this one. */
static bool lists_tag(const char *list, const char *tag)
{
    return strcmp(list, "*") == 0 || strstr(list, tag) != NULL;
}

bool file_is_unchanged(const struct request *request, const char *tag, time_t changed)
{
    const char *list = request_field(request, "If-None-Match");
    if (list)
        return lists_tag(list, tag);
    const char *since = request_field(request, "If-Modified-Since");
    time_t date = since ? http_date_parse(since) : -1;
    return date >= 0 && changed <= date;
}

static bool read_number(const char **at, uint64_t *number)
{
    char *end;
    if (!isdigit((unsigned char)**at))
        return false;
    *number = strtoull(*at, &end, 10); /* too large: ULLONG_MAX, beyond any file's end */
    *at = end;
    return true;
}

/* "bytes=2-5", "bytes=2-", "bytes=-5". 1 and the range; 0: none, or one that may be ignored, such
 * as a list of them; -1: it lies behind the end. */
static int parse_range(const char *text, uint64_t size, struct range *range)
{
    uint64_t first = 0, last = UINT64_MAX;
    if (strncasecmp(text, "bytes=", 6) != 0)
        return 0;
    text += 6;
    bool has_first = read_number(&text, &first);
    if (*text++ != '-')
        return 0;
    bool has_last = read_number(&text, &last);
    if (*text || (!has_first && !has_last) || (has_first && first > last))
        return 0;
    if (!has_first) { /* the last so many */
        first = last < size ? size - last : 0;
        if (last == 0)
            return -1;
        last = UINT64_MAX;
    }
    if (first >= size)
        return -1;
    *range = (struct range){ first, last < size ? last + 1 : size };
    return 1;
}

int file_range(const struct request *request, const char *tag, const char *changed, uint64_t size,
               struct range *range)
{
    const char *text = request_field(request, "Range");
    const char *condition = request_field(request, "If-Range");
    if (!text || request->parser.method != HTTP_GET)
        return 0;
    if (condition && strcmp(condition, tag) != 0 && strcmp(condition, changed) != 0)
        return 0;
    return parse_range(text, size, range);
}
