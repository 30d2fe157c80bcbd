/* What OpenSSL takes for its network: two buffers of the connection, guarded by its lock, which is
 * held in each call of OpenSSL's. Reading from an empty one is "try again"; writing never waits. */
#include "tls/tls.h"

#include <openssl/bio.h>

enum { LEAST_ROOM = 512 };

static int read_input(BIO *bio, char *buffer, size_t size, size_t *got)
{
    gofer_tls_conn *tls = BIO_get_data(bio);
    size_t left = tls->in_end - tls->in_start;
    BIO_clear_retry_flags(bio);
    *got = left < size ? left : size;
    if (*got == 0) {
        BIO_set_retry_read(bio);
        return 0;
    }
    memcpy(buffer, tls->in + tls->in_start, *got);
    tls->in_start += *got;
    return 1;
}

static bool make_room(struct gofer_tls_bytes *bytes, size_t size)
{
    size_t needed = bytes->length + size, room = bytes->room ? bytes->room : LEAST_ROOM;
    if (needed <= bytes->room)
        return true;
    while (room < needed)
        room *= 2;
    unsigned char *data = realloc(bytes->data, room);
    if (!data)
        return false;
    bytes->data = data;
    bytes->room = room;
    return true;
}

static int write_output(BIO *bio, const char *data, size_t size, size_t *written)
{
    gofer_tls_conn *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    *written = 0;
    if (!make_room(&tls->out, size))
        return 0;
    memcpy(tls->out.data + tls->out.length, data, size);
    tls->out.length += size;
    *written = size;
    return 1;
}

static long control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

/* NULL: out of memory. */
static BIO_METHOD *new_method(void)
{
    BIO_METHOD *made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "gofer");
    if (made && BIO_meth_set_read_ex(made, read_input) &&
        BIO_meth_set_write_ex(made, write_output) && BIO_meth_set_ctrl(made, control))
        return made;
    BIO_meth_free(made);
    return NULL;
}

/* Made at the first use: where several make one, one is kept. NULL: out of memory. */
static BIO_METHOD *the_method(void)
{
    static BIO_METHOD *_Atomic method;
    BIO_METHOD *kept = atomic_load_explicit(&method, memory_order_acquire);
    if (kept)
        return kept;
    BIO_METHOD *made = new_method();
    /* release: pairs with the acquires */
    if (!made || atomic_compare_exchange_strong_explicit(&method, &kept, made, memory_order_acq_rel,
                                                         memory_order_acquire))
        return made;
    BIO_meth_free(made);
    return kept;
}

bool gofer_tls_set_buffers(gofer_tls_conn *tls)
{
    BIO_METHOD *method = the_method();
    BIO *bio = method ? BIO_new(method) : NULL;
    if (!bio)
        return false;
    BIO_set_data(bio, tls);
    BIO_set_init(bio, 1);
    SSL_set_bio(tls->ssl, bio, bio); /* takes the one reference for both */
    return true;
}
