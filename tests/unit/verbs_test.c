/* Every public verb that takes plain arguments works as fn in go and in go_defer. A row each;
 * verb_list_test.sh compares the rows with the headers. */
#include "unit.h"

#include <signal.h>
#include <stdarg.h>

static go_chan(int) ints, closed_by_go, closed_by_defer;
static go_chan(go_unit) units;
static go_mutex by_go, by_defer, tried;
static go_waitgroup counted, empty;
static go_once once;
static go_cond idle;
static go_rwmutex written_by_go, written_by_defer, read_by_all, write_tried;
static go_context *cancelled;
static go_fd *closed, *pipe_by_go[2], *pipe_by_defer[2];
static go_semaphore semaphore = GO_SEMAPHORE(1);
static go_waitgroup group;
static go_errgroup errgroup;
static go_singleflight flights;
static void add_one(void *count);
static void *get_key(void *unused);
static int onces_by_func, spawned_in_group;
static go_once_func func = { .fn = add_one, .arg = &onces_by_func };
static go_once_value value = { .fn = get_key };
static go_pool pool;
static go_case cases[1] = { { .kind = GO_CASE_DEFAULT } };
static int spawned, onces;
static const char key;
static const go_address nowhere;
static go_reader reader;
static go_writer writer;
static const go_source no_source;
static const go_sink no_sink;
static go_cmd command;
static const go_process_state state;

static void add_one(void *count)
{
    __atomic_fetch_add((int *)count, 1, __ATOMIC_RELAXED);
}

static void *get_key(void *unused)
{
    (void)unused;
    return NULL;
}

static int succeeds(void *unused)
{
    (void)unused;
    return 0;
}

static int returns(int argc, char **argv)
{
    (void)argv;
    return argc;
}

enum { TEXT = 100 };

/* Copies the text: it is gone with the deferred call. */
static void recovers(char *text)
{
    const go_panic_value *value = go_recover();
    snprintf(text, TEXT, "%s", value ? value->text : "nothing");
}

/* In go: a goroutine. In go_defer: it runs at the block's end. */
#define PLAIN(verb, ...)                           \
    static void verb##_row(void)                   \
    {                                              \
        go(verb __VA_OPT__(, ) __VA_ARGS__);       \
        go_defer(verb __VA_OPT__(, ) __VA_ARGS__); \
    }

/* One call for each, on objects of their own. */
#define APART(verb, in_go, in_defer) \
    static void verb##_row(void)     \
    {                                \
        go(verb, in_go);             \
        go_defer(verb, in_defer);    \
    }

/* A panic: a goroutine of its own would end the process, so that one is only compiled. */
#define PANICS(verb, expected, ...)      \
    static void verb##_raise(char *text) \
    {                                    \
        go_recoverable();                \
        go_defer(recovers, text);        \
        go_defer(verb, __VA_ARGS__);     \
        if (!text)                       \
            go(verb, __VA_ARGS__);       \
    }                                    \
    static void verb##_row(void)         \
    {                                    \
        char text[TEXT] = "";            \
        verb##_raise(text);              \
        CHECK_TEXT(text, expected);      \
    }

/* Ends the process, blocks, or wants an object to itself: compiled alone. */
#define COMPILES(verb, ...)                            \
    static void verb##_row(void)                       \
    {                                                  \
        if (!ints) {                                   \
            go(verb __VA_OPT__(, ) __VA_ARGS__);       \
            go_defer(verb __VA_OPT__(, ) __VA_ARGS__); \
        }                                              \
    }

/* Takes a va_list, which aarch64 passes by address: go cannot hand it over there. */
#define LISTED(verb, ...)        \
    static void verb##_row(void) \
    {                            \
    }

