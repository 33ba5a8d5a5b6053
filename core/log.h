/* Log, progress and cancellation.
 *
 * Library code reports to a sink; without one it is silent. Only the program installs one. A record is one line of
 * text; progress is a report of how far a phase has come, and a sink draws it as it likes. Never per row, never inside
 * a kernel. */
#ifndef PEN_CORE_LOG_H
#define PEN_CORE_LOG_H

#include "core/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum pen_log_level { PEN_LOG_DEBUG, PEN_LOG_INFO, PEN_LOG_WARNING, PEN_LOG_ERROR };

struct pen_progress_report {
    const char *phase;               /* "training" */
    int64_t done, total;             /* total 0: unknown */
    const char *unit;                /* of these: "steps", "rows", "bytes" */
    const char *detail;              /* "" or a short text for people */
    int64_t rows;                    /* that this phase has gone over; -1: not counted */
    double epoch, loss;              /* NaN: it has none */
    double rows_per_s, seconds_left; /* NaN: not known; whoever takes reports from a process works them out */
};

struct pen_log_sink {
    void *user;
    enum pen_log_level level; /* records below are dropped */
    void (*record)(void *user, enum pen_log_level level, const char *text);
    void (*progress)(void *user, const struct pen_progress_report *report); /* borrowed */
};

PEN_API void pen_log_install(const struct pen_log_sink *sink); /* copied; NULL: silence */
PEN_API void pen_log(enum pen_log_level level, const char *format, ...) PEN_PRINTF(2, 3);
/* A report of no more than this and a detail; rows are counted when they are the unit. */
PEN_API void pen_progress(const char *phase, int64_t done, int64_t total, const char *unit, const char *format, ...)
    PEN_PRINTF(5, 6);
PEN_API void pen_progress_send(const struct pen_progress_report *report);

/* Set by a signal handler, polled by long loops. */
PEN_API void pen_cancel_request(void);
PEN_API bool pen_cancel_requested(void);
/* PEN_ERR_CANCELLED with a message when it was requested. */
PEN_API PEN_MUST_USE pen_status pen_cancel_check(struct pen_error *err);

/* Seconds of the monotonic clock. */
PEN_API double pen_clock_seconds(void);
/* "2026-11-24T15:04:05.123Z" of the wall clock. */
enum { PEN_TIME_BYTES = 32 };
PEN_API const char *pen_clock_utc(char out[PEN_TIME_BYTES]);
/* The same of seconds since 1970; what is no time is 1970's beginning. */
PEN_API const char *pen_clock_utc_text(char out[PEN_TIME_BYTES], double seconds);
/* Such a text as seconds since 1970; NaN: it is none. */
PEN_API double pen_clock_utc_seconds(const char *time);

#ifdef __cplusplus
}
#endif

#endif
