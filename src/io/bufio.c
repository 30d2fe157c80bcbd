/* Buffered reading and writing. A reader's buffered bytes are buffer[start, end), a writer's
 * buffer[0, used); each buffer has one byte more than its capacity, for a NUL.
 *
 * What stopped a reader, an error or the end, is kept until the bytes before it are read. An error
 * is forgotten as soon as it is reported; the end only with a call that got nothing but it, so that
 * a terminal's is not asked for twice. A writer's error stays. */
#include "base/base.h"

#include "gofer/bufio.h"

#include "panic/panic.h"

#include <limits.h>
#include <stdio.h>

enum { DEFAULT_SIZE = 4096, LEAST_SIZE = 16, LONGEST_LINE = 65536, FIRST_GROWTH = 128 };

static ssize_t fail(int error)
{
    *gofer_errno() = error;
    return -1;
}

static ssize_t read_descriptor(go_context *ctx, void *from, void *buffer, size_t size)
{
    return go_fd_read_ctx(ctx, (go_fd *)from, buffer, size);
}

static ssize_t write_descriptor(go_context *ctx, void *to, const void *data, size_t size)
{
    return go_fd_write_ctx(ctx, (go_fd *)to, data, size);
}

go_source go_fd_source(go_fd *fd)
{
    return (go_source){ read_descriptor, fd };
}

go_sink go_fd_sink(go_fd *fd)
{
    return (go_sink){ write_descriptor, fd };
}

/* ---- a reader's buffer ----------------------------------------------------------------------- */

void go_reader_init(go_reader *r, go_source source, size_t size)
{
    size = size == 0 ? DEFAULT_SIZE : size < LEAST_SIZE ? LEAST_SIZE : size;
    *r = (go_reader){ .source = source,
                      .capacity = size,
                      .longest_line = size > LONGEST_LINE ? size : LONGEST_LINE,
                      .last_byte = -1,
                      .owned = 1 };
}

void go_reader_init_in(go_reader *r, go_source source, void *memory, size_t size)
{
    if (size <= LEAST_SIZE)
        gofer_fatal_misuse("go_reader_init_in: less than 17 bytes of memory");
    go_reader_init(r, source, size - 1);
    r->buffer = memory;
    r->owned = 0;
}

void go_reader_reset(go_reader *r, go_source source)
{
    r->source = source;
    r->start = r->end = 0;
    r->error = r->ended = 0;
    r->last_byte = -1;
}

void go_reader_free(go_reader *r)
{
    if (r->owned) {
        free(r->buffer);
        r->buffer = NULL;
    }
    go_reader_reset(r, (go_source){ NULL, NULL });
}

void go_reader_set_context(go_reader *r, go_context *ctx)
{
    r->ctx = ctx;
}

void go_reader_set_longest_line(go_reader *r, size_t longest)
{
    r->longest_line = longest;
}

size_t go_reader_buffered(const go_reader *r)
{
    return r->end - r->start;
}

static char *first_byte(const go_reader *r)
{
    return r->buffer ? r->buffer + r->start : NULL;
}

static bool is_stopped(const go_reader *r)
{
    return r->error || r->ended;
}

/* Makes the buffer `capacity` bytes large, which is not less than it was. */
static bool resize_buffer(go_reader *r, size_t capacity)
{
    char *buffer = realloc(r->buffer, capacity + 1);
    if (!buffer)
        return false;
    r->buffer = buffer;
    r->capacity = capacity;
    return true;
}

static bool has_buffer(go_reader *r)
{
    if (gofer_likely(r->buffer != NULL) || resize_buffer(r, r->capacity))
        return true;
    r->error = ENOMEM;
    return false;
}

/* One read of the source; notes what stopped it. Returns how many bytes came. */
static size_t read_source(go_reader *r, char *to, size_t size)
{
    *gofer_errno() = 0;
    ssize_t n = r->source.read(r->ctx, r->source.from, to, size);
    if (gofer_unlikely(n > (ssize_t)size))
        gofer_fatal_misuse("bufio: source returned more bytes than were asked for");
    if (n < 0)
        r->error = *gofer_errno() ? *gofer_errno() : EIO;
    r->ended = n == 0;
    return n > 0 ? (size_t)n : 0;
}

