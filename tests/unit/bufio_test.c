/* Buffered readers and writers: every call beside a model that has all bytes at once, with a source
 * that gives them in pieces of any size; lines, limits, errors that come in between, the program's
 * own memory, descriptors, contexts. Run as: bufio_test [ROUNDS [SEED]]. */
#include "unit.h"

#include <time.h>
#include <unistd.h>

/* Gives `bytes` in pieces of 1 to `most` bytes; an error after every `errs` reads, if not 0. */
struct pieces {
    const char *bytes;
    size_t size, at, most;
    unsigned seed;
    int errs, reads;
};

static unsigned next_random(unsigned *state)
{
    *state = *state * 1103515245 + 12345;
    return *state >> 16;
}

static ssize_t read_pieces(go_context *ctx, void *from, void *buffer, size_t size)
{
    struct pieces *p = (struct pieces *)from;
    size_t left = p->size - p->at, n = next_random(&p->seed) % p->most + 1;
    (void)ctx;
    CHECK(size > 0, 1);
    if (p->errs && ++p->reads % p->errs == 0) {
        errno = EIO;
        return -1;
    }
    n = n < left ? n : left;
    n = n < size ? n : size;
    memcpy(buffer, p->bytes + p->at, n);
    p->at += n;
    return (ssize_t)n;
}

static struct pieces text(const char *bytes, size_t most)
{
    return (struct pieces){ .bytes = bytes, .size = strlen(bytes), .most = most, .seed = 1 };
}

static go_source source_of(struct pieces *p)
{
    return (go_source){ read_pieces, p };
}

/* Takes at most `room` bytes in all, then fails with ENOSPC. */
struct taken {
    char bytes[4096];
    size_t size, room;
    int writes;
};

static ssize_t take(go_context *ctx, void *to, const void *data, size_t size)
{
    struct taken *t = (struct taken *)to;
    size_t n = size < t->room - t->size ? size : t->room - t->size;
    (void)ctx;
    t->writes++;
    memcpy(t->bytes + t->size, data, n);
    t->size += n;
    if (n < size)
        errno = ENOSPC;
    return n || !size ? (ssize_t)n : -1;
}

static go_sink sink_of(struct taken *t)
{
    return (go_sink){ take, t };
}

/* ---- readers: one behaviour each ------------------------------------------------------------- */

static void lines_have_no_ends(void)
{
    static const char *const expected[] = { "one", "", "two\r", "three", "", "four" };
    for (size_t most = 1; most < 30; most++) {
        struct pieces p = text("one\n\ntwo\r\r\nthree\r\n\r\nfour\r", most);
        go_reader r;
        char *line;
        go_reader_init(&r, source_of(&p), 0);
        for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
            CHECK(go_reader_read_line(&r, &line), strlen(expected[i]));
            CHECK_TEXT(line, expected[i]);
        }
        for (int i = 0; i < 2; i++) {
            errno = EINTR;
            CHECK(go_reader_read_line(&r, &line), -1);
            CHECK(errno, 0);
        }
        go_reader_free(&r);
    }
}

static void a_line_longer_than_allowed_stays(void)
{
    char long_text[200], *line;
    memset(long_text, 'x', sizeof long_text);
    memcpy(long_text + 100, "\nnext\n", 7);
    struct pieces p = text(long_text, 7);
    go_reader r;
    go_reader_init(&r, source_of(&p), 16);
    go_reader_set_longest_line(&r, 100);
    for (int i = 0; i < 2; i++) {
        CHECK(go_reader_read_line(&r, &line), -1);
        CHECK(errno, ENOBUFS);
    }
    go_reader_set_longest_line(&r, 101);
    CHECK(go_reader_read_line(&r, &line), 100);
    CHECK(go_reader_read_line(&r, &line), 4);
    CHECK_TEXT(line, "next");
    go_reader_free(&r);
}

static void the_programs_memory_does_not_grow(void)
{
    char memory[17], *line;
    struct pieces p = text("0123456789abcde\n0123456789abcdef\n", 100);
    go_reader r;
    go_reader_init_in(&r, source_of(&p), memory, sizeof memory);
    CHECK(go_reader_read_line(&r, &line), 15);
    CHECK(line >= memory && line < memory + sizeof memory, 1);
    CHECK(go_reader_read_line(&r, &line), -1);
    CHECK(errno, ENOBUFS);
    CHECK(go_reader_discard(&r, 16), 16);
    CHECK(go_reader_read_line(&r, &line), 0);
    go_reader_free(&r);
}