/* Buffers and processes. */
#define BUFFER_ROWS                                                          \
    ROW(PLAIN, go_fd_sink, NULL)                                             \
    ROW(PLAIN, go_fd_source, NULL)                                           \
    ROW(COMPILES, go_reader_buffered, &reader)                               \
    ROW(COMPILES, go_reader_discard, &reader, (size_t)1)                     \
    ROW(COMPILES, go_reader_free, &reader)                                   \
    ROW(COMPILES, go_reader_init, &reader, no_source, (size_t)0)             \
    ROW(COMPILES, go_reader_init_in, &reader, no_source, NULL, (size_t)0)    \
    ROW(COMPILES, go_reader_peek, &reader, (size_t)1, NULL)                  \
    ROW(COMPILES, go_reader_read, &reader, NULL, (size_t)0)                  \
    ROW(COMPILES, go_reader_read_byte, &reader)                              \
    ROW(COMPILES, go_reader_read_full, &reader, NULL, (size_t)0)             \
    ROW(COMPILES, go_reader_read_line, &reader, NULL)                        \
    ROW(COMPILES, go_reader_read_slice, &reader, 'x', NULL)                  \
    ROW(COMPILES, go_reader_read_until, &reader, 'x', NULL, NULL, (size_t)0) \
    ROW(COMPILES, go_reader_reset, &reader, no_source)                       \
    ROW(COMPILES, go_reader_set_context, &reader, NULL)                      \
    ROW(COMPILES, go_reader_set_longest_line, &reader, (size_t)9)            \
    ROW(COMPILES, go_reader_unread_byte, &reader)                            \
    ROW(COMPILES, go_writer_available, &writer)                              \
    ROW(COMPILES, go_writer_buffered, &writer)                               \
    ROW(COMPILES, go_writer_error, &writer)                                  \
    ROW(COMPILES, go_writer_flush, &writer)                                  \
    ROW(COMPILES, go_writer_free, &writer)                                   \
    ROW(COMPILES, go_writer_init, &writer, no_sink, (size_t)0)               \
    ROW(COMPILES, go_writer_init_in, &writer, no_sink, NULL, (size_t)0)      \
    ROW(COMPILES, go_writer_printf, &writer, "%d", 7)                        \
    ROW(COMPILES, go_writer_reset, &writer, no_sink)                         \
    ROW(COMPILES, go_writer_set_context, &writer, NULL)                      \
    ROW(LISTED, go_writer_vprintf)                                           \
    ROW(COMPILES, go_writer_write, &writer, NULL, (size_t)0)                 \
    ROW(COMPILES, go_writer_write_byte, &writer, 'x')                        \
    ROW(COMPILES, go_writer_write_string, &writer, "x")                      \
    ROW(COMPILES, go_cmd_combined_output, &command, NULL, NULL)              \
    ROW(COMPILES, go_cmd_combined_output_ctx, NULL, &command, NULL, NULL)    \
    ROW(PLAIN, go_cmd_kill, &command)                                        \
    ROW(COMPILES, go_cmd_output, &command, NULL, NULL)                       \
    ROW(COMPILES, go_cmd_output_ctx, NULL, &command, NULL, NULL)             \
    ROW(PLAIN, go_cmd_run, &command)                                         \
    ROW(PLAIN, go_cmd_run_ctx, cancelled, &command)                          \
    ROW(PLAIN, go_cmd_signal, &command, SIGURG)                              \
    ROW(PLAIN, go_cmd_start, &command)                                       \
    ROW(PLAIN, go_cmd_start_ctx, cancelled, &command)                        \
    ROW(PLAIN, go_cmd_stderr_pipe, &command)                                 \
    ROW(PLAIN, go_cmd_stdin_pipe, &command)                                  \
    ROW(PLAIN, go_cmd_stdout_pipe, &command)                                 \
    ROW(PLAIN, go_cmd_wait, &command)                                        \
    ROW(PLAIN, go_cmd_wait_ctx, NULL, &command)                              \
    ROW(COMPILES, go_look_path, "sh")                                        \
    ROW(COMPILES, go_process_state_string, &state, NULL, (size_t)0)

