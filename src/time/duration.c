/* Durations as text and in other units. No state; pure functions. */
#include "gofer/time.h"

#include "base/base.h"

#include <stdio.h>

static const uint64_t LIMIT = (uint64_t)1 << 63; /* one more than the longest duration */

static uint64_t magnitude(go_duration d)
{
    return d < 0 ? -(uint64_t)d : (uint64_t)d;
}

/* ---- to text ------------------------------------------------------------------------------ */

/* value / 10^digits, without zeros at the fraction's end. */
static int print_decimal(char *to, size_t size, uint64_t value, int digits)
{
    uint64_t scale = 1;
    for (int i = 0; i < digits; i++)
        scale *= 10;
    unsigned long long whole = value / scale, fraction = value % scale;
    if (!fraction)
        return snprintf(to, size, "%llu", whole);
    for (; fraction % 10 == 0; digits--)
        fraction /= 10;
    return snprintf(to, size, "%llu.%0*llu", whole, digits, fraction);
}

/* Shorter than a second: in the unit that leaves digits before the point. */
static void print_short(char *to, size_t size, uint64_t u)
{
    static const struct {
        uint64_t below;
        int digits;
        const char *unit;
    } units[] = { { 1000, 0, "ns" }, { 1000000, 3, "µs" }, { 1000000000, 6, "ms" } };
    size_t i = 0;
    while (u >= units[i].below)
        i++;
    int n = print_decimal(to, size, u, units[i].digits);
    snprintf(to + n, size - (size_t)n, "%s", units[i].unit);
}

static void print_long(char *to, size_t size, uint64_t u)
{
    uint64_t minutes = u / (uint64_t)GO_MINUTE;
    int n = 0;
    if (minutes >= 60)
        n = snprintf(to, size, "%lluh", (unsigned long long)(minutes / 60));
    if (minutes)
        n += snprintf(to + n, size - (size_t)n, "%llum", (unsigned long long)(minutes % 60));
    n += print_decimal(to + n, size - (size_t)n, u % (uint64_t)GO_MINUTE, 9);
    snprintf(to + n, size - (size_t)n, "s");
}

char *go_duration_string(go_duration d, char *buf, size_t size)
{
    char text[64] = "-", *at = d < 0 ? text + 1 : text;
    size_t room = sizeof text - 1;
    uint64_t u = magnitude(d);
    if (u == 0 || u >= (uint64_t)GO_SECOND)
        print_long(at, room, u);
    else
        print_short(at, room, u);
    if (size)
        snprintf(buf, size, "%s", text);
    return buf;
}

/* ---- from text ---------------------------------------------------------------------------- */

/* What is wrong with a text, if anything. */
struct parse_fault {
    const char *what;
    const char *unit; /* the unknown one, or NULL */
    size_t length;
};