/* What there is of a line stays where the source fails; reading goes on after that. */
static void an_error_loses_nothing(void)
{
    char *line, rest[8], *grown = NULL;
    size_t capacity = 0;
    struct pieces p = text("a line\nanother\nand more", 2);
    go_reader r;
    int errors = 0;
    p.errs = 2;
    go_reader_init(&r, source_of(&p), 0);
    ssize_t n;
    while ((n = go_reader_read_line(&r, &line)) < 0) {
        CHECK(errno, EIO);
        errors++;
    }
    CHECK_TEXT(line, "a line");
    CHECK(errors > 1, 1);
    size_t got = 0;
    while (got < 7) {
        n = go_reader_read_full(&r, rest + got, 7 - got);
        if (n < (ssize_t)(7 - got))
            CHECK(errno, EIO);
        got += n > 0 ? (size_t)n : 0;
    }
    CHECK(memcmp(rest, "another", 7), 0);
    char all[32] = "";
    do {
        n = go_reader_read_until(&r, -1, &grown, &capacity, SIZE_MAX);
        if (n > 0)
            strcat(all, grown);
    } while (errno == EIO);
    CHECK(errno, 0);
    CHECK_TEXT(all, "\nand more");
    free(grown);
    go_reader_free(&r);
}

/* The end is asked for once, though a peek and a short read met it first. */
static void the_end_is_reported_once(void)
{
    char to[8];
    const char *bytes;
    struct pieces p = text("abc", 3);
    go_reader r;
    go_reader_init(&r, source_of(&p), 0);
    CHECK(go_reader_peek(&r, 5, &bytes), 3);
    CHECK(errno, 0);
    CHECK(go_reader_read_full(&r, to, 5), 3);
    CHECK(errno, 0);
    p = text("more", 4); /* as a terminal that goes on */
    CHECK(go_reader_peek(&r, 1, &bytes), 0);
    CHECK(go_reader_read_byte(&r), -1);
    CHECK(errno, 0);
    CHECK(go_reader_read_byte(&r), 'm');
    go_reader_free(&r);
}

static void bytes_go_back(void)
{
    char *line, all[64];
    const char *bytes;
    struct pieces p = text("ab\ncd\r\n0123456789abcdef0123456789abcdef", 100);
    go_reader r;
    go_reader_init(&r, source_of(&p), 16);
    CHECK(go_reader_unread_byte(&r), -1);
    CHECK(errno, EINVAL);
    CHECK(go_reader_read_byte(&r), 'a');
    CHECK(go_reader_unread_byte(&r), 0);
    CHECK(go_reader_unread_byte(&r), -1);
    CHECK(go_reader_read_line(&r, &line), 2);
    CHECK(go_reader_unread_byte(&r), 0);
    CHECK(go_reader_read_byte(&r), '\n');
    CHECK(go_reader_read_line(&r, &line), 2);
    CHECK(go_reader_unread_byte(&r), 0);
    CHECK(go_reader_read_byte(&r), '\n');
    CHECK(go_reader_peek(&r, 2, &bytes), 2);
    CHECK(go_reader_unread_byte(&r), -1);
    CHECK(go_reader_read_full(&r, all, 32), 32); /* past the buffer */
    CHECK(go_reader_unread_byte(&r), 0);
    CHECK(go_reader_read_byte(&r), 'f');
    CHECK(go_reader_read_byte(&r), -1);
    go_reader_free(&r);
}

static void peek_and_discard(void)
{
    const char *bytes;
    struct pieces p = text("0123456789abcdefXYZ", 3);
    go_reader r;
    go_reader_init(&r, source_of(&p), 16);
    CHECK(go_reader_peek(&r, 4, &bytes), 4);
    CHECK(memcmp(bytes, "0123", 4), 0);
    CHECK(go_reader_peek(&r, 17, &bytes), 16);
    CHECK(errno, ENOBUFS);
    CHECK(memcmp(bytes, "0123456789abcdef", 16), 0);
    CHECK(go_reader_buffered(&r), 16);
    CHECK(go_reader_discard(&r, 17), 17);
    CHECK(go_reader_read_byte(&r), 'Y');
    CHECK(go_reader_discard(&r, 5), 1);
    CHECK(errno, 0);
    CHECK(go_reader_discard(&r, 5), 0);
    go_reader_free(&r);
}

