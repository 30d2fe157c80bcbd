/* A go_reader under any calls, on a source that gives its bytes in pieces of any size and fails in
 * between. No byte is lost, none comes twice, and lines are what they are, however they came. */
#include <gofer.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct input {
    const uint8_t *controls; /* what is called, and how much a source gives; round and round */
    size_t control_count, control;
    const char *bytes; /* what the source has; `at` are read, `given` are in the reader */
    size_t size, at, given;
};

static void hold(bool is_so, const char *what, const struct input *input)
{
    if (is_so)
        return;
    fprintf(stderr, "%s: at byte %zu of %zu, control %zu, errno %d\n", what, input->at, input->size,
            input->control, errno);
    abort();
}

static unsigned next_control(struct input *input)
{
    return input->controls[input->control++ % input->control_count];
}

static ssize_t give(go_context *ctx, void *from, void *buffer, size_t size)
{
    struct input *input = from;
    unsigned control = next_control(input);
    (void)ctx;
    if (control % 8 == 7 && input->control % 5) { /* not for ever */
        errno = ETIMEDOUT;
        return -1;
    }
    size_t n = 1 + control % 40, left = input->size - input->given;
    n = n > size ? size : n;
    n = n > left ? left : n;
    memcpy(buffer, input->bytes + input->given, n);
    input->given += n;
    return (ssize_t)n;
}

/* A call read `n` bytes at `bytes`, of which `wanted` were asked for: they are the next ones, and
 * if they are fewer there is a reason. */
static void check_bytes(struct input *input, const char *bytes, ssize_t n, size_t wanted,
                        bool stays)
{
    int error = errno;
    if (n > 0) {
        hold((size_t)n <= input->size - input->at, "more bytes than there are", input);
        hold(memcmp(bytes, input->bytes + input->at, (size_t)n) == 0, "other bytes", input);
    }
    if (n < (ssize_t)wanted && error == 0)
        hold(input->at + (n > 0 ? (size_t)n : 0) == input->size, "an end that is none", input);
    hold(error == 0 || error == ETIMEDOUT || (stays && error == ENOBUFS), "another error", input);
    if (n > 0 && !stays)
        input->at += (size_t)n;
}

/* The length of the next piece with its end. */
static size_t next_piece(const struct input *input, char end)
{
    const char *from = input->bytes + input->at;
    size_t left = input->size - input->at;
    const char *found = left ? memchr(from, end, left) : NULL;
    return found ? (size_t)(found - from) + 1 : left;
}

static void check_line(struct input *input, go_reader *reader, size_t most)
{
    char *line = NULL;
    size_t whole = next_piece(input, '\n'), length = whole;
    const char *from = input->bytes + input->at;
    ssize_t n = go_reader_read_line(reader, &line);
    if (n < 0) {
        hold(errno != 0 || input->at == input->size, "an end that is none", input);
        hold(errno != ENOBUFS || whole > most || (whole == most && from[whole - 1] != '\n'),
             "too long a line that is not", input);
        hold(errno == 0 || errno == ENOBUFS || errno == ETIMEDOUT, "another error", input);
        return;
    }
    hold(whole > 0 && whole <= most, "a line that is longer than allowed", input);
    length -= length > 0 && from[length - 1] == '\n';
    length -= length > 0 && from[length - 1] == '\r';
    hold((size_t)n == length && memcmp(line, from, length) == 0 && line[n] == 0, "another line",
         input);
    input->at += whole;
}

static void check_slice(struct input *input, go_reader *reader, char end, size_t most)
{
    char *bytes = NULL;
    size_t whole = next_piece(input, end);
    ssize_t n = go_reader_read_slice(reader, end, &bytes);
    if (n >= 0) {
        hold((size_t)n == whole && whole <= most, "another piece", input);
        errno = 0;
    } else if (errno == ENOBUFS) {
        hold(whole >= most, "too long a piece that is not", input);
        return;
    }
    check_bytes(input, bytes, n, 0, false);
}

