/* The index of op tests (op_cases.h), and a check that each suite it names does run. */
#include "tests/kernels/op_cases.h"

#include "kernels/backend.h"
#include "kernels/op_list.h"
#include "tests/pen_test.h"

#define PEN_OP_CASE_DECLARE(op) extern const struct pen_op_case pen_op_case_##op;
PEN_OP_LIST(PEN_OP_CASE_DECLARE)

static const struct pen_op_case *const cases[] = {
#define PEN_OP_CASE_ROW(op) &pen_op_case_##op,
    PEN_OP_LIST(PEN_OP_CASE_ROW)};

static const char *const suites[] = {
#define X(suite) #suite,
#include "tests/kernels/suites.h"
#undef X
};

static void every_op_names_a_suite_that_runs(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool found = false;
        for (size_t j = 0; j < sizeof suites / sizeof suites[0]; j++) {
            found = found || strcmp(cases[i]->suite, suites[j]) == 0;
        }
        PEN_CHECK_MSG(found, "op %s: suite %s is not in suites.h", cases[i]->op, cases[i]->suite);
    }
}

static void the_cpu_table_has_every_op(void)
{
#define PEN_OP_PRESENT(op) PEN_CHECK_MSG(pen_exec_cpu()->kernels->op != NULL, "op %s: no CPU implementation", #op);
    PEN_OP_LIST(PEN_OP_PRESENT)
#undef PEN_OP_PRESENT
}

PEN_SUITE(op_cases, PEN_CASE(every_op_names_a_suite_that_runs), PEN_CASE(the_cpu_table_has_every_op));
