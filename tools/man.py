#!/usr/bin/env python3
"""Writes the man pages of the calls (section 3) and gofer(7) from the public headers' comments.

usage: man.py SOURCE OUT      writes OUT/man3/*.3 and OUT/man7/gofer.7
       man.py SOURCE --check  fails where a public name has no comment, or a page no example

A declaration belongs to the comment right above it; several in a row, with no blank line between,
share one. PAGES says which names stand on one page; a name that is not listed gets a page of its
own. A page's example is examples/man/PAGE.c, which a test compiles and runs.
"""
import pathlib
import re
import sys

# page: (what it is about, the names on it)
PAGES = {
    "go": ("start a goroutine", "go go_start go_with go_spawn go_spawn_with go_options"),
    "go_main": ("main's goroutine", "go_main"),
    "go_run": ("run a function as a goroutine from a program of one's own", "go_run go_shutdown"),
    "go_on_fatal": ("be told of a fatal error", "go_on_fatal"),
    "go_gosched": ("let other goroutines run", "go_gosched"),
    "go_goexit": ("end the calling goroutine", "go_goexit"),
    "go_num_goroutine": ("count goroutines, and tell them apart", "go_num_goroutine go_goid"),
    "go_gomaxprocs": ("how many processors run goroutines", "go_gomaxprocs go_num_cpu"),
    "go_lock_os_thread": ("tie a goroutine to its thread", "go_lock_os_thread go_unlock_os_thread"),
    "go_blocking": ("foreign calls that block, and threads",
                    "go_blocking_begin go_blocking_end go_set_max_threads go_thread_ignore"),
    "go_local": ("values of the calling goroutine", "go_local_set go_local_get"),
    "go_chan": ("channels",
                "go_chan go_elem go_chan_make go_send go_recv go_recv_ok go_try_send go_try_recv "
                "go_range go_close go_len go_cap go_unit go_signal go_chan_ref go_chan_unref"),
    "go_select": ("wait for the first of several channel operations",
                  "go_select go_case_send go_case_recv go_case_recv_ok go_case_after "
                  "go_case_default go_case_as go_select_array go_case"),
    "go_defer": ("calls that run when a block is left", "go_defer"),
    "go_panic": ("panics",
                 "go_panic go_panic_error go_panic_int go_panic_uint go_panic_float "
                 "go_panic_bool go_panic_pointer go_repanic go_panic_value"),
    "go_recover": ("stop a panic", "go_recover go_recoverable"),
    "go_fatal": ("end the process with Go's text", "go_fatal"),
    "go_waitgroup": ("wait for goroutines",
                     "go_waitgroup go_waitgroup_add go_waitgroup_done go_waitgroup_wait"),
    "go_mutex": ("mutual exclusion", "go_mutex go_mutex_lock go_mutex_trylock go_mutex_unlock"),
    "go_once": ("do something once", "go_once go_once_do"),
    "go_sleep": ("sleep, and the clock", "go_sleep go_now go_duration"),
    "go_after": ("a channel that gets a value later", "go_after"),
    "go_timer": ("an event in the future",
                 "go_timer go_timer_new go_after_func go_timer_chan go_timer_stop go_timer_reset "
                 "go_timer_free"),
    "go_ticker": ("an event every so often",
                  "go_ticker go_ticker_new go_ticker_chan go_ticker_stop go_ticker_reset "
                  "go_ticker_free go_tick"),
    "go_duration_string": ("durations as text, rounded, and in other units",
                           "go_duration_string go_duration_parse go_duration_parse_error "
                           "go_duration_round go_duration_truncate "
                           "go_duration_abs go_duration_hours go_duration_minutes "
                           "go_duration_seconds go_duration_milliseconds "
                           "go_duration_microseconds go_duration_nanoseconds"),
    "go_signal_notify": ("signals as values on channels, and contexts that they cancel",
                         "go_signal_notify go_signal_stop go_signal_notify_context go_signal_ignore "
                         "go_signal_reset go_signal_ignored go_signal_string"),
    "go_stack": ("traces as text, and what crashes show",
                 "go_stack go_print_stack go_set_traceback go_set_max_stack"),
    "go_caller": ("who called, with names", "go_caller go_callers go_frames go_frame"),
    "go_metrics_read": ("numbers about the runtime",
                        "go_metrics_read go_metrics_all go_metric_sample go_metric_description"),
    "go_context": ("cancellation, deadlines and values of a task",
                   "go_context go_context_background go_context_todo go_context_with_cancel "
                   "go_context_with_cancel_cause go_context_with_deadline go_context_with_timeout "
                   "go_context_with_deadline_cause go_context_with_timeout_cause "
                   "go_context_with_value go_context_without_cancel go_context_ref "
                   "go_context_unref go_context_end go_context_cancel go_context_cancel_cause "
                   "go_context_err go_context_err_text go_context_cause go_context_cause_text "
                   "go_context_deadline go_context_value go_context_string go_context_done "
                   "go_context_wait"),
    "go_context_after_func": ("a call that runs when a context is cancelled",
                              "go_context_after go_context_after_func go_context_after_stop "
                              "go_context_after_free"),
    "go_sleep_ctx": ("blocking calls that a context cuts short",
                     "go_send_ctx go_recv_ctx go_case_done go_sleep_ctx go_mutex_lock_ctx "
                     "go_rwmutex_lock_ctx go_rwmutex_rlock_ctx go_waitgroup_wait_ctx "
                     "go_cond_wait_ctx go_semaphore_acquire_ctx go_errgroup_with_context "
                     "go_singleflight_do_ctx"),
    "go_scope": ("a block that its goroutines do not outlive",
                 "go_scope go_in go_scope_context go_scope_spawn go_scope_cancel go_scope_wait"),
    "go_dial": ("connect, and why it failed",
                "go_dial go_dial_ctx go_dial_timeout go_dialer go_dialer_dial go_dialer_dial_ctx "
                "go_keep_alive go_net_error"),
    "go_listen": ("listen, and accept connections",
                  "go_listener go_listen go_listen_config go_listen_config_listen "
                  "go_listener_accept go_listener_accept_ctx go_listener_close go_listener_ref "
                  "go_listener_unref go_listener_set_deadline go_listener_set_unlink_on_close "
                  "go_listener_local go_listener_address go_listener_fd"),
    "go_conn": ("connections: read, write, close, deadlines, addresses",
                "go_conn go_conn_from_fd go_conn_ref go_conn_unref go_conn_read go_conn_read_ctx "
                "go_conn_read_full go_conn_read_full_ctx go_conn_write go_conn_write_ctx "
                "go_conn_writev go_conn_writev_ctx go_conn_close go_conn_close_read "
                "go_conn_close_write go_conn_set_deadline go_conn_set_read_deadline "
                "go_conn_set_write_deadline go_conn_local go_conn_remote go_conn_local_address "
                "go_conn_remote_address go_conn_network go_conn_fd go_conn_source go_conn_sink "
                "go_conn_set_no_delay "
                "go_conn_set_keep_alive go_conn_set_linger go_conn_set_read_buffer "
                "go_conn_set_write_buffer"),
    "go_listen_packet": ("packets with addresses",
                         "go_listen_packet go_listen_config_listen_packet go_conn_read_from "
                         "go_conn_read_from_ctx go_conn_write_to go_conn_write_to_ctx"),
    "go_conn_send_fds": ("pass descriptors over unix sockets, and see who is there",
                         "go_conn_send_fds go_conn_send_fds_ctx go_conn_recv_fds "
                         "go_conn_recv_fds_ctx go_credentials go_conn_peer_credentials"),
    "go_address": ("addresses and names of hosts",
                   "go_address go_address_string go_address_host go_address_port "
                   "go_address_equal go_resolve_address go_resolve_address_ctx "
                   "go_split_host_port go_join_host_port go_lookup_host go_lookup_host_ctx"),
    "go_reader": ("buffered reading",
                  "go_reader go_source go_fd_source go_reader_init go_reader_init_in "
                  "go_reader_reset go_reader_free go_reader_set_context "
                  "go_reader_set_longest_line go_reader_read_line go_reader_read_slice "
                  "go_reader_read_until go_reader_read go_reader_read_full go_reader_read_byte "
                  "go_reader_unread_byte go_reader_peek go_reader_discard go_reader_buffered"),
    "go_writer": ("buffered writing",
                  "go_writer go_sink go_fd_sink go_writer_init go_writer_init_in go_writer_reset "
                  "go_writer_free go_writer_set_context go_writer_write go_writer_write_string "
                  "go_writer_write_byte go_writer_printf go_writer_vprintf go_writer_flush "
                  "go_writer_buffered go_writer_available go_writer_error"),
    "go_cmd": ("run other programs",
               "go_cmd go_cmd_start go_cmd_start_ctx go_cmd_wait go_cmd_wait_ctx go_cmd_run "
               "go_cmd_run_ctx go_cmd_output go_cmd_output_ctx go_cmd_combined_output "
               "go_cmd_combined_output_ctx go_cmd_stdin_pipe go_cmd_stdout_pipe "
               "go_cmd_stderr_pipe go_cmd_signal go_cmd_kill go_process_state "
               "go_process_state_string"),
    "go_look_path": ("which file a command runs", "go_look_path"),
    "go_version": ("the library's version", "go_version"),
}

