/* Status codes and the error record that every fallible function fills.
 *
 * A function that can fail in operation returns pen_status and takes `struct pen_error *err` last; err is the
 * caller's and may be NULL. A message is one line and says what was expected, what was found and where, and how to
 * mend it when the user can. What only a programmer can get wrong asserts (PEN_ASSERT). Library code never prints or
 * exits: the command line maps a status to its exit code with pen_status_exit_code(). */
#ifndef PEN_CORE_STATUS_H
#define PEN_CORE_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define PEN_API __attribute__((visibility("default")))
#define PEN_MUST_USE __attribute__((warn_unused_result))
#define PEN_NORETURN __attribute__((noreturn))
#define PEN_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define PEN_API
#define PEN_MUST_USE
#define PEN_NORETURN
#define PEN_PRINTF(fmt, args)
#endif

/* X(name, process exit code, short text) */
#define PEN_STATUS_LIST(X)                           \
    X(PEN_OK, 0, "ok")                               \
    X(PEN_ERR_FAILED, 1, "a step failed")            \
    X(PEN_ERR_TIMEOUT, 1, "took too long")           \
    X(PEN_ERR_USAGE, 2, "wrong use of a command")    \
    X(PEN_ERR_CONFIG, 3, "wrong configuration")      \
    X(PEN_ERR_ANOMALY, 4, "data anomalies")          \
    X(PEN_ERR_NOT_BLESSED, 5, "model not blessed")   \
    X(PEN_ERR_DATA, 65, "malformed data")            \
    X(PEN_ERR_NOT_FOUND, 66, "missing input")        \
    X(PEN_ERR_SHAPE, 70, "wrong shape")              \
    X(PEN_ERR_DTYPE, 70, "wrong data type")          \
    X(PEN_ERR_UNSUPPORTED, 70, "not supported here") \
    X(PEN_ERR_DEVICE, 70, "device failure")          \
    X(PEN_ERR_LIMIT, 70, "limit exceeded")           \
    X(PEN_ERR_MEMORY, 70, "out of memory")           \
    X(PEN_ERR_INTERNAL, 70, "internal error")        \
    X(PEN_ERR_EXISTS, 73, "exists already")          \
    X(PEN_ERR_CREATE, 73, "cannot create")           \
    X(PEN_ERR_IO, 74, "input/output error")          \
    X(PEN_ERR_BUSY, 75, "busy, try again")           \
    X(PEN_ERR_PERMISSION, 77, "permission denied")   \
    X(PEN_ERR_CANCELLED, 130, "cancelled")

typedef enum pen_status {
#define PEN_STATUS_ENUM(name, exit_code, text) name,
    PEN_STATUS_LIST(PEN_STATUS_ENUM)
#undef PEN_STATUS_ENUM
        PEN_STATUS_COUNT
} pen_status;

enum { PEN_ERROR_MESSAGE_BYTES = 1024 };

struct pen_error {
    pen_status status;
    int line;         /* where in our source it was raised */
    const char *file; /* static string */
    char message[PEN_ERROR_MESSAGE_BYTES];
};

#define PEN_ERROR_INIT    \
    {                     \
        PEN_OK, 0, "", "" \
    }

PEN_API const char *pen_status_name(pen_status status);
PEN_API const char *pen_status_text(pen_status status);
PEN_API int pen_status_exit_code(pen_status status);

/* Fills err (when not NULL) and returns status. A message longer than the record is cut at a character boundary. */
PEN_API pen_status pen_error_set(struct pen_error *err, const char *file, int line, pen_status status,
                                 const char *format, ...) PEN_PRINTF(5, 6);

/* Puts context in front of the message: "pipeline.yaml:4: " + message. Keeps the status. */
PEN_API void pen_error_prefix(struct pen_error *err, const char *format, ...) PEN_PRINTF(2, 3);

/* The status that fits an errno value: ENOENT -> NOT_FOUND, EACCES -> PERMISSION, ENOMEM -> MEMORY, else IO. */
PEN_API pen_status pen_status_from_errno(int error_number);

#define PEN_FAIL(err, status, ...)                                                              \
    do {                                                                                        \
        (void)pen_error_set((err), __FILE__, __LINE__, (status), __VA_ARGS__);                  \
        return (status); /* as written: a reader without pen_error_set sees it is not PEN_OK */ \
    } while (0)

/* Inside a function with `pen_status status` and one cleanup label. */
#define PEN_FAIL_GOTO(label, err, code, ...)                                 \
    do {                                                                     \
        (void)pen_error_set((err), __FILE__, __LINE__, (code), __VA_ARGS__); \
        status = (code);                                                     \
        goto label;                                                          \
    } while (0)

#define PEN_TRY(call)                       \
    do {                                    \
        pen_status pen_try_status = (call); \
        if (pen_try_status != PEN_OK) {     \
            return pen_try_status;          \
        }                                   \
    } while (0)

#define PEN_TRY_GOTO(label, call) \
    do {                          \
        status = (call);          \
        if (status != PEN_OK) {   \
            goto label;           \
        }                         \
    } while (0)

PEN_API PEN_NORETURN void pen_assert_failed(const char *file, int line, const char *expression);

/* On in every build: a broken invariant must not reach the user's data. */
#define PEN_ASSERT(condition)                                  \
    do {                                                       \
        if (!(condition)) {                                    \
            pen_assert_failed(__FILE__, __LINE__, #condition); \
        }                                                      \
    } while (0)

#ifdef __cplusplus
}
#endif

#endif
