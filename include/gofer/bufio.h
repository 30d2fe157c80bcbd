/* Buffered reading and writing over anything that gives or takes bytes.
 *
 *     go_reader in;
 *     char *line;
 *     go_reader_init(&in, go_fd_source(fd), 0);
 *     while (go_reader_read_line(&in, &line) >= 0)
 *         puts(line);
 *     if (errno)
 *         perror("read");
 *     go_reader_free(&in);
 *
 * A reader or writer is a plain object of the program's, used by one goroutine or plain thread at a
 * time. It holds no reference to what it reads or writes, which must live as long. Its buffer comes
 * from malloc at the first use, or is the program's own memory; no other call allocates, but those
 * that say so. A call blocks where the source or sink does, for which a context may be set.
 *
 * The end is no error: a call that gets nothing because nothing is left returns 0, or -1 where 0 is
 * a result, with errno 0; one that gets less than it asked for returns that, with errno 0 at the
 * end and else with the error. An error is reported once, nothing read before it is lost, and the
 * next call tries the source again: reading goes on after a deadline that has passed. Pointers into
 * a reader's buffer are good until the next call on it. Go's bufio.
 * SPDX-License-Identifier: MIT */
#ifndef GOFER_BUFIO_H
#define GOFER_BUFIO_H

#include <gofer/base.h>
#include <gofer/context.h>
#include <gofer/fd.h>

#include <stdarg.h>

/* Where bytes come from: read returns how many of at most `size` it stored, 0 at the end, or -1
 * with errno. `ctx` is the reader's context, or NULL. Go: io.Reader. */
typedef struct go_source {
    ssize_t (*read)(go_context *ctx, void *from, void *buffer, size_t size);
    void *from;
} go_source;

/* Where bytes go: write returns `size`, or less than that, or -1, with errno. Go: io.Writer. */
typedef struct go_sink {
    ssize_t (*write)(go_context *ctx, void *to, const void *data, size_t size);
    void *to;
} go_sink;

/* Its members are the library's own. Go: bufio.Reader, bufio.Scanner. */
typedef struct go_reader {
    go_source source;
    go_context *ctx;
    char *buffer;    /* `capacity` bytes and one for a NUL, or NULL */
    size_t capacity; /* as it is, or will be */
    size_t start;    /* what is buffered lies from here ... */
    size_t end;      /* ... to here */
    size_t longest_line;
    int error;     /* the source's, to be reported after what is buffered; 0: none */
    int ended;     /* the source's end was met, and not reported yet */
    int last_byte; /* what unread_byte gives back, or -1 */
    int owned;     /* the buffer is malloc's */
} go_reader;

/* Its members are the library's own. Go: bufio.Writer. */
typedef struct go_writer {
    go_sink sink;
    go_context *ctx;
    char *buffer; /* `capacity` bytes and one for printf's NUL, or NULL */
    size_t capacity;
    size_t used;
    int error; /* the first; all calls fail with it */
    int owned;
} go_writer;

GOFER_BEGIN

/* A descriptor as a source, and as a sink. They take no reference. */
GOFER_API go_source go_fd_source(go_fd *fd);
GOFER_API go_sink go_fd_sink(go_fd *fd);

/* ---- readers --------------------------------------------------------------------------------- */

/* A reader with a buffer of its own, of `size` bytes; 0: 4096, and 16 at least. It is allocated by
 * the first call that reads, which fails with ENOMEM where it cannot be. Does not block. Go:
 * bufio.NewReaderSize. */
GOFER_API void go_reader_init(go_reader *r, go_source source, size_t size);

/* A reader in memory of the program's, `size` bytes, 17 at least; one of them is for a NUL. It
 * never grows. Fatal where it is smaller. Not in Go. */
GOFER_API void go_reader_init_in(go_reader *r, go_source source, void *memory, size_t size);

/* Forgets what is buffered and reads from another source from now on; buffer, limit and context
 * stay. Go: Reader.Reset. */
GOFER_API void go_reader_reset(go_reader *r, go_source source);

/* Gives the buffer back; not the source, which is not the reader's. go_reader_reset makes the
 * reader usable again. Not in Go. */
GOFER_API void go_reader_free(go_reader *r);

/* From now on ctx ends what the reader waits for: then the calls return what they have, or -1, with
 * errno ECANCELED or ETIMEDOUT. NULL: nothing does, as at first. The reader takes no reference. Go:
 * a read deadline. */
GOFER_API void go_reader_set_context(go_reader *r, go_context *ctx);

/* The most bytes that a line, or go_reader_read_slice's piece, may have with its end; at first
 * 65536, or the buffer's size where that is more. A buffer of the reader's own grows for a long
 * one, up to this. Go: Scanner.Buffer. */
GOFER_API void go_reader_set_longest_line(go_reader *r, size_t longest);

/* How many bytes can be read without asking the source. Go: Reader.Buffered. */
GOFER_API size_t go_reader_buffered(const go_reader *r);

/* Up to `size` bytes, with at most one read of the source: how many; 0 at the end; -1 and errno. A
 * read larger than the buffer goes past it. Go: Reader.Read. */
GOFER_API ssize_t go_reader_read(go_reader *r, void *to, size_t size);

/* All `size` bytes: `size`; fewer, with errno (0 at the end); -1 and errno where an error came
 * before the first. Go: io.ReadFull. */
GOFER_API ssize_t go_reader_read_full(go_reader *r, void *to, size_t size);

/* The next byte, 0 to 255; -1 with errno (0 at the end). Go: Reader.ReadByte. */
GOFER_API int go_reader_read_byte(go_reader *r);

/* Gives the byte that was read last back, to be read again, also after a read that met the end: 0;
 * -1 and EINVAL where none was read since the last peek, discard or unread, or where a read that
 * failed since then has used the byte's place. Go: Reader.UnreadByte. */