# How a macro is used, where its own parameters do not tell; types whose members are private.
USES = {
    "go": "void go(fn, args...);",
    "go_start": "void go_start(fn, args...);",
    "go_with": "void go_with(const go_options *options, fn, args...);",
    "go_chan": "go_chan(T)",
    "go_elem": "go_elem(channel)",
    "go_chan_make": "go_chan(T) go_chan_make(T, n);",
    "go_signal_notify": "int go_signal_notify(go_chan(int) c, ...);",
    "go_signal_ignore": "void go_signal_ignore(...);",
    "go_signal_reset": "void go_signal_reset(...);",
    "go_send": "void go_send(go_chan(T) c, T v);",
    "go_recv": "T go_recv(go_chan(T) c);",
    "go_recv_ok": "int go_recv_ok(go_chan(T) c, T *p);",
    "go_try_send": "enum go_status go_try_send(go_chan(T) c, T v);",
    "go_try_recv": "enum go_status go_try_recv(go_chan(T) c, T *p);",
    "go_range": "go_range (v, c) { ... }",
    "go_select": "int go_select(cases...);",
    "go_case_send": "go_case go_case_send(go_chan(T) c, T v);",
    "go_case_recv": "go_case go_case_recv(go_chan(T) c, T *p);",
    "go_case_recv_ok": "go_case go_case_recv_ok(go_chan(T) c, T *p, int *ok);",
    "go_case_after": "go_case go_case_after(go_duration d);",
    "go_case_default": "go_case go_case_default;",
    "go_case_as": "go_case go_case_as(int name, go_case case_);",
    "go_defer": "go_defer(fn, args...);",
    "go_send_ctx": "int go_send_ctx(go_context *ctx, go_chan(T) c, T v);",
    "go_recv_ctx": "int go_recv_ctx(go_context *ctx, go_chan(T) c, T *p);",
    "go_case_done": "go_case go_case_done(go_context *ctx);",
    "go_scope": "go_scope (s, go_context *parent, int *error) { ... }",
    "go_in": "void go_in(go_scope *s, fn, args...);",
    "go_mutex": "typedef struct go_mutex go_mutex; /* = { 0 } */",
    "go_once": "typedef struct go_once go_once; /* = { 0 } */",
    "go_waitgroup": "typedef struct go_waitgroup go_waitgroup; /* = { 0 } */",
    "go_reader": "typedef struct go_reader go_reader;",
    "go_writer": "typedef struct go_writer go_writer;",
    "go_unit": "typedef struct go_unit go_unit;",
    "go_recover": "const go_panic_value *go_recover(void);",
    "go_recoverable": "go_recoverable(result);",
    "go_waitgroup_go": "void go_waitgroup_go(go_waitgroup *wg, fn, args...);",
    "go_errgroup_go": "void go_errgroup_go(go_errgroup *group, fn, args...);",
    "go_errgroup_try_go": "int go_errgroup_try_go(go_errgroup *group, fn, args...);",
    "go_map": "typedef go_map(K, V) name; /* = { 0 } */",
    "go_map_clear": "void go_map_clear(go_map(K, V) *m);",
    "go_map_free": "void go_map_free(go_map(K, V) *m);",
    "go_map_load": "int go_map_load(go_map(K, V) *m, K k, V *p);",
    "go_map_store": "int go_map_store(go_map(K, V) *m, K k, V v);",
    "go_map_swap": "int go_map_swap(go_map(K, V) *m, K k, V v, V *p);",
    "go_map_load_or_store": "int go_map_load_or_store(go_map(K, V) *m, K k, V v, V *p);",
    "go_map_load_and_delete": "int go_map_load_and_delete(go_map(K, V) *m, K k, V *p);",
    "go_map_delete": "void go_map_delete(go_map(K, V) *m, K k);",
    "go_map_compare_and_swap": "int go_map_compare_and_swap(go_map(K, V) *m, K k, V old, V v);",
    "go_map_compare_and_delete": "int go_map_compare_and_delete(go_map(K, V) *m, K k, V old);",
    "go_map_range": "go_map_range (m, k, v) { ... }",
}