static void a_reset_forgets(void)
{
    struct pieces p = text("abc", 3), q = text("xyz", 3);
    go_reader r;
    go_reader_init(&r, source_of(&p), 0);
    CHECK(go_reader_read_byte(&r), 'a');
    go_reader_reset(&r, source_of(&q));
    CHECK(go_reader_unread_byte(&r), -1);
    CHECK(go_reader_read_byte(&r), 'x');
    go_reader_free(&r);
    q.at = 0;
    go_reader_reset(&r, source_of(&q));
    CHECK(go_reader_read_byte(&r), 'x');
    go_reader_free(&r);
}

/* ---- readers beside the model ---------------------------------------------------------------- */

struct model {
    const char *bytes;
    size_t size, at;
};

static size_t model_piece(const struct model *m, int delimiter)
{
    size_t left = m->size - m->at;
    const char *at = delimiter < 0 || !left ? NULL : memchr(m->bytes + m->at, delimiter, left);
    return at ? (size_t)(at - (m->bytes + m->at)) + 1 : left;
}

/* One random call on both. */
static void step(go_reader *r, struct model *m, unsigned *seed)
{
    char to[64], *piece, *grown = NULL;
    const char *bytes, *expected = m->bytes + m->at;
    size_t capacity = 0, left = m->size - m->at, n = next_random(seed) % sizeof to;
    size_t least = n < left ? n : left;
    int delimiter = "\nae"[next_random(seed) % 3];
    ssize_t got;
    errno = EINTR;
    switch (next_random(seed) % 9) {
    case 0:
        got = go_reader_read(r, to, n);
        CHECK(got >= (least > 0) && got <= (ssize_t)least, 1);
        CHECK(memcmp(to, expected, (size_t)got), 0);
        m->at += (size_t)got;
        break;
    case 1:
        CHECK(go_reader_read_full(r, to, n), least);
        CHECK(memcmp(to, expected, least), 0);
        m->at += least;
        break;
    case 2:
        CHECK(go_reader_read_byte(r), left ? (unsigned char)*expected : -1);
        m->at += left > 0;
        break;
    case 3:
        if (go_reader_unread_byte(r) == 0)
            m->at--;
        break;
    case 4:
        got = go_reader_peek(r, n, &bytes);
        if (got < (ssize_t)least)
            CHECK(errno, ENOBUFS);
        CHECK(got <= (ssize_t)least && memcmp(bytes ? bytes : "", expected, (size_t)got) == 0, 1);
        break;
    case 5:
        CHECK(go_reader_discard(r, n), least);
        m->at += least;
        break;
    case 6:
        n = model_piece(m, delimiter);
        CHECK(go_reader_read_slice(r, delimiter, &piece), n ? (ssize_t)n : -1);
        CHECK(n && memcmp(piece, expected, n), 0);
        m->at += n;
        break;
    case 7:
        got = go_reader_read_until(r, delimiter, &grown, &capacity, n);
        least = model_piece(m, delimiter);
        least = n < least ? n : least;
        CHECK(got, least);
        CHECK(memcmp(grown, expected, least) || grown[least], 0);
        m->at += least;
        break;
    default:
        n = model_piece(m, '\n');
        got = go_reader_read_line(r, &piece);
        CHECK((got < 0), (n == 0));
        CHECK(n && (memcmp(piece, expected, (size_t)got) || piece[got]), 0);
        for (size_t i = (size_t)(n ? got : 0); i < n; i++)
            CHECK(expected[i] == '\r' || expected[i] == '\n', 1);
        m->at += n;
    }
    free(grown);
}