/* Descriptors; one that is closed blocks nobody. */
#define FD_ROWS                                                           \
    ROW(PLAIN, go_fd_accept, closed, NULL, NULL)                          \
    ROW(PLAIN, go_fd_accept_ctx, cancelled, closed, NULL, NULL)           \
    ROW(PLAIN, go_fd_close, closed)                                       \
    ROW(PLAIN, go_fd_connect, closed, NULL, 0U)                           \
    ROW(PLAIN, go_fd_connect_ctx, cancelled, closed, NULL, 0U)            \
    ROW(PLAIN, go_fd_new, -1)                                             \
    ROW(PLAIN, go_fd_number, closed)                                      \
    ROW(APART, go_fd_pipe, pipe_by_go, pipe_by_defer)                     \
    ROW(PLAIN, go_fd_pread, closed, NULL, (size_t)0, (off_t)0)            \
    ROW(PLAIN, go_fd_pwrite, closed, NULL, (size_t)0, (off_t)0)           \
    ROW(PLAIN, go_fd_read, closed, NULL, (size_t)0)                       \
    ROW(PLAIN, go_fd_read_ctx, cancelled, closed, NULL, (size_t)0)        \
    ROW(PLAIN, go_fd_read_full, closed, NULL, (size_t)0)                  \
    ROW(PLAIN, go_fd_read_full_ctx, cancelled, closed, NULL, (size_t)0)   \
    ROW(PLAIN, go_fd_readv, closed, NULL, 0)                              \
    ROW(PLAIN, go_fd_readv_ctx, cancelled, closed, NULL, 0)               \
    ROW(PLAIN, go_fd_recvmsg, closed, NULL, 0)                            \
    ROW(PLAIN, go_fd_recvmsg_ctx, cancelled, closed, NULL, 0)             \
    ROW(PLAIN, go_fd_ref, closed)                                         \
    ROW(PLAIN, go_fd_release, closed)                                     \
    ROW(PLAIN, go_fd_sendfile, closed, 0, NULL, (size_t)0)                \
    ROW(PLAIN, go_fd_sendfile_ctx, cancelled, closed, 0, NULL, (size_t)0) \
    ROW(PLAIN, go_fd_splice, closed, closed, (size_t)0)                   \
    ROW(PLAIN, go_fd_splice_ctx, cancelled, closed, closed, (size_t)0)    \
    ROW(PLAIN, go_fd_sendmsg, closed, NULL, 0)                            \
    ROW(PLAIN, go_fd_sendmsg_ctx, cancelled, closed, NULL, 0)             \
    ROW(PLAIN, go_fd_set_deadline, closed, GO_READABLE, (int64_t)0)       \
    ROW(PLAIN, go_fd_shutdown, closed, 0)                                 \
    ROW(COMPILES, go_fd_socketpair, 1, 1, 0, pipe_by_go)                  \
    ROW(PLAIN, go_fd_unref, closed)                                       \
    ROW(PLAIN, go_fd_wait, closed, GO_READABLE)                           \
    ROW(PLAIN, go_fd_wait_ctx, cancelled, closed, GO_READABLE)            \
    ROW(PLAIN, go_fd_write, closed, NULL, (size_t)0)                      \
    ROW(PLAIN, go_fd_write_ctx, cancelled, closed, NULL, (size_t)0)       \
    ROW(PLAIN, go_fd_writev, closed, NULL, 0)                             \
    ROW(PLAIN, go_fd_writev_ctx, cancelled, closed, NULL, 0)

