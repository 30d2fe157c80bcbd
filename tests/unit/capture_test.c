/* go and go_defer pass on every kind of argument, evaluated once and now. */
#include "unit.h"

struct small {
    int a, b;
};
#ifdef __aarch64__
typedef short part; /* structs of more than 16 bytes are refused there */
#else
typedef long part;
#endif
struct big {
    part a, b, c, d;
};

static go_waitgroup wg;
static int calls;

static void none(void)
{
    __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
    go_waitgroup_done(&wg);
}

static void mixed(char c, short s, int i, long l, float f, double d, const char *text,
                  struct small sm)
{
    CHECK(c, 'c');
    CHECK(s, -2);
    CHECK(i, 3);
    CHECK(l, 1L << 40);
    CHECK(f * 2, 3);
    CHECK(d * 4, 11);
    CHECK_TEXT(text, "text");
    CHECK(sm.a * 10 + sm.b, 78);
    none();
}

static void on_stack(struct big b, int i)
{
    CHECK(b.a + b.b * 10 + b.c * 100 + b.d * 1000, 4321);
    CHECK(i, 5);
    none();
}

static void sixteen(int a, int b, int c, int d, int e, int f, int g, int h, double i, int j, int k,
                    int l, int m, int n, int o, double p)
{
    int sum[] = { a, b, c, d, e, f, g, h, (int)i, j, k, l, m, n, o, (int)p };
    for (int at = 0; at < 16; at++)
        CHECK(sum[at], at + 1);
    none();
}

static void doubles(double a, double b, double c, double d, double e, double f, double g, double h,
                    double i, double j)
{
    double all[] = { a, b, c, d, e, f, g, h, i, j };
    for (int at = 0; at < 10; at++)
        CHECK(all[at] * 2, 2 * at + 1);
    none();
}

static long returns_something(int i)
{
    CHECK(i, 9);
    none();
    return 3;
}

struct point {
    float x, y, z, w; /* on aarch64 a vector register each */
};

static void points(struct point p, struct point q)
{
    CHECK(p.x + p.y * 10 + p.z * 100 + p.w * 1000, 4321);
    CHECK(q.x + q.y * 10 + q.z * 100 + q.w * 1000, 8765);
    none();
}

static char large[1 << 20]; /* more than a stack: passed by its address */

static void array(const char *text)
{
    CHECK(text == large, 1);
    none();
}

static char printed[100];

static int nested(int i)
{
    go(returns_something, 9);
    return i + 1;
}

static void two(int a, int b)
{
    CHECK(a, 2);
    CHECK(b, 3);
    none();
}

enum kind { KIND = 6 };

static void words(char c, short s, _Bool b, enum kind kind, unsigned long u, const char *text)
{
    CHECK(c, 'c');
    CHECK(s, -2);
    CHECK(b, 1);
    CHECK(kind, KIND);
    CHECK(u, 1UL << 40);
    CHECK_TEXT(text, "text");
    none();
}

static void converted(double d, long l, long double e, const char *text)
{
    CHECK(d * 4, 12);
    CHECK(l, -5);
    CHECK(e * 2, 14);
    CHECK_TEXT(text, "text");
    none();
}

static void converted_word(float f)
{
    CHECK(f * 2, 8);
    none();
}

/* One word alone, of another type than the function declares. */
static void takes_long(long l)
{
    CHECK(l, -7);
    none();
}

static void takes_unsigned_long(unsigned long l)
{
    CHECK(l == 0xfffffff9u, 1);
    none();
}

static void takes_int(int i)
{
    CHECK(i, -7);
    none();
}

static void takes_char(signed char c)
{
    CHECK(c, 1);
    none();
}

static void takes_bool(_Bool b)
{
    CHECK(b, 1);
    none();
}

static void takes_double(double d)
{
    CHECK(d, -7);
    none();
}

static void takes_pointer(const void *at)
{
    CHECK(at == large, 1);
    none();
}

static void takes_text(const char *text)
{
    CHECK_TEXT(text, "text");
    none();
}

static void converted_alone(char *text)
{
    int more = 257;
    go_waitgroup_add(&wg, 9);
    go(takes_long, -7);
    go(takes_unsigned_long, -7 + 0u);
    go(takes_int, -7L + (1LL << 32));
    go(takes_char, more);
    go(takes_bool, text);
    go(takes_bool, more - 1);
    go(takes_double, -7);
    go(takes_pointer, large);
    go(takes_text, text);
    go_waitgroup_wait(&wg);
}

static void deferred(int *log, struct big b, double d)
{
    *log += (int)b.d + (int)d;
}

static void defers(int *log)
{
    struct big b = { 1, 2, 3, 40 };
    go_defer(deferred, log, b, 2.0);
    b.d = 1000;
    CHECK(*log, 0);
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_waitgroup_add(&wg, 15);
    go(none);
    go(mixed, 'c', (short)-2, 3, 1L << 40, 1.5f, 2.75, "text", ((struct small){ 7, 8 }));
    go(on_stack, ((struct big){ 1, 2, 3, 4 }), 5);
    go(sixteen, 1, 2, 3, 4, 5, 6, 7, 8, 9.0, 10, 11, 12, 13, 14, 15, 16.0);
    go(doubles, 0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5);
    go(two, nested(1), nested(2));
    go_with((&(go_options){ .name = "named", .stack = 1 << 20 }), none);
    go(array, large);
    struct point p = { 1, 2, 3, 4 };
    go(points, p, ((struct point){ 5, 6, 7, 8 }));
    go_with((&(go_options){ .stack = 1 << 20 }), points, p, ((struct point){ 5, 6, 7, 8 }));
    char c = 'c', text[] = "text";
    short s = -2;
    _Bool b = 1;
    enum kind kind = KIND;
    const char *constant = text;
    go(words, c, s, b, kind, 1UL << 40, constant);
    go(converted, 3, -5, 7, text);
    go(converted_word, 4);
    go_waitgroup_wait(&wg);
    CHECK(calls, 15);
    converted_alone(text);
    CHECK(calls, 24);
    {
        go_defer(snprintf, printed, sizeof printed, "%d %g %s", 3, 4.5, "z");
    }
    CHECK_TEXT(printed, "3 4.5 z");
    int log = 0;
    defers(&log);
    CHECK(log, 42);
    return 0;
}