NAME = re.compile(r"\bgo_\w+|\bgo\b")


def one_line_each(header):
    """The header with each function's declaration on one line; an inline function's as well, in place
    of its definition."""
    header = re.sub(r"^static inline (?:__attribute__\(\(\w+\)\) )?([^;{}]*)\n\{.*?^\}", r"GOFER_API \1;",
                    header, flags=re.S | re.M)
    return re.sub(r"^GOFER_API [^;]*;", lambda m: re.sub(r"\s+", " ", m.group(0)), header, flags=re.M)


def names_of(declaration):
    """The public names that a run of code right under a comment declares."""
    found = []
    for line in re.sub(r"\{[^{}]*\}", "", declaration).splitlines():
        line = re.sub(r"/\*.*?\*/", "", line)
        macro = re.match(r"\s*#define (go_\w+|go\b)", line)
        function = re.match(r"(?:GOFER_API|int) (?:go_chan\([^)]*\)|.*?)[ *]*\b(go_\w+)\(", line)
        alias = re.match(r"(?:typedef .*|\} )\b(go_\w+);", line)
        match = macro or function or alias
        if match and match.group(1) not in found:
            found.append(match.group(1))
    return found


def prototype(name, declaration):
    """name's declaration as one readable text."""
    if name in USES:
        return USES[name]
    struct = re.search(r"typedef (?:struct|enum) \w+ \{(?:[^{}]|\{[^{}]*\})*\} %s;" % name, declaration)
    if struct:
        return struct.group(0)
    function = re.search(r"^(?:GOFER_API )?([^;\n]*\b%s\([^;]*);" % name, declaration, re.M)
    if function:
        text = re.sub(r" (GOFER_PRINTF\(.*\)|__attribute__\(\(.*\)\))", "", function.group(1))
        return text + ";"
    alias = re.search(r"^typedef .*\b%s;" % name, declaration, re.M)
    return alias.group(0) if alias else name


