/* Ranks on the shim's device, a process each: what NCCL's double gives a group is right to the last bit, runs beside
 * the exec's work, and a rank that dies, hangs or gives up is named by the others, whatever they wait for. */
#include "kernels/group.h"
#include "tests/kernels/ranks/forked.h"
#include "tests/pen_test.h"
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <unistd.h>
#include <vector>

extern "C" const struct pen_test_suite pen_suite_group;
extern "C" struct pen_exec *pen_test_exec(void); /* shim_exec.cc */

namespace
{

constexpr int64_t LONG = 40000; /* several rounds of the double's */

/* Values whose sum depends on the order they are added in. */
float value_of(int rank, int64_t i)
{
    return static_cast<float>((rank + 1) * (i % 97 + 1)) * (i % 3 == 0 ? 1e-3f : 1e4f) + 0.1f;
}

struct array {
    struct pen_exec *exec;
    void *memory = nullptr;
    int64_t n;

    array(struct pen_exec *of, int64_t items, int rank) : exec(of), n(items)
    {
        std::vector<float> host;
        for (int64_t i = 0; i < n; i++) {
            host.push_back(value_of(rank, i));
        }
        check(pen_device_allocate(exec, &memory, n, sizeof(float), "a test", nullptr));
        check(pen_device_upload(exec, memory, host.data(), host.size() * sizeof(float), nullptr));
        check(pen_device_synchronise(exec, nullptr));
    }
    array(const array &) = delete;
    ~array()
    {
        pen_device_release(exec, memory);
    }
    static void check(pen_status status)
    {
        if (status != PEN_OK) {
            std::abort();
        }
    }
    float *values() const
    {
        return static_cast<float *>(memory);
    }
    bool download(std::vector<float> *host, struct pen_error *err) const
    {
        host->assign(static_cast<size_t>(n), 0.0f);
        return pen_device_download(exec, host->data(), memory, host->size() * sizeof(float), err) == PEN_OK;
    }
};

int wrong(const struct pen_communicator *ranks, const char *what, const struct pen_error *err)
{
    (void)std::fprintf(stderr, "rank %d of %d: %s: %s\n", ranks->rank, ranks->size, what, err->message);
    return 1;
}

float sum_of(int size, int64_t i)
{
    float sum = value_of(0, i);
    for (int r = 1; r < size; r++) {
        sum += value_of(r, i);
    }
    return sum;
}

int check_sum(const struct pen_communicator *ranks, struct pen_group *group, int64_t n, bool mean)
{
    struct pen_error err = PEN_ERROR_INIT;
    array a(group->exec, n, ranks->rank);
    std::vector<float> host;
    pen_status status = mean ? pen_group_mean(group, a.values(), n, &err) : pen_group_sum(group, a.values(), n, &err);
    if (status != PEN_OK || pen_group_join(group, &err) != PEN_OK || !a.download(&host, &err)) {
        return wrong(ranks, "a sum", &err);
    }
    for (int64_t i = 0; i < n; i++) {
        float sum = sum_of(ranks->size, i), expected = mean ? sum / static_cast<float>(ranks->size) : sum;
        if (std::memcmp(&host[static_cast<size_t>(i)], &expected, sizeof expected) != 0) {
            return wrong(ranks, "a sum has other bits", &err);
        }
    }
    return 0;
}

int check_gather(const struct pen_communicator *ranks, struct pen_group *group)
{
    struct pen_error err = PEN_ERROR_INIT;
    const int64_t sizes[] = {3, 0, LONG, 1};
    std::vector<std::unique_ptr<array>> own, out;
    std::vector<struct pen_group_piece> pieces;
    for (int64_t n : sizes) {
        own.push_back(std::make_unique<array>(group->exec, n, ranks->rank));
        out.push_back(std::make_unique<array>(group->exec, n * ranks->size, 7));
        pieces.push_back({out.back()->memory, own.back()->memory, n * static_cast<int64_t>(sizeof(float))});
    }
    if (pen_group_gather(group, pieces.data(), static_cast<int64_t>(pieces.size()), &err) != PEN_OK ||
        pen_group_join(group, &err) != PEN_OK) {
        return wrong(ranks, "a gather", &err);
    }
    for (size_t p = 0; p < pieces.size(); p++) {
        std::vector<float> host;
        if (!out[p]->download(&host, &err)) {
            return wrong(ranks, "a gather", &err);
        }
        for (int64_t i = 0; i < out[p]->n; i++) {
            if (host[static_cast<size_t>(i)] != value_of(static_cast<int>(i / sizes[p]), i % sizes[p])) {
                return wrong(ranks, "a gather has other values", &err);
            }
        }
    }
    return 0;
}

/* context: through the host. */
int check_calls(struct pen_communicator *ranks, void *context)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_group *group = nullptr;
    int bad = 0;
    if (pen_group_open(&group, pen_test_exec(), ranks, *static_cast<bool *>(context), &err) != PEN_OK) {
        return wrong(ranks, "opening", &err);
    }
    for (int64_t n : {int64_t{0}, int64_t{1}, int64_t{33}, LONG}) {
        bad += check_sum(ranks, group, n, false) + check_sum(ranks, group, n, true);
    }
    bad += check_gather(ranks, group);
    bad += pen_group_finish(group, &err) == PEN_OK ? 0 : wrong(ranks, "the end", &err);
    pen_group_close(group);
    return bad;
}

void calls_give_all_ranks_the_same_bits(void)
{
    for (int through_host = 0; through_host < 2; through_host++) {
        bool context = through_host == 1;
        for (int n : {1, 2, 4}) {
            forked_ranks_check(n, check_calls, &context);
        }
    }
}