/* Contexts and scopes. */
#define CONTEXT_ROWS                                                                     \
    ROW(PLAIN, go_context_background)                                                    \
    ROW(PLAIN, go_context_cancel, cancelled)                                             \
    ROW(PLAIN, go_context_cancel_cause, cancelled, 7, "%d of %d", 7, 8)                  \
    ROW(PLAIN, go_context_cause, NULL)                                                   \
    ROW(PLAIN, go_context_cause_text, NULL)                                              \
    ROW(PLAIN, go_context_deadline, NULL, NULL)                                          \
    ROW(PLAIN, go_context_done, NULL)                                                    \
    ROW(PLAIN, go_context_end, NULL)                                                     \
    ROW(PLAIN, go_context_err, NULL)                                                     \
    ROW(PLAIN, go_context_err_text, NULL)                                                \
    ROW(PLAIN, go_context_ref, NULL)                                                     \
    ROW(COMPILES, go_context_string, NULL, NULL, (size_t)0)                              \
    ROW(PLAIN, go_context_todo)                                                          \
    ROW(PLAIN, go_context_unref, NULL)                                                   \
    ROW(PLAIN, go_context_value, NULL, &key)                                             \
    ROW(PLAIN, go_context_wait, cancelled)                                               \
    ROW(COMPILES, go_context_with_cancel, NULL)                                          \
    ROW(COMPILES, go_context_with_cancel_cause, NULL)                                    \
    ROW(COMPILES, go_context_with_deadline, NULL, (int64_t)1)                            \
    ROW(COMPILES, go_context_with_deadline_cause, NULL, (int64_t)1, 7, "late")           \
    ROW(COMPILES, go_context_with_timeout, NULL, GO_HOUR)                                \
    ROW(COMPILES, go_context_with_timeout_cause, NULL, GO_HOUR, 7, "late")               \
    ROW(COMPILES, go_context_with_value, NULL, &key, NULL)                               \
    ROW(COMPILES, go_context_without_cancel, NULL)                                       \
    ROW(COMPILES, go_context_after_func, NULL, add_one, &spawned)                        \
    ROW(PLAIN, go_context_after_free, NULL)                                              \
    ROW(COMPILES, go_context_after_stop, NULL)                                           \
    ROW(PLAIN, go_sleep_ctx, cancelled, GO_HOUR)                                         \
    ROW(PLAIN, go_mutex_lock_ctx, cancelled, &tried)                                     \
    ROW(PLAIN, go_rwmutex_lock_ctx, cancelled, &read_by_all)                             \
    ROW(PLAIN, go_rwmutex_rlock_ctx, cancelled, &read_by_all)                            \
    ROW(PLAIN, go_waitgroup_wait_ctx, cancelled, &empty)                                 \
    ROW(COMPILES, go_cond_wait_ctx, NULL, &idle)                                         \
    ROW(PLAIN, go_semaphore_acquire_ctx, cancelled, &semaphore, 0)                       \
    ROW(COMPILES, go_errgroup_with_context, &errgroup, NULL)                             \
    ROW(COMPILES, go_singleflight_do_ctx, NULL, &flights, "key", NULL, NULL, NULL, NULL) \
    ROW(COMPILES, go_scope_cancel, NULL)                                                 \
    ROW(COMPILES, go_scope_context, NULL)                                                \
    ROW(COMPILES, go_scope_spawn, NULL, succeeds, NULL)                                  \
    ROW(COMPILES, go_scope_wait, NULL)

