/* What the kernel's header <linux/io_uring.h> calls by longer names, as far as uring.c needs it. It
 * is written out because the header of an old system, or of another libc, lacks parts of it, and
 * the kernel that the program meets is another anyway. */
#ifndef GOFER_SRC_URING_ABI_H
#define GOFER_SRC_URING_ABI_H

#include <stdint.h>

/* The same numbers on every CPU. */
enum { URING_SETUP_CALL = 425, URING_ENTER_CALL = 426 };

enum {
    URING_OP_NOP = 0,
    URING_OP_POLL_ADD = 6,
    URING_OP_ASYNC_CANCEL = 14,
    URING_POLL_MULTISHOT = 1,    /* in uring_sqe.length */
    URING_SQE_SKIP_SUCCESS = 64, /* no completion where it succeeds */
    URING_CQE_MORE = 2,          /* the request goes on */
    URING_SETUP_CQ_SIZE = 8,
    URING_SQ_CQ_OVERFLOW = 2, /* completions wait in the kernel for room */
    URING_ENTER_GET_EVENTS = 1,
    URING_ENTER_EXTENDED_ARGUMENT = 8
};

enum {
    URING_FEATURE_SINGLE_MAP = 1,
    URING_FEATURE_NO_DROP = 2,
    URING_FEATURE_POLL_32_BITS = 64,
    URING_FEATURE_EXTENDED_ARGUMENT = 256,
    URING_FEATURE_SKIP_SUCCESS = 2048
};

enum { URING_MAP_RINGS = 0, URING_MAP_SQES = 0x10000000 };

struct uring_sqe {
    uint8_t operation, flags;
    uint16_t priority;
    int32_t fd;
    uint64_t offset;
    uint64_t address;
    uint32_t length;
    uint32_t events; /* of POLL_ADD; on big-endian machines its halves are swapped */
    uint64_t key;
    uint64_t unused[3];
};

struct uring_cqe {
    uint64_t key;
    int32_t result;
    uint32_t flags;
};

struct uring_parameters {
    uint32_t sq_entries, cq_entries, flags, sq_thread_cpu, sq_thread_idle, features, wq_fd;
    uint32_t reserved[3];
    struct {
        uint32_t head, tail, ring_mask, ring_entries, flags, dropped, array, reserved;
        uint64_t user_address;
    } sq_offsets;
    struct {
        uint32_t head, tail, ring_mask, ring_entries, overflow, cqes, flags, reserved;
        uint64_t user_address;
    } cq_offsets;
};

struct uring_wait_argument {
    uint64_t signal_mask;
    uint32_t signal_mask_size, reserved;
    uint64_t time; /* of a uring_time, or 0 */
};

struct uring_time {
    int64_t seconds, nanoseconds;
};

#endif