/* The exec does not wait for the others before it is told to: rank 1 calls when rank 0 has already read the result of
 * what it did since its own call. Before the join a wait is for the exec's own work alone. */
int check_overlap(struct pen_communicator *ranks, void *)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_exec *exec = pen_test_exec();
    struct pen_group *group = nullptr;
    array summed(exec, 10, ranks->rank), other(exec, 10, ranks->rank);
    std::vector<float> host;
    if (pen_group_open(&group, exec, ranks, false, &err) != PEN_OK) {
        return wrong(ranks, "opening", &err);
    }
    if (ranks->rank == 1 && pen_communicator_barrier(ranks, &err) != PEN_OK) {
        return wrong(ranks, "the barrier", &err);
    }
    if (pen_group_sum(group, summed.values(), 10, &err) != PEN_OK ||
        pen_device_fill(exec, other.memory, 0, 10 * sizeof(float), &err) != PEN_OK || !other.download(&host, &err)) {
        return wrong(ranks, "work beside a sum", &err);
    }
    if (host[9] != 0.0f || (ranks->rank == 0 && pen_communicator_barrier(ranks, &err) != PEN_OK)) {
        return wrong(ranks, "the other work", &err);
    }
    if (pen_group_join(group, &err) != PEN_OK || !summed.download(&host, &err) || host[9] != sum_of(2, 9) ||
        pen_group_finish(group, &err) != PEN_OK) {
        return wrong(ranks, "the sum", &err);
    }
    pen_group_close(group);
    return 0;
}

void the_exec_works_meanwhile(void)
{
    forked_ranks_check(2, check_overlap, nullptr);
}

enum ending { DIES, DIES_EARLY, GIVES_UP, HANGS };

struct end_of_rank {
    enum ending how;
    const char *says; /* what the others are told */
};

[[noreturn]] void come_to_an_end(struct pen_communicator *ranks, enum ending how)
{
    if (how == DIES) {
        (void)raise(SIGKILL);
    }
    if (how == GIVES_UP) {
        pen_communicator_abort(ranks, "no room on the disk");
    }
    while (pen_communicator_look(ranks, nullptr) == PEN_OK) { /* hangs until the others have had enough of it */
        (void)usleep(1000);
    }
    _exit(0);
}

/* Rank 1 comes to an end in the third step, or before the group is there. */
int lose_a_rank(struct pen_communicator *ranks, void *context)
{
    const auto *end = static_cast<const struct end_of_rank *>(context);
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_exec *exec = pen_test_exec();
    struct pen_group *group = nullptr;
    array a(exec, LONG, ranks->rank);
    std::vector<float> host;
    if (ranks->rank == 1 && end->how == DIES_EARLY) {
        (void)raise(SIGKILL);
    }
    pen_status status = pen_group_open(&group, exec, ranks, false, &err);
    for (int step = 0; step < 20 && status == PEN_OK; step++) {
        if (ranks->rank == 1 && step == 2) {
            come_to_an_end(ranks, end->how);
        }
        status = pen_group_sum(group, a.values(), LONG, &err);
        status = status == PEN_OK ? pen_group_join(group, &err) : status;
    }
    if (status == PEN_OK) {
        status = a.download(&host, &err) ? PEN_OK : PEN_ERR_FAILED;
    }
    bool told = status == PEN_ERR_FAILED && std::strstr(err.message, end->says) != nullptr;
    bool stays = group == nullptr || (pen_group_sum(group, a.values(), 1, nullptr) == PEN_ERR_FAILED &&
                                      pen_device_synchronise(exec, nullptr) == PEN_ERR_FAILED);
    int code = told && stays ? 0 : wrong(ranks, pen_status_name(status), &err);
    pen_group_close(group);
    return code;
}

void a_rank_that_is_lost_is_named(void)
{
    struct end_of_rank ends[] = {{DIES, "rank 1 is gone"},
                                 {DIES_EARLY, "rank 1 is gone"},
                                 {GIVES_UP, "rank 1 gave up: no room on the disk"},
                                 {HANGS, "for rank 1"}};
    for (struct end_of_rank &end : ends) {
        int codes[PEN_LOCAL_RANKS_MAX] = {0};
        forked_ranks_run(3, end.how == HANGS ? 1 : 60, lose_a_rank, &end, codes);
        PEN_CHECK_EQ_I64(codes[0], 0);
        PEN_CHECK_EQ_I64(codes[1], end.how < GIVES_UP ? -SIGKILL : 0);
        PEN_CHECK_EQ_I64(codes[2], 0);
    }
}

void a_library_that_is_not_there(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_group *group = nullptr;
    (void)setenv("PEN_SHIM_NO_NCCL", "1", 1);
    PEN_CHECK_EQ_I64(pen_group_open(&group, pen_test_exec(), pen_communicator_one(), false, &err), PEN_ERR_UNSUPPORTED);
    PEN_CHECK_CONTAINS(err.message, "expected NCCL, by which they add up gradients, found none: libnccl.so.2: ");
    PEN_CHECK_CONTAINS(err.message, "set trainer.exchange: host");
    (void)unsetenv("PEN_SHIM_NO_NCCL");
}

} // namespace

PEN_SUITE(group, PEN_CASE(calls_give_all_ranks_the_same_bits), PEN_CASE(the_exec_works_meanwhile),
          PEN_CASE(a_rank_that_is_lost_is_named), PEN_CASE(a_library_that_is_not_there));