/* Connections. */
#define NET_ROWS                                                                    \
    ROW(PLAIN, go_address_equal, &nowhere, &nowhere)                                \
    ROW(COMPILES, go_address_host, NULL, NULL, (size_t)0)                           \
    ROW(PLAIN, go_address_port, &nowhere)                                           \
    ROW(COMPILES, go_address_string, NULL, NULL, (size_t)0)                         \
    ROW(COMPILES, go_conn_close, NULL)                                              \
    ROW(COMPILES, go_conn_close_read, NULL)                                         \
    ROW(COMPILES, go_conn_close_write, NULL)                                        \
    ROW(COMPILES, go_conn_fd, NULL)                                                 \
    ROW(COMPILES, go_conn_from_fd, NULL)                                            \
    ROW(COMPILES, go_conn_local, NULL)                                              \
    ROW(COMPILES, go_conn_local_address, NULL, NULL, (size_t)0)                     \
    ROW(COMPILES, go_conn_network, NULL)                                            \
    ROW(COMPILES, go_conn_peer_credentials, NULL, NULL)                             \
    ROW(COMPILES, go_conn_read, NULL, NULL, (size_t)0)                              \
    ROW(COMPILES, go_conn_read_ctx, NULL, NULL, NULL, (size_t)0)                    \
    ROW(COMPILES, go_conn_read_from, NULL, NULL, (size_t)0, NULL)                   \
    ROW(COMPILES, go_conn_read_from_ctx, NULL, NULL, NULL, (size_t)0, NULL)         \
    ROW(COMPILES, go_conn_read_full, NULL, NULL, (size_t)0)                         \
    ROW(COMPILES, go_conn_read_full_ctx, NULL, NULL, NULL, (size_t)0)               \
    ROW(COMPILES, go_conn_recv_fds, NULL, NULL, (size_t)0, NULL, 0, NULL)           \
    ROW(COMPILES, go_conn_recv_fds_ctx, NULL, NULL, NULL, (size_t)0, NULL, 0, NULL) \
    ROW(COMPILES, go_conn_ref, NULL)                                                \
    ROW(COMPILES, go_conn_remote, NULL)                                             \
    ROW(COMPILES, go_conn_remote_address, NULL, NULL, (size_t)0)                    \
    ROW(COMPILES, go_conn_send_fds, NULL, NULL, (size_t)0, NULL, 0)                 \
    ROW(COMPILES, go_conn_send_fds_ctx, NULL, NULL, NULL, (size_t)0, NULL, 0)       \
    ROW(COMPILES, go_conn_set_deadline, NULL, (int64_t)0)                           \
    ROW(COMPILES, go_conn_set_keep_alive, NULL, NULL)                               \
    ROW(COMPILES, go_conn_set_linger, NULL, 0)                                      \
    ROW(COMPILES, go_conn_set_no_delay, NULL, 1)                                    \
    ROW(COMPILES, go_conn_set_read_buffer, NULL, 0)                                 \
    ROW(COMPILES, go_conn_set_read_deadline, NULL, (int64_t)0)                      \
    ROW(COMPILES, go_conn_set_write_buffer, NULL, 0)                                \
    ROW(COMPILES, go_conn_set_write_deadline, NULL, (int64_t)0)                     \
    ROW(PLAIN, go_conn_sink, NULL)                                                  \
    ROW(PLAIN, go_conn_source, NULL)                                                \
    ROW(PLAIN, go_conn_unref, NULL)                                                 \
    ROW(COMPILES, go_conn_write, NULL, NULL, (size_t)0)                             \
    ROW(COMPILES, go_conn_write_ctx, NULL, NULL, NULL, (size_t)0)                   \
    ROW(COMPILES, go_conn_write_to, NULL, NULL, (size_t)0, NULL)                    \
    ROW(COMPILES, go_conn_write_to_ctx, NULL, NULL, NULL, (size_t)0, NULL)          \
    ROW(COMPILES, go_conn_writev, NULL, NULL, 0)                                    \
    ROW(COMPILES, go_conn_writev_ctx, NULL, NULL, NULL, 0)                          \
    ROW(PLAIN, go_dial, "tcp", "nowhere")                                           \
    ROW(PLAIN, go_dial_ctx, cancelled, "tcp", "127.0.0.1:1")                        \
    ROW(PLAIN, go_dial_timeout, "tcp", "nowhere", GO_SECOND)                        \
    ROW(PLAIN, go_dialer_dial, NULL, "tcp", "nowhere")                              \
    ROW(PLAIN, go_dialer_dial_ctx, cancelled, NULL, "tcp", "nowhere")               \
    ROW(PLAIN, go_join_host_port, "::1", "80", NULL, (size_t)0)                     \
    ROW(PLAIN, go_listen, "tcp", "nowhere")                                         \
    ROW(PLAIN, go_listen_config_listen, NULL, NULL, "tcp", "nowhere")               \
    ROW(PLAIN, go_listen_config_listen_packet, NULL, NULL, "udp", "nowhere")        \
    ROW(PLAIN, go_listen_packet, "udp", "nowhere")                                  \
    ROW(COMPILES, go_listener_accept, NULL)                                         \
    ROW(COMPILES, go_listener_accept_ctx, NULL, NULL)                               \
    ROW(COMPILES, go_listener_address, NULL, NULL, (size_t)0)                       \
    ROW(COMPILES, go_listener_close, NULL)                                          \
    ROW(COMPILES, go_listener_fd, NULL)                                             \
    ROW(COMPILES, go_listener_local, NULL)                                          \
    ROW(COMPILES, go_listener_ref, NULL)                                            \
    ROW(COMPILES, go_listener_set_deadline, NULL, (int64_t)0)                       \
    ROW(COMPILES, go_listener_set_unlink_on_close, NULL, 0)                         \
    ROW(PLAIN, go_listener_unref, NULL)                                             \
    ROW(PLAIN, go_lookup_host, "127.0.0.1", NULL, 0)                                \
    ROW(PLAIN, go_lookup_host_ctx, cancelled, "localhost", NULL, 0)                 \
    ROW(PLAIN, go_net_error)                                                        \
    ROW(PLAIN, go_resolve_address, "tcp", "nowhere", NULL)                          \
    ROW(PLAIN, go_resolve_address_ctx, NULL, "tcp", "nowhere", NULL)                \
    ROW(PLAIN, go_split_host_port, "nowhere", NULL, (size_t)0, NULL, (size_t)0)

