/* Tests in C, run by GoogleTest (only pen_test.cc sees it).
 *
 *   static void it_works(void) { PEN_CHECK_EQ_I64(1 + 1, 2); }
 *   PEN_SUITE(arithmetic, PEN_CASE(it_works));
 *
 * and one line in tests/<folder>/suites.h: X(arithmetic). PEN_CHECK_* goes on after a failure; PEN_REQUIRE_* and
 * PEN_SKIP return from the case, so they belong in its body. */
#ifndef PEN_TESTS_PEN_TEST_H
#define PEN_TESTS_PEN_TEST_H

#include "core/status.h"

#include <math.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pen_test_case {
    const char *name;
    void (*function)(void);
    const char *file;
    int line;
};

struct pen_test_suite {
    const char *name;
    const struct pen_test_case *cases;
    int n_cases;
};

#define PEN_CASE(function)                      \
    {                                           \
#function, function, __FILE__, __LINE__ \
    }

#define PEN_SUITE(suite, ...)                                                                                \
    static const struct pen_test_case suite##_cases[] = {__VA_ARGS__};                                       \
    const struct pen_test_suite pen_suite_##suite = {#suite, suite##_cases,                                  \
                                                     (int)(sizeof suite##_cases / sizeof suite##_cases[0])}; \
    extern const struct pen_test_suite pen_suite_##suite

void pen_test_fail(const char *file, int line, const char *format, ...) PEN_PRINTF(3, 4);
void pen_test_skip(const char *file, int line, const char *why);
/* A folder of the running case's own, emptied before it starts, below the build folder. */
const char *pen_test_directory(void);
/* Folder of the real data sets (PEN_TEST_DATASETS, else ../shared/datasets beside the sources); NULL: not there. */
const char *pen_test_datasets(void);
/* Whether every case of this program runs, none is filtered out. */
bool pen_test_runs_all(void);
/* Path of the penstock program under test. */
const char *pen_test_program(void);

#define PEN_SKIP(why)                             \
    do {                                          \
        pen_test_skip(__FILE__, __LINE__, (why)); \
        return;                                   \
    } while (0)

#define PEN_TEST_BASE(condition, then, ...)                 \
    do {                                                    \
        if (!(condition)) {                                 \
            pen_test_fail(__FILE__, __LINE__, __VA_ARGS__); \
            then;                                           \
        }                                                   \
    } while (0)

#define PEN_CHECK(condition) PEN_TEST_BASE(condition, (void)0, "expected %s", #condition)
#define PEN_REQUIRE(condition) PEN_TEST_BASE(condition, return, "expected %s", #condition)
#define PEN_CHECK_MSG(condition, ...) PEN_TEST_BASE(condition, (void)0, __VA_ARGS__)

#define PEN_CHECK_EQ_I64(actual, expected)                                                              \
    do {                                                                                                \
        long long pen_a = (long long)(actual), pen_e = (long long)(expected);                           \
        PEN_TEST_BASE(pen_a == pen_e, (void)0, "%s: expected %lld, found %lld", #actual, pen_e, pen_a); \
    } while (0)
#define PEN_REQUIRE_EQ_I64(actual, expected)                                                           \
    do {                                                                                               \
        long long pen_a = (long long)(actual), pen_e = (long long)(expected);                          \
        PEN_TEST_BASE(pen_a == pen_e, return, "%s: expected %lld, found %lld", #actual, pen_e, pen_a); \
    } while (0)
/* Equal values, or both NaN. */
#define PEN_CHECK_EQ_F64(actual, expected)                                                                          \
    do {                                                                                                            \
        double pen_a = (double)(actual), pen_e = (double)(expected);                                                \
        PEN_TEST_BASE(pen_a == pen_e || (isnan(pen_a) && isnan(pen_e)), (void)0, "%s: expected %.17g, found %.17g", \
                      #actual, pen_e, pen_a);                                                                       \
    } while (0)
#define PEN_CHECK_NEAR(actual, expected, bound)                                                   \
    do {                                                                                          \
        double pen_a = (double)(actual), pen_e = (double)(expected), pen_b = (double)(bound);     \
        PEN_TEST_BASE(fabs(pen_a - pen_e) <= pen_b || (isnan(pen_a) && isnan(pen_e)), (void)0,    \
                      "%s: expected %.17g within %g, found %.17g", #actual, pen_e, pen_b, pen_a); \
    } while (0)
#define PEN_CHECK_EQ_STR(actual, expected)                                                    \
    do {                                                                                      \
        const char *pen_a = (actual), *pen_e = (expected);                                    \
        PEN_TEST_BASE(pen_a != NULL && pen_e != NULL && strcmp(pen_a, pen_e) == 0, (void)0,   \
                      "%s: expected \"%s\", found \"%s\"", #actual, pen_e ? pen_e : "(null)", \
                      pen_a ? pen_a : "(null)");                                              \
    } while (0)
#define PEN_CHECK_CONTAINS(actual, part)                                                                         \
    do {                                                                                                         \
        const char *pen_a = (actual), *pen_e = (part);                                                           \
        PEN_TEST_BASE(pen_a != NULL && strstr(pen_a, pen_e) != NULL, (void)0,                                    \
                      "%s: expected to contain \"%s\", found \"%s\"", #actual, pen_e, pen_a ? pen_a : "(null)"); \
    } while (0)
/* call returns PEN_OK; err is the struct it fills. */
#define PEN_CHECK_OK(call, err) PEN_TEST_BASE((call) == PEN_OK, (void)0, "%s: %s", #call, (err)->message)
#define PEN_REQUIRE_OK(call, err) PEN_TEST_BASE((call) == PEN_OK, return, "%s: %s", #call, (err)->message)
#define PEN_CHECK_STATUS(call, wanted)                                                                         \
    do {                                                                                                       \
        pen_status pen_s = (call);                                                                             \
        PEN_TEST_BASE(pen_s == (wanted), (void)0, "%s: expected %s, found %s", #call, pen_status_name(wanted), \
                      pen_status_name(pen_s));                                                                 \
    } while (0)

#ifdef __cplusplus
}
#endif

#endif
