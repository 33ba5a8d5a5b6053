/* The installed sink, the cancellation flag, the clocks. */
#include "core/log.h"

#include "core/text.h"

#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { RECORD_BYTES = 2048, DETAIL_BYTES = 256 };

static struct pen_log_sink installed;
static volatile sig_atomic_t cancel_flag;

void pen_log_install(const struct pen_log_sink *sink)
{
    installed = sink != NULL ? *sink : (struct pen_log_sink){0};
}

void pen_log(enum pen_log_level level, const char *format, ...)
{
    if (installed.record == NULL || level < installed.level) {
        return;
    }
    char text[RECORD_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    installed.record(installed.user, level, text);
}

void pen_progress(const char *phase, int64_t done, int64_t total, const char *unit, const char *format, ...)
{
    if (installed.progress == NULL) {
        return;
    }
    char detail[DETAIL_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(detail, sizeof detail, format, arguments);
    va_end(arguments);
    installed.progress(installed.user, &(struct pen_progress_report){.phase = phase,
                                                                     .done = done,
                                                                     .total = total,
                                                                     .unit = unit,
                                                                     .detail = detail,
                                                                     .rows = strcmp(unit, "rows") == 0 ? done : -1,
                                                                     .epoch = (double)NAN,
                                                                     .loss = (double)NAN,
                                                                     .rows_per_s = (double)NAN,
                                                                     .seconds_left = (double)NAN});
}

void pen_progress_send(const struct pen_progress_report *report)
{
    if (installed.progress != NULL) {
        installed.progress(installed.user, report);
    }
}

void pen_cancel_request(void)
{
    cancel_flag = 1;
}

bool pen_cancel_requested(void)
{
    return cancel_flag != 0;
}

pen_status pen_cancel_check(struct pen_error *err)
{
    if (cancel_flag != 0) {
        PEN_FAIL(err, PEN_ERR_CANCELLED, "cancelled: the next run continues from what was published");
    }
    return PEN_OK;
}

double pen_clock_seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static const char *format_time(char out[PEN_TIME_BYTES], const struct timespec *time)
{
    struct tm parts;
    (void)gmtime_r(&time->tv_sec, &parts);
    size_t used = strftime(out, PEN_TIME_BYTES, "%Y-%m-%dT%H:%M:%S", &parts);
    (void)snprintf(out + used, PEN_TIME_BYTES - used, ".%03dZ", (int)(time->tv_nsec / 1000000));
    return out;
}

const char *pen_clock_utc(char out[PEN_TIME_BYTES])
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return format_time(out, &now);
}

const char *pen_clock_utc_text(char out[PEN_TIME_BYTES], double seconds)
{
    const double whole = isfinite(seconds) && fabs(seconds) < 1e11 ? floor(seconds) : 0;
    struct timespec time = {.tv_sec = (time_t)whole};
    time.tv_nsec = whole != 0 ? (long)((seconds - whole) * 1e9) : 0;
    return format_time(out, &time);
}

double pen_clock_utc_seconds(const char *time)
{
    struct tm tm = {.tm_isdst = 0};
    double fraction = 0;
    const char *rest = strptime(time, "%Y-%m-%dT%H:%M:%S", &tm);
    if (rest == NULL || !pen_parse_double(rest, strcspn(rest, "Z"), &fraction)) {
        return (double)NAN;
    }
    return (double)timegm(&tm) + fraction;
}