def read_headers(include):
    """[(comment, declaration, names)] in the headers' order, and the names without a comment."""
    items, bare = [], []
    for header in sorted(include.glob("gofer/*.h")):
        text = header.read_text()
        text = one_line_each(re.sub(r"\\\n", " ", text))
        # Runs of lines without a blank line; a struct stays whole.
        for run in re.split(r"\n\s*\n(?![^{}]*\n\})", text):
            pieces = re.split(r"^(/\*.*?\*/)[ \t]*$", run, flags=re.S | re.M)
            if pieces[0].strip():
                bare += names_of(pieces[0])
            for comment, declaration in zip(pieces[1::2], pieces[2::2]):
                names = names_of(declaration)
                if names:
                    items.append((comment, declaration.strip("\n"), names))
    documented = {name for _, _, names in items for name in names}
    # A macro in a function's disguise (it only adds that the call never returns) is the function.
    functions = {name for _, declaration, names in items for name in names
                 if re.search(r"^GOFER_API .*\b%s\(" % name, declaration, re.M)}
    items = [(comment, declaration, [name for name in names if name not in functions or
                                     "GOFER_API" in declaration])
             for comment, declaration, names in items]
    return items, [name for name in bare if name not in documented]


def plain(comment):
    """A comment's text without its stars."""
    text = re.sub(r"^/\*\s?|\s*\*/$", "", comment)
    return re.sub(r"^ \* ?", "", text, flags=re.M).strip()


def escape(text):
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("…", "...")
    text = text.replace("“", '"').replace("”", '"')
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.M)


