/* Sleeping, the clock, timers, tickers, and durations as text. Go's package time, by the rules that
 * hold since 1.23.
 *
 * A duration is a number of nanoseconds. Times are those of the monotonic clock. Every call may be
 * made from goroutines and from plain threads, and on one timer or ticker from several at a time,
 * but for the free calls. None blocks but go_sleep. The clock's value that a timer or ticker sends
 * is that of the time at which it was due, however late somebody looks. A pending timer or ticker
 * on whose channel nobody waits keeps no program alive: the deadlock report comes all the same.
 * SPDX-License-Identifier: MIT */
#ifndef GOFER_TIME_H
#define GOFER_TIME_H

#include <gofer/base.h>
#include <gofer/chan.h>

/* A timer: one event in the future. Made by go_timer_new and go_after_func. Go: time.Timer. */
typedef struct go_timer go_timer;

/* A ticker: an event every so often. Made by go_ticker_new. Go: time.Ticker. */
typedef struct go_ticker go_ticker;

GOFER_BEGIN

/* Blocks the goroutine or plain thread for at least d; d <= 0 returns at once. Go: time.Sleep. */
GOFER_API void go_sleep(go_duration d);

/* Nanoseconds of the monotonic clock. Never blocks. */
GOFER_API int64_t go_now(void);

/* A channel that gets the clock's value once, after d. The caller owns the reference and gives it
 * back with go_chan_unref, before or after. NULL and ENOMEM where memory is short. In a select,
 * go_case_after does the same without allocating. Go: time.After. */
GOFER_API go_chan(int64_t) go_after(go_duration d);

/* A timer that sends the clock's value on its channel once, after d (d <= 0: at once). The caller
 * frees it with go_timer_free. Does not block. NULL and ENOMEM where memory is short.
 * Go: time.NewTimer. */
GOFER_API go_timer *go_timer_new(go_duration d);

/* A timer that runs fn(arg) in a goroutine of its own after d (d <= 0: at once). It has no channel.
 * Freed with go_timer_free, which fn may do too; freed early, it does not run. While it is pending
 * there is no deadlock, and go_shutdown waits. Does not block. NULL and ENOMEM where memory is
 * short; fn == NULL is fatal: "go of nil func value". Go: time.AfterFunc. */
GOFER_API go_timer *go_after_func(go_duration d, void (*fn)(void *), void *arg);

/* The timer's channel. It lives as long as the timer, and longer for who took a reference with
 * go_chan_ref. It looks unbuffered: go_len and go_cap are 0. A timer that expired while nobody
 * waited is received at once. Never closed. NULL for NULL and for go_after_func's timers.
 * Go: Timer.C. */
GOFER_API go_chan(int64_t) go_timer_chan(go_timer *t);

/* Stops the timer. 1: it was active, and neither sends nor runs fn; 0: it was stopped, its value
 * received, or fn started (which stop does not wait for). A value that it sent and nobody
 * received is withdrawn and counts as active: no receive that begins after gets one. Does not
 * block. NULL panics: "time: Stop called on uninitialized Timer". Go: Timer.Stop. */
GOFER_API int go_timer_stop(go_timer *t);

/* Sets the timer to expire d from now, whatever it did before. 1: it was active, 0: it was not, as
 * of go_timer_stop; no earlier value is received any more. Does not block. -1 and ENOMEM where
 * memory is short: the timer is stopped. NULL panics: "time: Reset called on uninitialized
 * Timer". Go: Timer.Reset. */
GOFER_API int go_timer_reset(go_timer *t, go_duration d);

/* Stops and frees the timer; its channel too, unless somebody took a reference. No other call on it
 * may be in progress; nobody may wait on the channel. Does not block. NULL does nothing. */
GOFER_API void go_timer_free(go_timer *t);

/* A ticker that sends the clock's value on its channel every d. Ticks that a slow receiver did not
 * take are dropped. The caller frees it with go_ticker_free. Does not block. NULL and ENOMEM where
 * memory is short. d <= 0 panics: "non-positive interval for NewTicker". Go: time.NewTicker. */
GOFER_API go_ticker *go_ticker_new(go_duration d);

/* The ticker's channel, by the rules of go_timer_chan. Go: Ticker.C. */
GOFER_API go_chan(int64_t) go_ticker_chan(go_ticker *t);

/* Stops the ticker: no receive that begins after gets a tick. The channel stays open. Does not
 * block. NULL does nothing. Go: Ticker.Stop. */
GOFER_API void go_ticker_stop(go_ticker *t);

/* Makes the ticker tick every d from now on, also one that was stopped; an earlier tick is received
 * no more. 0; -1 and ENOMEM where memory is short: the ticker is stopped. Does not block. Panics:
 * d <= 0: "non-positive interval for Ticker.Reset"; NULL: "time: Reset called on uninitialized
 * Ticker". Go: Ticker.Reset. */
GOFER_API int go_ticker_reset(go_ticker *t, go_duration d);

/* Stops and frees the ticker, by the rules of go_timer_free. NULL does nothing. */
GOFER_API void go_ticker_free(go_ticker *t);

/* The channel of a ticker that nobody stops. The caller owns the reference; once it was given back
 * with go_chan_unref, the ticker ends by itself. Does not block. NULL for d <= 0; NULL and ENOMEM
 * where memory is short. Go: time.Tick. */
GOFER_API go_chan(int64_t) go_tick(go_duration d);

/* Room for any duration's text and its final zero. */
#define GO_DURATION_ROOM 32

/* Writes d as text: "1h2m3.5s", "1.5ms", "2µs" (in UTF-8), "0s"; with a final zero, at most size
 * bytes, cut if need be. Returns buf. Go: Duration.String. */
GOFER_API char *go_duration_string(go_duration d, char *buf, size_t size);

/* Reads a duration: numbers with a unit each ("1h15m30.5s", "-1.5h", "300ms"), the units being ns,
 * us, µs, ms, s, m and h; "0" needs none. 0 and *d; -1 and EINVAL, *d as it was, where it is none
 * or too long for 64 bits. Go: time.ParseDuration. */
GOFER_API int go_duration_parse(const char *text, go_duration *d);

/* Writes what is wrong with a text that go_duration_parse refused, as Go says it: `time: invalid
 * duration "x"`; an empty text where nothing is. With a final zero, at most size bytes, cut if need
 * be. Returns buf. Go: the error of time.ParseDuration. */
GOFER_API char *go_duration_parse_error(const char *text, char *buf, size_t size);

/* The nearest multiple of m, halves away from zero, within the limits of 64 bits; or the next one
 * towards zero. d itself for m <= 0. Go: Duration.Round, Duration.Truncate. */
GOFER_API go_duration go_duration_round(go_duration d, go_duration m);
GOFER_API go_duration go_duration_truncate(go_duration d, go_duration m);

/* The length without its sign; the longest duration for the most negative. Go: Duration.Abs. */
GOFER_API go_duration go_duration_abs(go_duration d);

/* d in other units, with a fraction, or cut towards zero. Go: Duration.Hours and so on. */
GOFER_API double go_duration_hours(go_duration d);
GOFER_API double go_duration_minutes(go_duration d);
GOFER_API double go_duration_seconds(go_duration d);
GOFER_API int64_t go_duration_milliseconds(go_duration d);
GOFER_API int64_t go_duration_microseconds(go_duration d);
GOFER_API int64_t go_duration_nanoseconds(go_duration d);

GOFER_END

#ifdef __cplusplus
#include <gofer/cxx/time.h>
#endif
#endif