/* One read into the buffer, which is not full. */
static void fill(go_reader *r)
{
    if (!has_buffer(r))
        return;
    if (r->start) {
        memmove(r->buffer, r->buffer + r->start, r->end - r->start);
        r->end -= r->start;
        r->start = 0;
    }
    r->end += read_source(r, r->buffer + r->end, r->capacity - r->end);
}

/* n bytes of the buffered ones are read. */
static void consume(go_reader *r, size_t n)
{
    r->start += n;
    if (n)
        r->last_byte = (unsigned char)r->buffer[r->start - 1];
}

/* What a call returns that got n bytes, where what is kept in r stopped it. */
static ssize_t tell_stop(go_reader *r, size_t n)
{
    int error = r->error;
    r->error = 0;
    if (!error && n == 0)
        r->ended = 0;
    *gofer_errno() = error;
    return error && n == 0 ? -1 : (ssize_t)n;
}

/* ---- reading bytes --------------------------------------------------------------------------- */

/* Up to `size` bytes, with one read of the source where nothing is buffered. */
static size_t read_some(go_reader *r, char *to, size_t size)
{
    if (r->start == r->end) {
        if (is_stopped(r))
            return 0;
        if (size >= r->capacity && has_buffer(r)) { /* the buffer: for unread_byte */
            size_t n = read_source(r, to, size);
            if (n)
                r->last_byte = (unsigned char)to[n - 1];
            return n;
        }
        fill(r);
    }
    size_t n = r->end - r->start;
    n = n < size ? n : size;
    if (n)
        memcpy(to, r->buffer + r->start, n);
    consume(r, n);
    return n;
}

ssize_t go_reader_read(go_reader *r, void *to, size_t size)
{
    size_t n = size ? read_some(r, to, size) : 0;
    return n || !size ? (ssize_t)n : tell_stop(r, 0);
}

ssize_t go_reader_read_full(go_reader *r, void *to, size_t size)
{
    size_t done = 0;
    while (done < size) {
        size_t n = read_some(r, (char *)to + done, size - done);
        if (!n)
            return tell_stop(r, done);
        done += n;
    }
    return (ssize_t)size;
}

int go_reader_read_byte(go_reader *r)
{
    return gofer_reader_next_byte(r);
}

int gofer_reader_next_byte(go_reader *r)
{
    char byte;
    if (read_some(r, &byte, 1))
        return (unsigned char)byte;
    tell_stop(r, 0);
    return -1;
}

int go_reader_unread_byte(go_reader *r)
{
    if (r->last_byte < 0 || (r->start == 0 && r->end > 0))
        return (int)fail(EINVAL);
    if (r->start > 0)
        r->start--;
    else
        r->end = 1;
    r->buffer[r->start] = (char)r->last_byte; /* a line's NUL may stand there */
    r->last_byte = -1;
    return 0;
}

ssize_t go_reader_peek(go_reader *r, size_t n, const char **bytes)
{
    r->last_byte = -1;
    size_t there;
    while ((there = r->end - r->start) < n && there < r->capacity && !is_stopped(r))
        fill(r);
    *bytes = first_byte(r);
    if (there >= n)
        return (ssize_t)n;
    if (!is_stopped(r)) {
        *gofer_errno() = ENOBUFS;
        return (ssize_t)there;
    }
    int ended = r->ended;
    ssize_t result = tell_stop(r, there);
    r->ended = ended; /* it was only looked at */
    return result;
}

ssize_t go_reader_discard(go_reader *r, size_t n)
{
    size_t left = n;
    for (;;) {
        size_t there = r->end - r->start, skipped = there < left ? there : left;
        r->start += skipped;
        left -= skipped;
        r->last_byte = -1;
        if (!left)
            return (ssize_t)n;
        if (is_stopped(r))
            return tell_stop(r, n - left);
        fill(r);
    }
}

/* ---- reading up to a delimiter --------------------------------------------------------------- */

/* The buffer is full with a piece that has no end yet. 0, or an errno. */
static gofer_cold int grow_for_piece(go_reader *r)
{
    size_t most = r->longest_line, capacity = r->capacity;
    if (!r->owned || capacity >= most)
        return ENOBUFS;
    capacity = capacity > most / 2 ? most : 2 * capacity;
    return resize_buffer(r, capacity) ? 0 : ENOMEM;
}

