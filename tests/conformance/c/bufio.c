/* Buffered readers and writers: what each call takes from the source, keeps, and says at the end.
 */
#include "case.h"

#include <stdlib.h>

/* Gives its text in pieces of `most` bytes; fails once, before byte `fails_at`, if that is not 0.
 */
struct chunks {
    const char *text;
    size_t at, most, fails_at;
};

static ssize_t read_chunk(go_context *ctx, void *from, void *buffer, size_t size)
{
    struct chunks *c = (struct chunks *)from;
    size_t n = strlen(c->text) - c->at;
    (void)ctx;
    if (c->fails_at && c->at >= c->fails_at) {
        c->fails_at = 0;
        errno = EIO;
        return -1;
    }
    n = n < c->most ? n : c->most;
    n = n < size ? n : size;
    memcpy(buffer, c->text + c->at, n);
    c->at += n;
    return (ssize_t)n;
}

static struct chunks chunks;
static go_reader r;

static void open_reader(const char *text, size_t most)
{
    chunks = (struct chunks){ .text = text, .most = most };
    go_reader_init(&r, (go_source){ read_chunk, &chunks }, 16);
}

/* How the last call ended. */
static const char *ending(int ok)
{
    return ok ? "ok" : errno == 0 ? "end" : errno == ENOBUFS ? "full" : "error";
}

static void print_read(size_t size)
{
    char to[64];
    ssize_t n = go_reader_read(&r, to, size);
    const char *how = ending(n > 0);
    n = n < 0 ? 0 : n;
    printf("%d '%.*s' %s, %d buffered\n", (int)n, (int)n, to, how, (int)go_reader_buffered(&r));
}

static void print_byte(void)
{
    int byte = go_reader_read_byte(&r);
    if (byte >= 0)
        printf("%c\n", byte);
    else
        printf("%s\n", ending(0));
}

static void print_peek(size_t n)
{
    const char *bytes;
    ssize_t got = go_reader_peek(&r, n, &bytes);
    const char *how = ending(got == (ssize_t)n);
    got = got < 0 ? 0 : got;
    printf("%d '%.*s' %s\n", (int)got, (int)got, bytes, how);
}

static void print_unread(void)
{
    printf("unread %s\n", go_reader_unread_byte(&r) == 0 ? "ok" : "invalid");
}

static void print_until(int delimiter)
{
    char *to = NULL;
    size_t capacity = 0;
    ssize_t n = go_reader_read_until(&r, delimiter, &to, &capacity, SIZE_MAX);
    const char *how = ending(n > 0 && to[n - 1] == delimiter);
    printf("'%s' %s\n", n > 0 ? to : "", how);
    free(to);
}

CASE(bufio_read_takes_what_is_there)
{
    open_reader("0123456789", 3);
    for (int i = 0; i < 3; i++)
        print_read(2);
    print_read(10);
    print_read(0);
    print_read(10);
    print_read(10);
    return 0;
}

CASE(bufio_read_larger_than_the_buffer_goes_past_it)
{
    open_reader("0123456789abcdefghijklmnopqrstuvwxyz", 20);
    print_read(32);
    print_read(4);
    print_read(32);
    print_read(32);
    print_read(32);
    return 0;
}

CASE(bufio_read_bytes_to_the_end)
{
    open_reader("abc", 2);
    for (int i = 0; i < 5; i++)
        print_byte();
    return 0;
}

CASE(bufio_read_full)
{
    char to[8];
    open_reader("0123456789", 3);
    printf("%d\n", (int)go_reader_read_full(&r, to, 7));
    ssize_t n = go_reader_read_full(&r, to, 7);
    printf("%d %s\n", (int)n, ending(0));
    n = go_reader_read_full(&r, to, 7);
    printf("%d %s\n", (int)n, ending(0));
    return 0;
}

CASE(bufio_peek_takes_nothing)
{
    open_reader("0123456789", 3);
    print_peek(5);
    print_peek(2);
    print_read(10);
    return 0;
}

CASE(bufio_peek_at_the_end)
{
    open_reader("abc", 3);
    print_peek(5);
    print_read(10);
    print_peek(1);
    print_read(10);
    return 0;
}

CASE(bufio_peek_more_than_the_buffer)
{
    open_reader("0123456789abcdefghij", 7);
    print_peek(17);
    print_peek(16);
    return 0;
}

CASE(bufio_unread_byte)
{
    open_reader("abc", 3);
    print_unread();
    print_byte();
    print_byte();
    print_unread();
    print_unread();
    print_byte();
    print_byte();
    print_byte();
    print_unread();
    print_byte();
    return 0;
}

CASE(bufio_unread_byte_after_other_calls)
{
    open_reader("0123456789abcdefghijklmnop", 26);
    print_read(3);
    print_unread();
    print_byte();
    print_peek(1);
    print_unread();
    go_reader_discard(&r, 1);
    print_unread();
    print_until('6');
    print_unread();
    print_byte();
    return 0;
}