#define ROWS                                                                   \
    BUFFER_ROWS                                                                \
    CONTEXT_ROWS                                                               \
    NET_ROWS                                                                   \
    FD_ROWS                                                                    \
    ROW(PLAIN, go_after, (go_duration)1)                                       \
    ROW(PLAIN, go_after_func, GO_HOUR, add_one, &spawned)                      \
    ROW(PLAIN, go_duration_abs, -GO_SECOND)                                    \
    ROW(PLAIN, go_duration_hours, GO_SECOND)                                   \
    ROW(PLAIN, go_duration_microseconds, GO_SECOND)                            \
    ROW(PLAIN, go_duration_milliseconds, GO_SECOND)                            \
    ROW(PLAIN, go_duration_minutes, GO_SECOND)                                 \
    ROW(PLAIN, go_duration_nanoseconds, GO_SECOND)                             \
    ROW(COMPILES, go_duration_parse, "1s", NULL)                               \
    ROW(COMPILES, go_duration_parse_error, "", NULL, (size_t)0)                \
    ROW(PLAIN, go_duration_round, GO_SECOND, GO_MILLISECOND)                   \
    ROW(PLAIN, go_duration_seconds, GO_SECOND)                                 \
    ROW(COMPILES, go_duration_string, GO_SECOND, NULL, (size_t)0)              \
    ROW(PLAIN, go_duration_truncate, GO_SECOND, GO_MILLISECOND)                \
    ROW(COMPILES, go_tick, GO_HOUR)                                            \
    ROW(COMPILES, go_ticker_chan, NULL)                                        \
    ROW(COMPILES, go_ticker_free, NULL)                                        \
    ROW(COMPILES, go_ticker_new, GO_HOUR)                                      \
    ROW(COMPILES, go_ticker_reset, NULL, GO_HOUR)                              \
    ROW(COMPILES, go_ticker_stop, NULL)                                        \
    ROW(COMPILES, go_timer_chan, NULL)                                         \
    ROW(COMPILES, go_timer_free, NULL)                                         \
    ROW(COMPILES, go_timer_new, GO_HOUR)                                       \
    ROW(COMPILES, go_timer_reset, NULL, GO_HOUR)                               \
    ROW(COMPILES, go_timer_stop, NULL)                                         \
    ROW(PLAIN, go_blocking_begin)                                              \
    ROW(PLAIN, go_blocking_end)                                                \
    ROW(COMPILES, go_caller, 0, NULL)                                          \
    ROW(COMPILES, go_callers, 0, NULL, (size_t)0)                              \
    ROW(COMPILES, go_frames, (uintptr_t)0, NULL, (size_t)0)                    \
    ROW(COMPILES, go_metrics_all, NULL)                                        \
    ROW(PLAIN, go_metrics_read, NULL, (size_t)0)                               \
    ROW(COMPILES, go_print_stack)                                              \
    ROW(PLAIN, go_set_max_stack, (size_t)0)                                    \
    ROW(PLAIN, go_set_traceback, "single")                                     \
    ROW(PLAIN, go_stack, NULL, (size_t)0, 0)                                   \
    ROW(PLAIN, go_cap, ints)                                                   \
    ROW(PLAIN, go_chan_ref, ints)                                              \
    ROW(PLAIN, go_chan_unref, ints)                                            \
    ROW(PLAIN, go_cond_broadcast, &idle)                                       \
    ROW(PLAIN, go_cond_signal, &idle)                                          \
    ROW(COMPILES, go_cond_wait, &idle)                                         \
    ROW(COMPILES, go_errgroup_set_limit, &errgroup, 1)                         \
    ROW(PLAIN, go_errgroup_spawn, &errgroup, succeeds, NULL)                   \
    ROW(PLAIN, go_errgroup_try_spawn, &errgroup, succeeds, NULL)               \
    ROW(COMPILES, go_errgroup_wait, &errgroup)                                 \
    ROW(PLAIN, go_once_func_call, &func)                                       \
    ROW(COMPILES, go_once_func_destroy, &func)                                 \
    ROW(COMPILES, go_once_value_destroy, &value)                               \
    ROW(PLAIN, go_once_value_get, &value)                                      \
    ROW(COMPILES, go_pool_drain, &pool)                                        \
    ROW(PLAIN, go_pool_get, &pool)                                             \
    ROW(PLAIN, go_pool_put, &pool, NULL)                                       \
    ROW(APART, go_rwmutex_lock, &written_by_go, &written_by_defer)             \
    ROW(PLAIN, go_rwmutex_rlock, &read_by_all)                                 \
    ROW(PLAIN, go_rwmutex_runlock, &read_by_all)                               \
    ROW(PLAIN, go_rwmutex_trylock, &write_tried)                               \
    ROW(PLAIN, go_rwmutex_tryrlock, &read_by_all)                              \
    ROW(APART, go_rwmutex_unlock, &written_by_go, &written_by_defer)           \
    ROW(PLAIN, go_semaphore_acquire, &semaphore, 0)                            \
    ROW(COMPILES, go_semaphore_init, &semaphore, 1)                            \
    ROW(PLAIN, go_semaphore_release, &semaphore, 0)                            \
    ROW(PLAIN, go_semaphore_try_acquire, &semaphore, 0)                        \
    ROW(COMPILES, go_singleflight_do, &flights, "key", NULL, NULL, NULL, NULL) \
    ROW(COMPILES, go_singleflight_do_chan, &flights, "key", NULL, NULL)        \
    ROW(PLAIN, go_singleflight_forget, &flights, "key")                        \
    ROW(PLAIN, go_waitgroup_spawn, &group, add_one, &spawned_in_group)         \
    ROW(APART, go_close, closed_by_go, closed_by_defer)                        \
    ROW(COMPILES, go_fatal, "never")                                           \
    ROW(PLAIN, go_goexit)                                                      \
    ROW(PLAIN, go_goid)                                                        \
    ROW(PLAIN, go_gomaxprocs, 3)                                               \
    ROW(PLAIN, go_gosched)                                                     \
    ROW(PLAIN, go_len, ints)                                                   \
    ROW(PLAIN, go_local_get, &key)                                             \
    ROW(PLAIN, go_local_set, &key, NULL, NULL)                                 \
    ROW(PLAIN, go_lock_os_thread)                                              \
    ROW(APART, go_mutex_lock, &by_go, &by_defer)                               \
    ROW(PLAIN, go_mutex_trylock, &tried)                                       \
    ROW(APART, go_mutex_unlock, &by_go, &by_defer)                             \
    ROW(PLAIN, go_now)                                                         \
    ROW(PLAIN, go_num_cpu)                                                     \
    ROW(PLAIN, go_num_goroutine)                                               \
    ROW(PLAIN, go_on_fatal, NULL)                                              \
    ROW(PLAIN, go_once_do, &once, add_one, &onces)                             \
    ROW(PANICS, go_panic, "7 of 8", "%d of %d", 7, 8)                          \
    ROW(PANICS, go_panic_bool, "true", 1)                                      \
    ROW(PANICS, go_panic_error, "no 7", 7, "no %d", 7)                         \
    ROW(PANICS, go_panic_float, "1.5", 1.5)                                    \
    ROW(PANICS, go_panic_int, "-7", -7)                                        \
    ROW(PANICS, go_panic_pointer, "(pointer) 0x10", (void *)16)                \
    ROW(PANICS, go_panic_uint, "7", 7u)                                        \
    ROW(PANICS, go_repanic, "again", &again)                                   \
    ROW(PLAIN, go_run, returns, 3, NULL)                                       \
    ROW(PLAIN, go_select_array, cases, (size_t)1)                              \
    ROW(PLAIN, go_set_max_threads, 0)                                          \
    ROW(PLAIN, go_set_panic_on_fault, 0)                                       \
    ROW(PLAIN, go_shutdown, (go_duration)0)                                    \
    ROW(PLAIN, go_signal, units)                                               \
    ROW(PLAIN, go_signal_ignore, SIGURG, 0)                                    \
    ROW(PLAIN, go_signal_ignored, SIGURG)                                      \
    ROW(COMPILES, go_signal_notify, ints, SIGURG, 0)                           \
    ROW(COMPILES, go_signal_notify_context, NULL, SIGURG, 0)                   \
    ROW(PLAIN, go_signal_reset, SIGURG, 0)                                     \
    ROW(PLAIN, go_signal_stop, ints)                                           \
    ROW(COMPILES, go_signal_string, SIGURG, NULL, (size_t)0)                   \
    ROW(PLAIN, go_sleep, GO_NANOSECOND)                                        \
    ROW(PLAIN, go_spawn, add_one, &spawned)                                    \
    ROW(PLAIN, go_spawn_with, NULL, add_one, &spawned)                         \
    ROW(PLAIN, go_thread_ignore)                                               \
    ROW(PLAIN, go_unlock_os_thread)                                            \
    ROW(PLAIN, go_version)                                                     \
    ROW(PLAIN, go_waitgroup_add, &counted, 2)                                  \
    ROW(PLAIN, go_waitgroup_done, &counted)                                    \
    ROW(PLAIN, go_waitgroup_wait, &empty)