/* Finds the next piece, and leaves it buffered: its length, or -1 and errno. */
static ssize_t find_piece(go_reader *r, int delimiter)
{
    size_t looked = 0;
    for (;;) {
        size_t there = r->end - r->start;
        const char *from = first_byte(r);
        const char *at = there > looked ? memchr(from + looked, delimiter, there - looked) : NULL;
        size_t length = at ? (size_t)(at - from) + 1 : there;
        if (gofer_unlikely(length > r->longest_line))
            return fail(ENOBUFS);
        if (gofer_likely(at != NULL))
            return (ssize_t)length;
        if (r->error || (r->ended && there == 0)) {
            tell_stop(r, 0);
            return -1;
        }
        if (r->ended)
            return (ssize_t)there;
        int error = there < r->capacity ? 0 : grow_for_piece(r);
        if (error)
            return fail(error);
        looked = there;
        fill(r);
    }
}

ssize_t go_reader_read_slice(go_reader *r, int delimiter, char **bytes)
{
    ssize_t n = find_piece(r, delimiter);
    if (n < 0)
        return -1;
    *bytes = r->buffer + r->start;
    consume(r, (size_t)n);
    return n;
}

ssize_t go_reader_read_line(go_reader *r, char **line)
{
    ssize_t n = go_reader_read_slice(r, '\n', line);
    if (n < 0)
        return -1;
    char *text = *line;
    n -= n > 0 && text[n - 1] == '\n';
    n -= n > 0 && text[n - 1] == '\r';
    text[n] = 0;
    return n;
}

/* Room for `size` bytes and a NUL. */
static bool reserve(char **to, size_t *capacity, size_t size)
{
    if (gofer_likely(*to && size < *capacity))
        return true;
    if (size == SIZE_MAX)
        return false;
    size_t larger = *capacity < FIRST_GROWTH ? FIRST_GROWTH : *capacity;
    while (larger <= size)
        larger = larger > SIZE_MAX / 2 ? SIZE_MAX : 2 * larger;
    char *grown = realloc(*to, larger);
    if (!grown)
        return false;
    *to = grown;
    *capacity = larger;
    return true;
}

ssize_t go_reader_read_until(go_reader *r, int delimiter, char **to, size_t *capacity, size_t most)
{
    size_t done = 0;
    if (!reserve(to, capacity, 0))
        return fail(ENOMEM);
    (*to)[0] = 0;
    while (done < most) {
        size_t there = r->end - r->start, n = there < most - done ? there : most - done;
        if (!there) {
            if (is_stopped(r))
                return tell_stop(r, done);
            fill(r);
            continue;
        }
        const char *at = delimiter < 0 ? NULL : memchr(first_byte(r), delimiter, n);
        n = at ? (size_t)(at - first_byte(r)) + 1 : n;
        if (!reserve(to, capacity, done + n)) {
            *gofer_errno() = ENOMEM;
            return done ? (ssize_t)done : -1;
        }
        memcpy(*to + done, first_byte(r), n);
        consume(r, n);
        done += n;
        (*to)[done] = 0;
        if (at)
            return (ssize_t)done;
    }
    *gofer_errno() = ENOBUFS;
    return (ssize_t)done;
}

/* ---- writing --------------------------------------------------------------------------------- */

void go_writer_init(go_writer *w, go_sink sink, size_t size)
{
    *w = (go_writer){ .sink = sink, .capacity = size ? size : DEFAULT_SIZE, .owned = 1 };
}

void go_writer_init_in(go_writer *w, go_sink sink, void *memory, size_t size)
{
    if (size < 2)
        gofer_fatal_misuse("go_writer_init_in: less than 2 bytes of memory");
    go_writer_init(w, sink, size - 1);
    w->buffer = memory;
    w->owned = 0;
}

void go_writer_reset(go_writer *w, go_sink sink)
{
    w->sink = sink;
    w->used = 0;
    w->error = 0;
}

void go_writer_free(go_writer *w)
{
    if (w->owned) {
        free(w->buffer);
        w->buffer = NULL;
    }
    go_writer_reset(w, (go_sink){ NULL, NULL });
}