CASE(bufio_discard)
{
    open_reader("0123456789abcdefghijklmnop", 5);
    printf("%d\n", (int)go_reader_discard(&r, 0));
    printf("%d\n", (int)go_reader_discard(&r, 20));
    print_byte();
    ssize_t n = go_reader_discard(&r, 20);
    printf("%d %s\n", (int)n, ending(0));
    return 0;
}

CASE(bufio_read_until)
{
    open_reader("one,two,a piece that is longer than the buffer,,last", 6);
    for (int i = 0; i < 6; i++)
        print_until(',');
    return 0;
}

CASE(bufio_lines)
{
    char *line;
    open_reader("one\n\ntwo\r\nthree\r\r\n\r\na line that is longer than the buffer\nlast", 7);
    for (ssize_t n; (n = go_reader_read_line(&r, &line)) >= 0;)
        printf("%d '%s'\n", (int)n, line);
    printf("%s\n", ending(0));
    return 0;
}

CASE(bufio_lines_of_nothing)
{
    char *line;
    open_reader("", 7);
    printf("%d", go_reader_read_line(&r, &line) >= 0);
    printf(" %s\n", ending(0));
    open_reader("\n", 7);
    printf("%d", go_reader_read_line(&r, &line) >= 0);
    printf("%d", go_reader_read_line(&r, &line) >= 0);
    printf(" %s\n", ending(0));
    return 0;
}

CASE(bufio_a_line_too_long)
{
    char *line;
    open_reader("short\na line that is longer than is allowed\n", 7);
    go_reader_set_longest_line(&r, 20);
    for (ssize_t n; (n = go_reader_read_line(&r, &line)) >= 0;)
        printf("%d '%s'\n", (int)n, line);
    printf("%s\n", ending(0));
    return 0;
}

CASE(bufio_an_error_comes_after_the_bytes)
{
    open_reader("0123456789", 4);
    chunks.fails_at = 4;
    print_until('9');
    print_until('9');
    print_until('9');
    return 0;
}

CASE(bufio_a_peek_meets_an_error)
{
    open_reader("0123456789", 4);
    chunks.fails_at = 4;
    print_peek(6);
    print_peek(6);
    print_read(10);
    return 0;
}

CASE(bufio_reset_forgets)
{
    open_reader("0123456789", 4);
    print_byte();
    chunks.text = "abc";
    chunks.at = 0;
    go_reader_reset(&r, (go_source){ read_chunk, &chunks });
    print_unread();
    print_read(10);
    return 0;
}

/* ---- writers --------------------------------------------------------------------------------- */

static size_t room = 1000;

/* Says what comes, and takes `room` bytes in all. */
static ssize_t print_write(go_context *ctx, void *to, const void *data, size_t size)
{
    size_t n = size < room ? size : room;
    (void)ctx;
    (void)to;
    printf("  sink: %d '%.*s'\n", (int)n, (int)n, (const char *)data);
    room -= n;
    if (n < size)
        errno = ENOSPC;
    return (ssize_t)n;
}

static go_writer w;

static void open_writer(void)
{
    go_writer_init(&w, (go_sink){ print_write, NULL }, 8);
}

static void print_state(int ok)
{
    printf("%s, %d buffered, %d available\n", ok ? "ok" : "error", (int)go_writer_buffered(&w),
           (int)go_writer_available(&w));
}

static void write_text(const char *text)
{
    print_state(go_writer_write_string(&w, text) == (ssize_t)strlen(text));
}

CASE(bufio_writes_are_gathered)
{
    open_writer();
    print_state(1);
    write_text("0123");
    write_text("4567");
    write_text("8");
    write_text("9abcdefghijk");
    print_state(go_writer_flush(&w) == 0);
    print_state(go_writer_flush(&w) == 0);
    return 0;
}

CASE(bufio_write_larger_than_the_buffer_goes_past_it)
{
    open_writer();
    print_state(go_writer_write(&w, "0123456789abcdef", 16) == 16);
    print_state(go_writer_write(&w, "01234567", 8) == 8);
    print_state(go_writer_write(&w, "0123456789abcdefghi", 19) == 19);
    print_state(go_writer_flush(&w) == 0);
    return 0;
}

CASE(bufio_write_byte)
{
    open_writer();
    for (int i = 0; i < 9; i++)
        print_state(go_writer_write_byte(&w, '0' + i) == 0);
    return 0;
}

CASE(bufio_a_writers_error_stays)
{
    open_writer();
    room = 5;
    write_text("0123456");
    print_state(go_writer_flush(&w) == 0);
    room = 100;
    print_state(go_writer_flush(&w) == 0);
    write_text("7");
    print_state(go_writer_write_byte(&w, '8') == 0);
    go_writer_reset(&w, (go_sink){ print_write, NULL });
    print_state(1);
    write_text("9");
    print_state(go_writer_flush(&w) == 0);
    return 0;
}

CASE(bufio_printf)
{
    open_writer();
    print_state(go_writer_printf(&w, "%d-%s", 12, "ab") == 5);
    print_state(go_writer_printf(&w, "%s", "0123456789abcdef") == 16);
    print_state(go_writer_flush(&w) == 0);
    return 0;
}
