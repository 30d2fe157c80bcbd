/* Targets of requests: their paths decoded and made safe. No path that leaves here has a "..". */
#include "request.h"

#include <string.h>
#include <strings.h>

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Writes to `path` what `size` bytes stand for: %-escapes are decoded, then "." and empty segments
 * go, and ".." takes the one before along. False: a wrong escape, a NUL, or a way out of the root.
 * What is written is never longer than what it is made of. */
static bool decode_path(char *path, const char *bytes, size_t size)
{
    size_t end = 0;
    for (size_t i = 0; i < size; i++) {
        char c = bytes[i];
        if (c == '%') {
            int high = i + 2 < size ? hex(bytes[i + 1]) : -1;
            int low = i + 2 < size ? hex(bytes[i + 2]) : -1;
            if (high < 0 || low < 0 || (high | low) == 0)
                return false;
            c = (char)(high << 4 | low);
            i += 2;
        }
        path[end++] = c;
    }
    path[end] = '\0';

    size_t kept = 0; /* path[0..kept) is done, and ends without a slash */
    for (const char *segment = path; *segment == '/';) {
        size_t length = strcspn(++segment, "/");
        bool is_last = segment[length] == '\0';
        bool is_dot = length == 1 && segment[0] == '.';
        bool is_up = length == 2 && segment[0] == '.' && segment[1] == '.';
        const char *next = segment + length;
        if (is_up) {
            if (kept == 0)
                return false;
            while (path[--kept] != '/')
                ;
        } else if (length && !is_dot) {
            path[kept++] = '/';
            memmove(path + kept, segment, length);
            kept += length;
        }
        if (is_last && (is_up || is_dot || !length)) /* it names a directory */
            path[kept++] = '/';
        segment = next;
    }
    path[kept] = '\0';
    return kept > 0;
}

int target_split(const char *target, bool may_be_star, char *path, const char **query)
{
    const char *from = target;
    *query = "";
    if (strcmp(from, "*") == 0 && may_be_star) {
        memcpy(path, "*", sizeof "*");
        return 0;
    }
    if (strncasecmp(from, "http://", 7) == 0)
        from += 7 + strcspn(from + 7, "/?");
    else if (*from != '/')
        return -1;
    size_t length = strcspn(from, "?");
    if (from[length])
        *query = from + length + 1;
    if (length == 0) { /* http://host, http://host?query */
        from = "/";
        length = 1;
    }
    return decode_path(path, from, length) ? 0 : -1;
}