void go_writer_set_context(go_writer *w, go_context *ctx)
{
    w->ctx = ctx;
}

size_t go_writer_buffered(const go_writer *w)
{
    return w->used;
}

size_t go_writer_available(const go_writer *w)
{
    return w->capacity - w->used;
}

int go_writer_error(const go_writer *w)
{
    return w->error;
}

/* Whether bytes may be put into the buffer. */
static bool is_writable(go_writer *w)
{
    if (gofer_unlikely(!w->buffer && !w->error)) {
        w->buffer = malloc(w->capacity + 1);
        if (!w->buffer)
            w->error = ENOMEM;
    }
    return !w->error;
}

/* Returns how many bytes the sink took; fewer than `size`: there is an error now. */
static size_t write_sink(go_writer *w, const char *data, size_t size)
{
    *gofer_errno() = 0;
    ssize_t n = w->sink.write(w->ctx, w->sink.to, data, size);
    if (gofer_unlikely(n > (ssize_t)size))
        gofer_fatal_misuse("bufio: sink returned more bytes than it was given");
    size_t taken = n > 0 ? (size_t)n : 0;
    if (gofer_unlikely(taken < size))
        w->error = *gofer_errno() ? *gofer_errno() : EIO;
    return taken;
}

/* False: there is an error. */
static bool flush(go_writer *w)
{
    if (w->error)
        return false;
    if (!w->used)
        return true;
    size_t taken = write_sink(w, w->buffer, w->used);
    w->used -= taken;
    if (gofer_unlikely(w->used))
        memmove(w->buffer, w->buffer + taken, w->used);
    return !w->error;
}

int go_writer_flush(go_writer *w)
{
    return flush(w) ? 0 : (int)fail(w->error);
}

ssize_t go_writer_write(go_writer *w, const void *data, size_t size)
{
    const char *from = data;
    size_t left = size;
    if (gofer_unlikely(size > SSIZE_MAX))
        return fail(EINVAL);
    bool works = is_writable(w);
    while (works && left > w->capacity - w->used) {
        size_t n = w->capacity - w->used;
        if (w->used == 0) {
            n = write_sink(w, from, left);
            works = !w->error;
        } else {
            memcpy(w->buffer + w->used, from, n);
            w->used += n;
            works = flush(w);
        }
        from += n;
        left -= n;
    }
    if (gofer_unlikely(!works))
        return fail(w->error);
    if (left)
        memcpy(w->buffer + w->used, from, left);
    w->used += left;
    return (ssize_t)size;
}

ssize_t go_writer_write_string(go_writer *w, const char *string)
{
    return go_writer_write(w, string, strlen(string));
}

int go_writer_write_byte(go_writer *w, int byte)
{
    return gofer_writer_next_byte(w, byte);
}

int gofer_writer_next_byte(go_writer *w, int byte)
{
    char one = (char)byte;
    return go_writer_write(w, &one, 1) == 1 ? 0 : -1;
}

/* A text of n bytes, which is larger than what is free in the buffer. */
static ssize_t print_larger(go_writer *w, size_t n, const char *format, va_list arguments)
{
    if (n <= w->capacity) {
        if (!flush(w))
            return fail(w->error);
        vsnprintf(w->buffer, w->capacity + 1, format, arguments);
        w->used = n;
        return (ssize_t)n;
    }
    char *text = malloc(n + 1);
    if (!text)
        return fail(ENOMEM);
    vsnprintf(text, n + 1, format, arguments);
    ssize_t result = go_writer_write(w, text, n);
    free(text);
    return result;
}

ssize_t go_writer_vprintf(go_writer *w, const char *format, va_list arguments)
{
    if (!is_writable(w))
        return fail(w->error);
    size_t room = w->capacity - w->used;
    va_list again;
    va_copy(again, arguments);
    ssize_t n = vsnprintf(w->buffer + w->used, room + 1, format, arguments);
    if (n > (ssize_t)room)
        n = print_larger(w, (size_t)n, format, again);
    else if (n > 0)
        w->used += (size_t)n;
    va_end(again);
    return n;
}

ssize_t go_writer_printf(go_writer *w, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    ssize_t n = go_writer_vprintf(w, format, arguments);
    va_end(arguments);
    return n;
}