GOFER_API int go_reader_unread_byte(go_reader *r);

/* Points *bytes at the next n bytes, in the buffer, without reading them: n; fewer, with errno: 0
 * at the end, ENOBUFS where n is more than the buffer holds; -1 and errno where there are none. Go:
 * Reader.Peek. */
GOFER_API ssize_t go_reader_peek(go_reader *r, size_t n, const char **bytes);

/* Skips n bytes: n; fewer, with errno (0 at the end); -1 and errno where there was none. Go:
 * Reader.Discard. */
GOFER_API ssize_t go_reader_discard(go_reader *r, size_t n);

/* Reads a line: its length, and *line points at it in the buffer, with a NUL in the place of its
 * end, which is \n or \r\n. What comes after the last \n is a line too, unless it is empty. -1 with
 * errno: 0 at the end; ENOBUFS where the line is longer than allowed or than the program's memory;
 * else the source's error. What there is of the line then stays buffered: the next call goes on
 * with it. Allocates where the buffer grows (ENOMEM). Go: Scanner.Scan with ScanLines. */
GOFER_API ssize_t go_reader_read_line(go_reader *r, char **line);

/* The same for pieces that end with the byte `delimiter`, which stays on: the piece's length; what
 * comes after the last delimiter is a piece without one. -1 as above. Go: Reader.ReadSlice. */
GOFER_API ssize_t go_reader_read_slice(go_reader *r, int delimiter, char **bytes);

/* Reads up to and with the byte `delimiter`, or all there is where that is negative, into *to, an
 * allocation of *capacity bytes, or NULL and 0; it grows as it must and is the program's, to be
 * used again and to be freed. A NUL follows what was read. Returns how many bytes, `most` of them
 * at most (SIZE_MAX: any number). Where the last is not the delimiter, errno tells why: 0 at the
 * end, ENOBUFS for `most`, ENOMEM, the source's error; what follows can be read on. 0 at the end;
 * -1 and errno where an error came before the first byte. Go: Reader.ReadBytes, io.ReadAll. */
GOFER_API ssize_t go_reader_read_until(go_reader *r, int delimiter, char **to, size_t *capacity,
                                       size_t most);

/* ---- writers --------------------------------------------------------------------------------- */

/* A writer with a buffer of its own, of `size` bytes, 0: 4096; it is allocated by the first call
 * that writes, which fails with ENOMEM where it cannot be. Does not block. Go:
 * bufio.NewWriterSize. */
GOFER_API void go_writer_init(go_writer *w, go_sink sink, size_t size);

/* A writer in memory of the program's, `size` bytes, 2 at least; one of them is for a NUL. Fatal
 * where it is smaller. Not in Go. */
GOFER_API void go_writer_init_in(go_writer *w, go_sink sink, void *memory, size_t size);

/* Forgets what is buffered, and the error, and writes to another sink from now on; buffer and
 * context stay. Go: Writer.Reset. */
GOFER_API void go_writer_reset(go_writer *w, go_sink sink);

/* Gives the buffer back, without writing what is in it: go_writer_flush comes first. Not in Go. */
GOFER_API void go_writer_free(go_writer *w);

/* As go_reader_set_context. What the sink did not take of what was written then stays buffered. */
GOFER_API void go_writer_set_context(go_writer *w, go_context *ctx);

/* How many bytes are in the buffer, and how many fit in beside them. Go: Writer.Buffered,
 * Writer.Available. */
GOFER_API size_t go_writer_buffered(const go_writer *w);
GOFER_API size_t go_writer_available(const go_writer *w);

/* The errno that all calls fail with since the sink failed, or 0. */
GOFER_API int go_writer_error(const go_writer *w);

/* Writes all `size` bytes, to the buffer, and to the sink when that is full; what is larger than
 * an empty buffer goes past it. `size`, or -1 and errno. Go: Writer.Write. */
GOFER_API ssize_t go_writer_write(go_writer *w, const void *data, size_t size);

/* The same of a string, and of one byte: its length, and 0; -1 and errno. Go: Writer.WriteString,
 * Writer.WriteByte. */
GOFER_API ssize_t go_writer_write_string(go_writer *w, const char *string);
GOFER_API int go_writer_write_byte(go_writer *w, int byte);

/* Writes as printf does: how many bytes; -1 and errno, which is vsnprintf's where that fails, and
 * then no byte was written. Allocates where the text is larger than the buffer (ENOMEM). Go:
 * fmt.Fprintf. */
GOFER_API ssize_t go_writer_printf(go_writer *w, const char *format, ...) GOFER_PRINTF(2, 3);
GOFER_API ssize_t go_writer_vprintf(go_writer *w, const char *format, va_list arguments)
    GOFER_PRINTF(2, 0);

/* Writes what is buffered to the sink: 0, or -1 and errno. Go: Writer.Flush. */
GOFER_API int go_writer_flush(go_writer *w);

/* ---- what is compiled in --------------------------------------------------------------------- */

GOFER_API int gofer_reader_next_byte(go_reader *r);
GOFER_API int gofer_writer_next_byte(go_writer *w, int byte);

GOFER_INLINE int go_reader_read_byte(go_reader *r)
{
    if (__builtin_expect(r->start == r->end, 0))
        return gofer_reader_next_byte(r);
    return r->last_byte = (unsigned char)r->buffer[r->start++];
}

GOFER_INLINE int go_writer_write_byte(go_writer *w, int byte)
{
    if (__builtin_expect(!w->buffer || w->used == w->capacity || w->error, 0))
        return gofer_writer_next_byte(w, byte);
    w->buffer[w->used++] = (char)byte;
    return 0;
}

GOFER_END
#endif