def prose(text):
    """Paragraphs; what is indented stands as it is; `code` and the library's names in bold."""
    out = []
    for paragraph in re.split(r"\n\s*\n", text):
        if paragraph.startswith("    "):
            out += [".PP", ".EX", escape(paragraph), ".EE"]
            continue
        paragraph = escape(re.sub(r"\s+", " ", paragraph).strip())
        paragraph = re.sub(r"`([^`]*)`|\b((?:go|GO)_\w+)",
                           lambda m: "\\fB%s\\fR" % (m.group(1) or m.group(2)), paragraph)
        # A sentence a line, as man pages are written.
        out += [".PP", re.sub(r"([.:;]) (?=[A-Z\\0-9\-])", r"\1\n", paragraph)]
    return [line for line in out if line][1:]


def example(source, page):
    path = source / "examples" / "man" / (page + ".c")
    return path.read_text().rstrip("\n") if path.exists() else None


def page_text(page, about, names, items, source, head, others):
    mine = [(c, d, [n for n in ns if n in names]) for c, d, ns in items]
    mine = [item for item in mine if item[2]]
    mine.sort(key=lambda item: names.index(item[2][0]))
    listed = [name for _, _, ns in mine for name in ns]
    title = listed if page in listed else [page] + listed
    lines = ['.TH %s 3 %s' % (page.upper(), head), ".SH NAME",
             "%s \\- %s" % (", ".join(dict.fromkeys(title)), escape(about)),
             ".SH SYNOPSIS", ".nf", ".B #include <gofer.h>", ".PP"]
    for _, declaration, ns in mine:
        for name in ns:
            lines += ["\\fB%s\\fR" % escape(line) for line in prototype(name, declaration).splitlines()]
    lines += [".fi", ".SH DESCRIPTION"]
    for comment, _, ns in mine:
        lines += [".TP", ".BR %s" % ' ", " '.join(ns)] + prose(plain(comment))
    code = example(source, page)
    if code:
        lines += [".SH EXAMPLES", ".EX", escape(code), ".EE"]
    lines += [".SH SEE ALSO"]
    lines += [".BR %s (3)," % other for other in others if other != page] + [".BR gofer (7)"]
    return "\n".join(lines) + "\n"


def pages_of(items):
    """PAGES, and a page for each documented name that is on none."""
    pages = {page: (about, names.split()) for page, (about, names) in PAGES.items()}
    listed = {name for _, names in pages.values() for name in names}
    for comment, _, names in items:
        rest = [name for name in names if name not in listed and name not in pages]
        if rest:
            about = re.split(r"[.;:(]", plain(comment))[0].replace("\n", " ").strip()
            pages[rest[0]] = (about[:1].lower() + about[1:], rest)
            listed.update(rest)
    documented = {name for _, _, names in items for name in names}
    return {page: (about, [n for n in names if n in documented])
            for page, (about, names) in pages.items()}


def see_also(page, pages):
    order = list(pages)
    at = order.index(page)
    return sorted(set(order[max(0, at - 2):at + 3]))


def main():
    source = pathlib.Path(sys.argv[1])
    items, bare = read_headers(source / "include")
    pages = pages_of(items)
    if sys.argv[2] == "--check":
        documented = {name for _, _, names in items for name in names}
        problems = ["no comment above %s" % name for name in bare]
        problems += ["tools/man.py lists %s, which no header declares" % name
                     for _, names in PAGES.values() for name in names.split()
                     if name not in documented]
        problems += ["no examples/man/%s.c" % page for page in PAGES if not example(source, page)]
        for problem in problems:
            print(problem)
        sys.exit(1 if problems else 0)
    out = pathlib.Path(sys.argv[2])
    for section in ("man3", "man7"):
        (out / section).mkdir(parents=True, exist_ok=True)
    head = re.search(r"^\.TH \w+ \d (\"[^\"]*\" \"[^\"]*\")", (source / "man/gofer.1").read_text()).group(1)
    head += ' "Library Functions Manual"'
    for page, (about, names) in pages.items():
        text = page_text(page, about, names, items, source, head, see_also(page, pages))
        (out / "man3" / (page + ".3")).write_text(text)
        for name in names:
            if name != page:
                (out / "man3" / (name + ".3")).write_text(".so man3/%s.3\n" % page)
    listing = "\n".join(".TP\n.BR %s (3)\n%s" % (page, escape(about)) for page, (about, _) in pages.items())
    overview = (source / "man/gofer.7").read_text().replace(".\\\" PAGES", listing)
    (out / "man7" / "gofer.7").write_text(overview)


if __name__ == "__main__":
    main()
