/* The one file that sees GoogleTest: walks the folder's suite list and registers each C function at run time. */
#include "tests/pen_test.h"

#include <gtest/gtest.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

extern "C" {
#define X(suite) extern const struct pen_test_suite pen_suite_##suite;
#include PEN_TEST_SUITES
#undef X
}

namespace
{

const pen_test_suite *const suites[] = {
#define X(suite) &pen_suite_##suite,
#include PEN_TEST_SUITES
#undef X
};

class Case : public ::testing::Test
{
  public:
    explicit Case(const pen_test_case *test_case) : test_case_(test_case)
    {
    }
    void TestBody() override
    {
        test_case_->function();
    }

  private:
    const pen_test_case *test_case_;
};

} // namespace

extern "C" void pen_test_fail(const char *file, int line, const char *format, ...)
{
    char message[4096];
    va_list arguments;
    va_start(arguments, format);
    (void)std::vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    ADD_FAILURE_AT(file, line) << message;
}

extern "C" void pen_test_skip(const char *file, int line, const char *why)
{
    std::printf("%s:%d: skipped: %s\n", file, line, why);
    [&] { GTEST_SKIP() << why; }();
}

extern "C" const char *pen_test_directory(void)
{
    static std::string path;
    const auto *info = ::testing::UnitTest::GetInstance()->current_test_info();
    path = std::string(PEN_TEST_SCRATCH) + "/" + info->test_suite_name() + "." + info->name();
    static std::string emptied;
    if (emptied != path) {
        std::filesystem::remove_all(path);
        std::filesystem::create_directories(path);
        emptied = path;
    }
    return path.c_str();
}

extern "C" const char *pen_test_datasets(void)
{
    const char *given = std::getenv("PEN_TEST_DATASETS");
    static const std::string path = given != nullptr ? given : PEN_TEST_SOURCE "/../shared/datasets";
    return std::filesystem::is_directory(path) ? path.c_str() : nullptr;
}

extern "C" bool pen_test_runs_all(void)
{
    const auto *all = ::testing::UnitTest::GetInstance();
    return all->test_to_run_count() == all->total_test_count();
}

extern "C" const char *pen_test_program(void)
{
    return PEN_TEST_PROGRAM;
}

int main(int argc, char **argv)
{
    ::testing::InitGoogleTest(&argc, argv);
    for (const pen_test_suite *suite : suites) {
        for (int i = 0; i < suite->n_cases; i++) {
            const pen_test_case *test_case = &suite->cases[i];
            ::testing::RegisterTest(suite->name, test_case->name, nullptr, nullptr, test_case->file, test_case->line,
                                    [=]() -> ::testing::Test * { return new Case(test_case); });
        }
    }
    int result = RUN_ALL_TESTS();
    if (::testing::UnitTest::GetInstance()->test_to_run_count() == 0) {
        std::fprintf(stderr, "no test matches the filter\n");
        return 1;
    }
    return result;
}