static const go_panic_value again = { .kind = GO_VALUE_TEXT, .text = "again" };

#define ROW(kind, verb, ...) kind(verb __VA_OPT__(, ) __VA_ARGS__)
ROWS
#undef ROW

    static const struct {
    const char *name;
    void (*run)(void);
} rows[] = {
#define ROW(kind, verb, ...) { #verb, verb##_row },
    ROWS
#undef ROW
};

static void run_row(void (*run)(void), go_waitgroup *wg)
{
    go_defer(go_waitgroup_done, wg); /* also where the row ends the goroutine */
    run();
}

int go_main(int argc, char **argv)
{
    cancelled = go_context_with_cancel(NULL);
    go_context_cancel(cancelled);
    CHECK(go_fd_pipe(pipe_by_go), 0);
    closed = go_fd_ref(go_fd_ref(pipe_by_go[0])); /* for the row that gives two back */
    go_fd_close(closed);
    ints = go_chan_make(int, 1);
    for (int i = 0; i < 2; i++)
        go_chan_ref(ints); /* for the row that gives two back */
    go_waitgroup_add(&counted, 2);
    closed_by_go = go_chan_make(int, 1);
    closed_by_defer = go_chan_make(int, 1);
    units = go_chan_make(go_unit, 2);
    go_mutex_lock(&by_go); /* go_mutex_lock's row waits for go_mutex_unlock's */
    go_mutex_lock(&by_defer);
    go_rwmutex_lock(&written_by_go);
    go_rwmutex_lock(&written_by_defer);
    go_rwmutex_rlock(&read_by_all);
    go_rwmutex_rlock(&read_by_all);
    int listed = argc > 1 && !strcmp(argv[1], "--list");
    go_waitgroup wg = { 0 };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (listed) {
            printf("%s\n", rows[i].name);
            continue;
        }
        go_waitgroup_add(&wg, 1);
        go(run_row, rows[i].run, &wg);
    }
    go_waitgroup_wait(&wg);
    if (listed)
        return 0;
    while (go_num_goroutine() > 1)
        go_gosched();
    CHECK(__atomic_load_n(&spawned, __ATOMIC_RELAXED), 4);
    go_waitgroup_wait(&group);
    CHECK(spawned_in_group, 2);
    CHECK(onces_by_func, 1);
    CHECK(go_errgroup_wait(&errgroup), 0);
    CHECK(go_rwmutex_trylock(&written_by_go), 0);
    CHECK(go_rwmutex_trylock(&read_by_all), 0);
    CHECK(go_rwmutex_tryrlock(&read_by_all), 1);
    CHECK(go_rwmutex_trylock(&write_tried), 0);
    CHECK(go_len(units), 2);
    CHECK(go_recv_ok(closed_by_go, NULL), 0);
    CHECK(go_recv_ok(closed_by_defer, NULL), 0);
    CHECK(__atomic_load_n(&onces, __ATOMIC_RELAXED), 1);
    CHECK(go_gomaxprocs(0), 3);
    CHECK(go_mutex_trylock(&by_go), 0); /* locked, unlocked, locked */
    CHECK(go_mutex_trylock(&by_defer), 0);
    CHECK(go_mutex_trylock(&tried), 0);
    go_waitgroup_add(&counted, -4); /* 2 + 2 * 2 - 2; another number panics or blocks */
    go_waitgroup_wait(&counted);
    return 0;
}