static void like_the_model(int rounds, unsigned seed)
{
    char bytes[600];
    for (int round = 0; round < rounds; round++) {
        size_t size = next_random(&seed) % sizeof bytes;
        for (size_t i = 0; i < size; i++)
            bytes[i] = "abcde\r\n\n"[next_random(&seed) % 8];
        struct pieces p = {
            .bytes = bytes, .size = size, .most = 1 + next_random(&seed) % 80, .seed = seed
        };
        struct model m = { bytes, size, 0 };
        go_reader r;
        go_reader_init(&r, source_of(&p), 16 + next_random(&seed) % 50);
        for (int i = 0; i < 100; i++)
            step(&r, &m, &seed);
        go_reader_free(&r);
    }
}

/* ---- writers --------------------------------------------------------------------------------- */

static void writes_are_gathered(void)
{
    struct taken t = { .room = sizeof t.bytes };
    go_writer w;
    go_writer_init(&w, sink_of(&t), 16);
    CHECK(go_writer_flush(&w), 0);
    CHECK(go_writer_write(&w, "0123456", 7), 7);
    CHECK(go_writer_write_byte(&w, '7'), 0);
    CHECK(go_writer_write_string(&w, "89abcdef"), 8);
    CHECK(t.writes, 0);
    CHECK(go_writer_buffered(&w), 16);
    CHECK(go_writer_available(&w), 0);
    CHECK(go_writer_write_byte(&w, '!'), 0);
    CHECK(t.writes, 1);
    CHECK(go_writer_flush(&w), 0);
    CHECK(go_writer_write(&w, "a text that is longer than the buffer", 37), 37);
    CHECK(t.writes, 3);
    CHECK(go_writer_buffered(&w), 0);
    t.bytes[t.size] = 0;
    CHECK_TEXT(t.bytes, "0123456789abcdef!a text that is longer than the buffer");
    go_writer_free(&w);
}

static void printed_texts_of_each_length(void)
{
    char expected[4096], with[64];
    for (size_t before = 0; before <= 16; before++) {
        struct taken t = { .room = sizeof t.bytes };
        size_t at = 0;
        go_writer w;
        go_writer_init(&w, sink_of(&t), 16);
        for (; at < before; at++) {
            CHECK(go_writer_write_byte(&w, 'b'), 0);
            expected[at] = 'b';
        }
        for (int length = 0; length < 40; length++) {
            memset(with, 'a' + length % 26, sizeof with);
            with[length] = 0;
            at += (size_t)sprintf(expected + at, "%s:%d", with, length);
            CHECK(go_writer_printf(&w, "%s:%d", with, length), length + (length < 10 ? 2 : 3));
        }
        CHECK(go_writer_flush(&w), 0);
        t.bytes[t.size] = 0;
        CHECK_TEXT(t.bytes, expected);
        go_writer_free(&w);
    }
}

static void a_sinks_error_stays(void)
{
    char memory[9];
    struct taken t = { .room = 5 }, u = { .room = 100 };
    go_writer w;
    go_writer_init_in(&w, sink_of(&t), memory, sizeof memory);
    CHECK(go_writer_write_string(&w, "01234567"), 8);
    CHECK(go_writer_flush(&w), -1);
    CHECK(errno, ENOSPC);
    CHECK(go_writer_error(&w), ENOSPC);
    CHECK(go_writer_buffered(&w), 3); /* what was not taken */
    CHECK(memcmp(t.bytes, "01234", 5), 0);
    t.room = 100;
    errno = 0;
    CHECK(go_writer_write_byte(&w, '8'), -1);
    CHECK(errno, ENOSPC);
    CHECK(go_writer_write(&w, "8", 1), -1);
    CHECK(go_writer_printf(&w, "%d", 8), -1);
    CHECK(go_writer_flush(&w), -1);
    CHECK(errno, ENOSPC);
    CHECK(t.writes, 1);
    go_writer_reset(&w, sink_of(&u));
    CHECK(go_writer_error(&w), 0);
    CHECK(go_writer_printf(&w, "%d", 8), 1);
    CHECK(go_writer_flush(&w), 0);
    CHECK(u.size, 1);
    go_writer_free(&w);
}