static void check_until(struct input *input, go_reader *reader, char end, size_t most)
{
    char *to = NULL;
    size_t capacity = 0, whole = next_piece(input, end);
    ssize_t n = go_reader_read_until(reader, end, &to, &capacity, most);
    if (n > 0) {
        hold((size_t)n <= whole && (size_t)n <= most && to[n] == 0, "another piece", input);
        if ((size_t)n == whole || errno == ENOBUFS)
            errno = 0;
        else
            hold(errno == ETIMEDOUT, "a piece without its end", input);
        check_bytes(input, to, n, 0, false);
    } else {
        check_bytes(input, to, n, whole != 0, false);
    }
    free(to);
}

/* Whether the byte that was read last can be given back. */
enum unread { NEVER, MAYBE, SURELY };

static enum unread call(struct input *input, go_reader *reader, size_t most, enum unread unreads)
{
    char to[64];
    const char *bytes = NULL;
    unsigned control = next_control(input);
    size_t n = control / 8, before = input->at;
    ssize_t got;
    errno = 0;
    switch (control % 8) {
    case 0:
        got = go_reader_read(reader, to, n);
        if (got > 0)
            errno = 0;
        check_bytes(input, to, got, got > 0 ? (size_t)got : n, false);
        break;
    case 1:
        got = go_reader_read_full(reader, to, n);
        if (got == (ssize_t)n)
            errno = 0;
        check_bytes(input, to, got, n, false);
        break;
    case 2:
        got = go_reader_read_byte(reader);
        to[0] = (char)got;
        if (got >= 0)
            errno = 0;
        check_bytes(input, to, got >= 0 ? 1 : -1, 1, false);
        break;
    case 3:
        got = go_reader_unread_byte(reader);
        hold(unreads == MAYBE || (got == 0) == (unreads == SURELY), "a byte is given back, or not",
             input);
        input->at -= got == 0;
        return NEVER;
    case 4:
        got = go_reader_peek(reader, n, &bytes);
        if (got == (ssize_t)n)
            errno = 0;
        check_bytes(input, bytes, got, n, true);
        return NEVER;
    case 5:
        got = go_reader_discard(reader, n);
        if (got == (ssize_t)n)
            errno = 0;
        check_bytes(input, input->bytes + before, got, n, false);
        return NEVER;
    case 6:
        if (n % 2)
            check_slice(input, reader, (char)(n / 2), most);
        else
            check_until(input, reader, '\n', n + 1);
        break;
    default:
        check_line(input, reader, most);
        break;
    }
    return input->at > before ? SURELY : unreads ? MAYBE : NEVER;
}

/* The buffer's size and whether it grows, the longest line, how many controls, the controls, what
 * is read. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 4 || data[2] == 0 || size < 3 + (size_t)data[2])
        return 0;
    struct input input = { .controls = data + 3, .control_count = data[2] };
    input.bytes = (const char *)data + 3 + data[2];
    input.size = size - 3 - data[2];
    size_t room = 17 + data[0] % 64, longest = 1 + data[1] % 96;
    char *memory = malloc(room);
    go_reader reader;
    if (data[0] & 64)
        go_reader_init(&reader, (go_source){ give, &input }, room - 1);
    else
        go_reader_init_in(&reader, (go_source){ give, &input }, memory, room);
    go_reader_set_longest_line(&reader, longest);
    size_t most = data[0] & 64 || longest < room - 1 ? longest : room - 1;
    enum unread unreads = NEVER;
    for (int i = 0, at_end = 0; i < 500 && at_end < 10; i++) {
        unreads = call(&input, &reader, most, unreads);
        hold(go_reader_buffered(&reader) == input.given - input.at, "another number is buffered",
             &input);
        at_end += input.at == input.size;
    }
    go_reader_free(&reader);
    free(memory);
    return 0;
}