static const struct parse_fault invalid = { "invalid duration", NULL, 0 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name(const char *text, size_t length, const char *name)
{
    return strlen(name) == length && memcmp(text, name, length) == 0;
}

/* The unit at *text, in nanoseconds; all up to a digit or a point is its name. 0: a fault. */
static uint64_t parse_unit(const char **text, struct parse_fault *fault)
{
    static const struct {
        const char *name;
        go_duration size;
    } units[] = {
        { "ns", 1 },
        { "us", GO_MICROSECOND },
        { "\xc2\xb5s", GO_MICROSECOND }, /* the micro sign */
        { "\xce\xbcs", GO_MICROSECOND }, /* the Greek letter */
        { "ms", GO_MILLISECOND },
        { "s", GO_SECOND },
        { "m", GO_MINUTE },
        { "h", GO_HOUR },
    };
    const char *name = *text;
    size_t length = strcspn(name, ".0123456789");
    *text += length;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (is_name(name, length, units[i].name))
            return (uint64_t)units[i].size;
    *fault = length ? (struct parse_fault){ "unknown unit ", name, length }
                    : (struct parse_fault){ "missing unit in duration", NULL, 0 };
    return 0;
}

/* Digits before the point. False: more than fits. */
static bool parse_whole(const char **text, uint64_t *value)
{
    *value = 0;
    for (; is_digit(**text); ++*text) {
        if (*value > LIMIT / 10)
            return false;
        *value = *value * 10 + (uint64_t)(**text - '0');
        if (*value > LIMIT)
            return false;
    }
    return true;
}

/* Digits after the point as value / scale; those that do not fit make no difference. */
static void parse_fraction(const char **text, uint64_t *value, double *scale)
{
    bool full = false;
    for (; is_digit(**text); ++*text) {
        full = full || *value > (LIMIT - 1) / 10;
        if (full)
            continue;
        *value = *value * 10 + (uint64_t)(**text - '0');
        *scale *= 10;
    }
}

/* One number and its unit, added to *sum. */
static bool parse_part(const char **text, uint64_t *sum, struct parse_fault *fault)
{
    uint64_t whole, fraction = 0;
    double scale = 1;
    const char *start = *text;
    *fault = invalid;
    if (!parse_whole(text, &whole))
        return false;
    bool digits = *text > start;
    if (**text == '.') {
        start = ++*text;
        parse_fraction(text, &fraction, &scale);
        digits = digits || *text > start;
    }
    if (!digits)
        return false;
    uint64_t unit = parse_unit(text, fault);
    if (!unit || whole > LIMIT / unit)
        return false;
    whole = whole * unit + (uint64_t)((double)fraction * ((double)unit / scale));
    if (whole > LIMIT)
        return false;
    *sum += whole;
    return *sum <= LIMIT;
}

static bool parse(const char *text, go_duration *d, struct parse_fault *fault)
{
    uint64_t sum = 0;
    bool negative = *text == '-';
    *fault = invalid;
    if (*text == '-' || *text == '+')
        text++;
    if (!*text)
        return false;
    if (strcmp(text, "0") != 0)
        while (*text)
            if (!parse_part(&text, &sum, fault))
                return false;
    *fault = invalid;
    if (!negative && sum == LIMIT)
        return false;
    *d = negative ? (int64_t)-sum : (int64_t)sum;
    return true;
}

int go_duration_parse(const char *text, go_duration *d)
{
    struct parse_fault fault;
    go_duration value;
    if (text && parse(text, &value, &fault)) {
        *d = value;
        return 0;
    }
    *gofer_errno() = EINVAL;
    return -1;
}

/* A text that is cut where there is no more room. */
struct output {
    char *at, *end; /* end: where the final zero goes at the latest */
};

static void put(struct output *out, char c)
{
    if (out->at < out->end)
        *out->at++ = c;
}

static void put_text(struct output *out, const char *text)
{
    while (*text)
        put(out, *text++);
}

/* In quotes; bytes that are not printable ASCII as \xNN. */
static void put_quoted(struct output *out, const char *text, size_t length)
{
    static const char hex[] = "0123456789abcdef";
    put(out, '"');
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x80 || c < ' ') {
            put_text(out, "\\x");
            put(out, hex[c >> 4]);
            put(out, hex[c & 15]);
            continue;
        }
        if (c == '"' || c == '\\')
            put(out, '\\');
        put(out, (char)c);
    }
    put(out, '"');
}

char *go_duration_parse_error(const char *text, char *buf, size_t size)
{
    if (!size)
        return buf;
    struct output out = { buf, buf + size - 1 };
    struct parse_fault fault;
    go_duration ignored;
    text = text ? text : "";
    if (!parse(text, &ignored, &fault)) {
        put_text(&out, "time: ");
        put_text(&out, fault.what);
        if (fault.unit) {
            put_quoted(&out, fault.unit, fault.length);
            put_text(&out, " in duration");
        }
        put(&out, ' ');
        put_quoted(&out, text, strlen(text));
    }
    *out.at = '\0';
    return buf;
}

/* ---- rounding, other units ---------------------------------------------------------------- */

go_duration go_duration_truncate(go_duration d, go_duration m)
{
    return m <= 0 ? d : d - d % m;
}

go_duration go_duration_round(go_duration d, go_duration m)
{
    if (m <= 0)
        return d;
    go_duration rest = d % m, down = d - rest, up;
    if (magnitude(rest) < (uint64_t)m - magnitude(rest))
        return down;
    if (d < 0)
        return __builtin_sub_overflow(down, m, &up) ? INT64_MIN : up;
    return __builtin_add_overflow(down, m, &up) ? INT64_MAX : up;
}

go_duration go_duration_abs(go_duration d)
{
    return d == INT64_MIN ? INT64_MAX : d < 0 ? -d : d;
}

static double in_units(go_duration d, go_duration unit)
{
    go_duration whole = d / unit; /* apart: a double has not enough digits for both */
    return (double)whole + (double)(d % unit) / (double)unit;
}

double go_duration_hours(go_duration d)
{
    return in_units(d, GO_HOUR);
}

double go_duration_minutes(go_duration d)
{
    return in_units(d, GO_MINUTE);
}

double go_duration_seconds(go_duration d)
{
    return in_units(d, GO_SECOND);
}

int64_t go_duration_milliseconds(go_duration d)
{
    return d / GO_MILLISECOND;
}

int64_t go_duration_microseconds(go_duration d)
{
    return d / GO_MICROSECOND;
}

int64_t go_duration_nanoseconds(go_duration d)
{
    return d;
}