/* Any calls give the same bytes in the same order. */
static void writes_like_the_model(int rounds, unsigned seed)
{
    static const char bytes[] = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    for (int round = 0; round < rounds; round++) {
        struct taken t = { .room = sizeof t.bytes };
        char expected[sizeof t.bytes];
        size_t at = 0;
        go_writer w;
        go_writer_init(&w, sink_of(&t), 1 + next_random(&seed) % 40);
        while (at < sizeof expected - 100) {
            size_t n = next_random(&seed) % sizeof bytes;
            unsigned kind = next_random(&seed) % 4;
            if (kind == 0) {
                n = 1;
                CHECK(go_writer_write_byte(&w, bytes[0]), 0);
            } else if (kind == 1) {
                CHECK(go_writer_write(&w, bytes, n), n);
            } else if (kind == 2) {
                CHECK(go_writer_printf(&w, "%.*s", (int)n, bytes), n);
            } else {
                n = 0;
                CHECK(go_writer_flush(&w), 0);
            }
            memcpy(expected + at, bytes, n);
            at += n;
        }
        CHECK(go_writer_flush(&w), 0);
        CHECK(t.size, at);
        CHECK(memcmp(t.bytes, expected, at), 0);
        go_writer_free(&w);
    }
}

/* ---- descriptors and contexts ---------------------------------------------------------------- */

static void talk(go_fd *to)
{
    go_writer w;
    go_writer_init(&w, go_fd_sink(to), 64);
    for (int i = 0; i < 1000; i++)
        CHECK(go_writer_printf(&w, "line %d\n", i) > 0, 1);
    CHECK(go_writer_flush(&w), 0);
    go_writer_free(&w);
    go_fd_unref(to);
}

static void over_a_pipe(void)
{
    go_fd *ends[2];
    go_reader r;
    char *line, expected[20];
    int i = 0;
    CHECK(go_fd_pipe(ends), 0);
    go(talk, ends[1]);
    go_reader_init(&r, go_fd_source(ends[0]), 100);
    for (; go_reader_read_line(&r, &line) >= 0; i++) {
        snprintf(expected, sizeof expected, "line %d", i);
        CHECK_TEXT(line, expected);
    }
    CHECK(errno, 0);
    CHECK(i, 1000);
    go_reader_free(&r);
    go_fd_unref(ends[0]);
}

static void a_context_ends_it(void)
{
    go_fd *ends[2];
    go_reader r;
    go_writer w;
    char *line;
    CHECK(go_fd_pipe(ends), 0);
    go_context *ctx = go_context_with_timeout(NULL, GO_MILLISECOND);
    go_reader_init(&r, go_fd_source(ends[0]), 0);
    go_writer_init(&w, go_fd_sink(ends[1]), 0);
    go_reader_set_context(&r, ctx);
    CHECK(go_writer_write_string(&w, "half"), 4);
    CHECK(go_writer_flush(&w), 0);
    CHECK(go_reader_read_line(&r, &line), -1);
    CHECK(errno, ETIMEDOUT);
    go_reader_set_context(&r, NULL);
    CHECK(go_writer_write_string(&w, " a line\n"), 8);
    CHECK(go_writer_flush(&w), 0);
    CHECK(go_reader_read_line(&r, &line), 11);
    CHECK_TEXT(line, "half a line");
    go_writer_set_context(&w, ctx);
    CHECK(go_writer_write_byte(&w, 'x'), 0);
    CHECK(go_writer_flush(&w), -1);
    CHECK(errno, ETIMEDOUT);
    CHECK(go_writer_buffered(&w), 1);
    go_context_end(ctx);
    go_reader_free(&r);
    go_writer_free(&w);
    go_fd_unref(ends[0]);
    go_fd_unref(ends[1]);
}

int go_main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 300;
    unsigned seed = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : (unsigned)time(NULL);
    printf("rounds %d seed %u\n", rounds, seed);
    lines_have_no_ends();
    a_line_longer_than_allowed_stays();
    the_programs_memory_does_not_grow();
    an_error_loses_nothing();
    the_end_is_reported_once();
    bytes_go_back();
    peek_and_discard();
    a_reset_forgets();
    like_the_model(rounds, seed);
    writes_are_gathered();
    printed_texts_of_each_length();
    a_sinks_error_stays();
    writes_like_the_model(rounds, seed);
    over_a_pipe();
    a_context_ends_it();
    return 0;
}
