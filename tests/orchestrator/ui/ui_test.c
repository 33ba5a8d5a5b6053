/* The web UI: who is refused, what addresses reach, whole pages of a real run, and the same over a real socket. */
#include "orchestrator/ui/ui.h"

#include "core/files.h"
#include "tests/orchestrator/markup.h"
#include "tests/orchestrator/program.h"
#include "tests/pen_test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PORT = 4711, PATIENCE = 600, PAUSE_NS = 50 * 1000 * 1000 };
static const char host[] = "127.0.0.1:4711", origin[] = "http://127.0.0.1:4711";

/* A browser: what it was given. */
struct browser {
    struct pen_ui *ui;
    char cookie[256], form[128];
    struct pen_http_response response;
};

static int ask_as(struct browser *browser, const char *method, const char *target, const char *body,
                  const char *with_host, const char *with_origin, const char *cookie)
{
    const struct pen_http_request request = {
        .method = method, .target = target, .body = body, .host = with_host, .origin = with_origin, .cookie = cookie};
    pen_http_response_deinit(&browser->response);
    pen_ui_answer(browser->ui, &request, &browser->response);
    return browser->response.status;
}

static int get(struct browser *browser, const char *target)
{
    return ask_as(browser, "GET", target, "", host, NULL, browser->cookie);
}

static int post(struct browser *browser, const char *target)
{
    char body[192];
    (void)snprintf(body, sizeof body, "form=%s", browser->form);
    return ask_as(browser, "POST", target, body, host, origin, browser->cookie);
}

static const char *page_of(const struct browser *browser)
{
    return pen_text_view(&browser->response.body);
}

/* file NULL: the root alone. */
static pen_status open_browser(struct browser *browser, const char *file, const char *root, struct pen_error *err)
{
    char login[128];
    *browser = (struct browser){0};
    const struct pen_ui_options options = {.files = &file,
                                           .n_files = file == NULL ? 0 : 1,
                                           .root = root,
                                           .program = pen_test_program(),
                                           .is_loopback = true};
    PEN_TRY(pen_ui_open(&browser->ui, &options, err));
    pen_ui_set_port(browser->ui, PORT);
    (void)snprintf(login, sizeof login, "/?token=%s", pen_ui_token(browser->ui));
    if (get(browser, login) != 303) {
        PEN_FAIL(err, PEN_ERR_PERMISSION, "login: %s", page_of(browser));
    }
    const char *cookie = pen_http_find_header(&browser->response, "Set-Cookie");
    (void)snprintf(browser->cookie, sizeof browser->cookie, "%.*s", (int)strcspn(cookie, ";"), cookie);
    (void)get(browser, "/");
    const char *form = strstr(page_of(browser), "name=\"form\" value=\"");
    if (form != NULL) {
        (void)snprintf(browser->form, sizeof browser->form, "%.64s", form + strlen("name=\"form\" value=\""));
    }
    return PEN_OK;
}

static void close_browser(struct browser *browser)
{
    pen_http_response_deinit(&browser->response);
    pen_ui_close(browser->ui);
}

static void strangers_are_refused(void)
{
    static const char *const other_hosts[] = {NULL,
                                              "",
                                              "127.0.0.1",
                                              "evil.example:4711",
                                              "localhost:80",
                                              "127.0.0.1.evil.example:4711",
                                              "localhost:4711.evil",
                                              "10.0.0.1:4711"};
    struct pen_error err = PEN_ERROR_INIT;
    struct browser browser;
    PEN_REQUIRE_OK(open_browser(&browser, NULL, pen_test_directory(), &err), &err);
    PEN_CHECK_EQ_I64(get(&browser, "/"), 200);
    PEN_CHECK_EQ_I64(ask_as(&browser, "GET", "/", "", host, NULL, NULL), 403);
    PEN_CHECK_EQ_I64(ask_as(&browser, "GET", "/ui.js", "", host, NULL, NULL), 403);
    PEN_CHECK_EQ_I64(ask_as(&browser, "GET", "/", "", host, NULL, "penstock_4711=0123"), 403);
    PEN_CHECK_EQ_I64(ask_as(&browser, "GET", "/?token=", "", host, NULL, NULL), 403);
    PEN_CHECK_EQ_I64(ask_as(&browser, "GET", "/?token=0123", "", host, NULL, NULL), 403);
    for (size_t i = 0; i < sizeof other_hosts / sizeof other_hosts[0]; i++) {
        int status = ask_as(&browser, "GET", "/", "", other_hosts[i], NULL, browser.cookie);
        PEN_CHECK_MSG(status == 403, "host %s: %d", other_hosts[i] == NULL ? "(none)" : other_hosts[i], status);
    }
    PEN_CHECK_EQ_I64(ask_as(&browser, "GET", "/", "", "localhost:4711", NULL, browser.cookie), 200);
    PEN_CHECK_EQ_I64(ask_as(&browser, "GET", "/", "", "[::1]:4711", NULL, browser.cookie), 200);
    PEN_CHECK_EQ_I64(ask_as(&browser, "GET", "/", "", host, "http://evil.example", browser.cookie), 403);
    PEN_CHECK_EQ_I64(ask_as(&browser, "GET", "/", "", host, "null", browser.cookie), 403);
    PEN_CHECK_EQ_I64(ask_as(&browser, "DELETE", "/", "", host, origin, browser.cookie), 405);
    PEN_CHECK_EQ_I64(ask_as(&browser, "OPTIONS", "/", "", host, origin, browser.cookie), 405);
    close_browser(&browser);
}

/* The secrets of one server are no use at another. */
static void secrets_are_of_one_server(void)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct browser one, other;
    char login[128];
    PEN_REQUIRE_OK(open_browser(&one, NULL, pen_test_directory(), &err), &err);
    PEN_REQUIRE_OK(open_browser(&other, NULL, pen_test_directory(), &err), &err);
    PEN_CHECK_EQ_I64(ask_as(&one, "GET", "/", "", host, NULL, other.cookie), 403);
    (void)snprintf(login, sizeof login, "/?token=%s", pen_ui_token(other.ui));
    PEN_CHECK_EQ_I64(ask_as(&one, "GET", login, "", host, NULL, NULL), 403);
    PEN_CHECK(strstr(one.cookie, pen_ui_token(one.ui)) == NULL);
    close_browser(&one);
    close_browser(&other);
}

static void answers_have_their_headers(void)
{
    static const char *const wanted[][2] = {{"X-Content-Type-Options", "nosniff"},
                                            {"X-Frame-Options", "DENY"},
                                            {"Referrer-Policy", "same-origin"},
                                            {"Cross-Origin-Resource-Policy", "same-origin"},
                                            {"Cache-Control", "no-store"}};
    static const char *const targets[] = {"/", "/ui.css", "/ui.js", "/nothing", "/api/pipelines", "/?token=x"};
    struct pen_error err = PEN_ERROR_INIT;
    struct browser browser;
    char login[128];
    PEN_REQUIRE_OK(open_browser(&browser, NULL, pen_test_directory(), &err), &err);
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        (void)get(&browser, targets[i]);
        for (size_t k = 0; k < sizeof wanted / sizeof wanted[0]; k++) {
            PEN_CHECK_EQ_STR(pen_http_find_header(&browser.response, wanted[k][0]), wanted[k][1]);
        }
        const char *policy = pen_http_find_header(&browser.response, "Content-Security-Policy");
        PEN_CHECK_CONTAINS(policy, "default-src 'none'");
        PEN_CHECK_CONTAINS(policy, "frame-ancestors 'none'");
        PEN_CHECK(strstr(policy, "unsafe") == NULL);
    }
    (void)snprintf(login, sizeof login, "/?token=%s", pen_ui_token(browser.ui));
    PEN_CHECK_EQ_I64(get(&browser, login), 303);
    PEN_CHECK_CONTAINS(pen_http_find_header(&browser.response, "Set-Cookie"), "; HttpOnly; SameSite=Strict; Path=/");
    close_browser(&browser);
}

static void addresses_reach_nothing_else(void)
{
    static const char *const targets[] = {"/..",
                                          "/p/..",
                                          "/p/%2e%2e",
                                          "/p/r/run/..",
                                          "/p/r/run/../../../etc/passwd",
                                          "/p/r/run/..%2f..%2fetc/log/passwd",
                                          "/p/r/run/run-1/log/../../x",
                                          "/p/r/run/run-1/log/.hidden",
                                          "/p/r/run/run-1/log/x/text?from=-1",
                                          "/p/r/artifact/..",
                                          "/p/r/artifact/none.at.1",
                                          "/p/r/compare",
                                          "/p/r/compare?a=../x&b=run-1",
                                          "/p/r/start",
                                          "/p/r/stop",
                                          "/api/p/r/lineage/--root",
                                          "/api/p/r/run/x",
                                          "/api/p/r/schedule",
                                          "//",
                                          "/p//run",
                                          "/p/r/",
                                          "p/r",
                                          "*",
                                          ""};
    struct pen_error err = PEN_ERROR_INIT;
    struct browser browser;
    char root[PEN_PATH_BYTES];
    PEN_REQUIRE_OK(pen_path_join(root, pen_test_directory(), "r", &err), &err);
    PEN_REQUIRE_OK(open_browser(&browser, NULL, root, &err), &err);
    PEN_CHECK_EQ_I64(get(&browser, "/p/r"), 200);
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        int status = get(&browser, targets[i]);
        PEN_CHECK_MSG(status == 404, "%s: %d", targets[i], status);
        PEN_CHECK(strstr(page_of(&browser), "<script>") == NULL);
    }
    PEN_CHECK_EQ_I64(get(&browser, "/?x=%"), 400);
    PEN_CHECK_EQ_I64(get(&browser, "/?x=%00"), 400);
    PEN_CHECK_EQ_I64(get(&browser, "/?x=%zz"), 400);
    close_browser(&browser);
}

static void fields_are_decoded_once(void)
{
    static const char text[] = "a=1+2&b=%253C%2f&c&d=&=e";
    struct pen_arena arena = {0};
    struct pen_http_fields fields;
    char value[16];
    PEN_REQUIRE(pen_http_read_fields(&arena, text, strlen(text), &fields));
    PEN_CHECK_EQ_I64(fields.n, 5);
    PEN_CHECK_EQ_STR(pen_http_field(&fields, "a"), "1 2");
    PEN_CHECK_EQ_STR(pen_http_field(&fields, "b"), "%3C/");
    PEN_CHECK_EQ_STR(pen_http_field(&fields, "c"), "");
    PEN_CHECK_EQ_STR(pen_http_field(&fields, "none"), "");
    PEN_CHECK(!pen_http_read_fields(&arena, "a=%4", 4, &fields));
    pen_http_cookie("x=1; name=secret; namely=2", "name", value, sizeof value);
    PEN_CHECK_EQ_STR(value, "secret");
    pen_http_cookie("surname=1; name=0123456789abcdef", "name", value, sizeof value);
    PEN_CHECK_EQ_STR(value, "");
    pen_arena_deinit(&arena);
}

static void no_header_is_made_by_a_value(void)
{
    struct pen_http_response response = {0};
    pen_http_header(&response, "Location", "/p/%s", "x\r\nSet-Cookie: y");
    PEN_CHECK_EQ_I64(response.n_headers, 0);
    pen_http_header(&response, "Location", "/p/%s", "x");
    PEN_CHECK_EQ_STR(pen_http_find_header(&response, "Location"), "/p/x");
}

/* trips.csv, pipeline.yaml with root `out`, and one run. */
static void make_run(char file[PEN_PATH_BYTES], char root[PEN_PATH_BYTES])
{
    static const char *const lines[] = {
        "generate taxi --rows 3000 --seed 1 -o trips.csv", "init trips.csv --label 'tips > 0.2 * fare'",
        "run pipeline.yaml --device cpu --root out --name 'a <b>' --tag <i> --note <p>"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct program_result result;
        program_run(pen_test_directory(), lines[i], &result);
        PEN_CHECK_MSG(result.exit_code == 0, "%s: %s", lines[i], pen_text_view(&result.err));
        program_deinit(&result);
    }
    (void)snprintf(file, PEN_PATH_BYTES, "%s/pipeline.yaml", pen_test_directory());
    (void)snprintf(root, PEN_PATH_BYTES, "%s/out", pen_test_directory());
}

static void check_page(struct browser *browser, const char *target, const char *part)
{
    int n_tags = 0;
    PEN_CHECK_MSG(get(browser, target) == 200, "%s: %d %.300s", target, browser->response.status, page_of(browser));
    PEN_CHECK_MSG(markup_is_whole(page_of(browser), 1, &n_tags), "%s: broken markup: %.2000s", target,
                  page_of(browser));
    PEN_CHECK_MSG(strstr(page_of(browser), part) != NULL, "%s: no %s in %.3000s", target, part, page_of(browser));
    PEN_CHECK(strstr(page_of(browser), " style=") == NULL); /* the policy forbids it */
}

/* Until the root's runs page says so. */
static bool wait_for(struct browser *browser, const char *part)
{
    for (int i = 0; i < PATIENCE; i++) {
        if (get(browser, "/p/trips") == 200 && strstr(page_of(browser), part) != NULL) {
            return true;
        }
        (void)nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
    }
    return false;
}

static void check_actions(struct browser *browser)
{
    char root[PEN_PATH_BYTES];
    (void)snprintf(root, sizeof root, "%s/out/metadata/schedule/paused", pen_test_directory());
    PEN_CHECK_EQ_I64(ask_as(browser, "POST", "/p/trips/start", "", host, origin, browser->cookie), 403);
    PEN_CHECK_EQ_I64(ask_as(browser, "POST", "/p/trips/start", "form=0", host, origin, browser->cookie), 403);
    PEN_CHECK_EQ_I64(ask_as(browser, "POST", "/p/trips/start", "", host, NULL, browser->cookie), 403);
    PEN_CHECK_EQ_I64(get(browser, "/p/trips/start"), 404);
    PEN_CHECK_EQ_I64(post(browser, "/p/trips/pause"), 303);
    PEN_CHECK(pen_path_exists(root));
    PEN_CHECK_EQ_I64(post(browser, "/p/trips/unpause"), 303);
    PEN_CHECK(!pen_path_exists(root));
    PEN_CHECK_EQ_I64(post(browser, "/p/trips/stop"), 303);
    PEN_CHECK_EQ_I64(get(browser, "/p/trips"), 200);
    PEN_CHECK_CONTAINS(page_of(browser), "no run on this machine holds");
    PEN_CHECK_EQ_I64(post(browser, "/p/trips/start"), 303);
    PEN_CHECK_EQ_STR(pen_http_find_header(&browser->response, "Location"), "/p/trips");
    PEN_CHECK(wait_for(browser, "has ended well"));
    PEN_CHECK_CONTAINS(page_of(browser), "/p/trips/run/run-2");
}

static void a_run_has_its_pages(void)
{
    char file[PEN_PATH_BYTES], root[PEN_PATH_BYTES];
    struct pen_error err = PEN_ERROR_INIT;
    struct browser browser;
    if (access(pen_test_program(), X_OK) != 0) {
        PEN_SKIP("the program is not built");
    }
    make_run(file, root);
    PEN_REQUIRE_OK(open_browser(&browser, file, root, &err), &err);
    check_page(&browser, "/", "run-1");
    check_page(&browser, "/p/trips", "succeeded");
    check_page(&browser, "/p/trips",
               "<th scope=\"row\">trainer</th><td><span class=\"state good\" title=\"succeeded\">");
    check_page(&browser, "/p/trips", "a &lt;b&gt; <span class=\"tag\">&lt;i&gt;</span>");
    check_page(&browser, "/p/trips/run/run-1", "<dt>note</dt><dd>&lt;p&gt;</dd>");
    check_page(&browser, "/p/trips/run/run-1", "href=\"/p/trips/run/run-1/log/trainer\"");
    check_page(&browser, "/p/trips/run/run-1", "Which node takes what from which");
    check_page(&browser, "/p/trips/run/run-1/show/evaluation", "aria-label=\"ROC");
    check_page(&browser, "/p/trips/run/run-1/show/training", "Training");
    check_page(&browser, "/p/trips/run/run-1/show/anomalies", "Anomalies");
    check_page(&browser, "/p/trips/run/run-1/show/statistics", "trip_miles");
    check_page(&browser, "/p/trips/run/run-1/show/schema", "trip_miles");
    check_page(&browser, "/p/trips/run/run-1/log/trainer", "It has ended.");
    check_page(&browser, "/p/trips/artifact/trainer.model.6", "/p/trips/artifact/transform.transform_graph.5");
    check_page(&browser, "/p/trips/artifact/trainer.model.6", "/p/trips/artifact/evaluator.blessing.8");
    PEN_CHECK_EQ_I64(get(&browser, "/p/trips/run/run-1/show/nothing"), 404);
    PEN_CHECK_EQ_I64(get(&browser, "/p/trips/run/run-7"), 404);
    PEN_CHECK_EQ_I64(get(&browser, "/p/trips/run/run-1/log/nobody"), 404);
    PEN_CHECK_EQ_I64(get(&browser, "/p/trips/run/run-1/log/trainer/text?from=3"), 200);
    PEN_CHECK_EQ_STR(pen_http_find_header(&browser.response, "X-Penstock-Ended"), "1");
    check_actions(&browser);
    check_page(&browser, "/p/trips/run/run-2/show/evaluation", "aria-label=\"ROC"); /* from the cache */
    check_page(&browser, "/p/trips/compare?a=run-1&b=run-2", "cached");
    check_page(&browser, "/p/trips", "</td><td><span class=\"state good hollow\" title=\"cached\">");
    close_browser(&browser);
}

static void a_page_shows_how_far_its_run_is(void)
{
    char file[PEN_PATH_BYTES], root[PEN_PATH_BYTES];
    struct pen_error err = PEN_ERROR_INIT;
    struct program_result result;
    struct browser browser;
    bool is_shown = false;
    if (access(pen_test_program(), X_OK) != 0) {
        PEN_SKIP("the program is not built");
    }
    make_run(file, root);
    PEN_REQUIRE_OK(open_browser(&browser, file, root, &err), &err);
    pid_t child = program_start(pen_test_directory(), "run pipeline.yaml --device cpu --root out --set "
                                                      "trainer.steps=100000000 --set trainer.early_stopping=false");
    for (int i = 0; i < PATIENCE && !is_shown; i++) {
        is_shown = get(&browser, "/p/trips/run/run-2") == 200 &&
                   strstr(page_of(&browser), "aria-label=\"trainer\"></progress> trainer: training 0% of 100000000 "
                                             "steps, epoch ") != NULL;
        (void)nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
    }
    PEN_CHECK(is_shown);
    check_page(&browser, "/p/trips/run/run-2", "<p class=\"live\">");
    (void)kill(child, SIGTERM);
    program_finish(pen_test_directory(), child, &result);
    program_deinit(&result);
    PEN_CHECK_EQ_I64(get(&browser, "/p/trips/run/run-2"), 200);
    PEN_CHECK(strstr(page_of(&browser), "<p class=\"live\">") == NULL);
    close_browser(&browser);
}

static void documents_are_those_of_the_verbs(void)
{
    char file[PEN_PATH_BYTES], root[PEN_PATH_BYTES];
    struct pen_error err = PEN_ERROR_INIT;
    struct browser browser;
    struct program_result result;
    if (access(pen_test_program(), X_OK) != 0) {
        PEN_SKIP("the program is not built");
    }
    make_run(file, root);
    PEN_REQUIRE_OK(open_browser(&browser, file, root, &err), &err);
    program_run(pen_test_directory(), "lineage trainer.model.6 --json --root out", &result);
    PEN_CHECK_EQ_I64(get(&browser, "/api/p/trips/lineage/trainer.model.6"), 200);
    PEN_CHECK_EQ_STR(page_of(&browser), pen_text_view(&result.out));
    program_deinit(&result);
    PEN_CHECK_EQ_I64(get(&browser, "/api/pipelines"), 200);
    PEN_CHECK_CONTAINS(page_of(&browser), "\"id\": \"trips\"");
    PEN_CHECK_EQ_I64(get(&browser, "/api/p/trips/status/run-7"), 404);
    PEN_CHECK_CONTAINS(page_of(&browser), "has no run 'run-7'");
    close_browser(&browser);
}

/* ---- over a socket ---- */

/* Sends the bytes, reads to the end. */
static void exchange(int port, const char *bytes, char *answer, size_t capacity)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    size_t size = 0;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    answer[0] = '\0';
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
        send(fd, bytes, strlen(bytes), MSG_NOSIGNAL) == (ssize_t)strlen(bytes)) {
        for (ssize_t got = 1; got > 0 && size<capacity - 1; size += got> 0 ? (size_t)got : 0) {
            got = recv(fd, answer + size, capacity - 1 - size, 0);
        }
        answer[size] = '\0';
    }
    if (fd >= 0) {
        (void)close(fd);
    }
}

/* The port and token of the address that a started program printed; false: it ended first. */
static bool read_address(pid_t program, int *port, char token[128])
{
    char path[PEN_PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/said.out", pen_test_directory());
    for (int i = 0; i < PATIENCE && kill(program, 0) == 0; i++) {
        static const char before[] = "http://127.0.0.1:", between[] = "/?token=";
        struct pen_text said = {0};
        int64_t number = 0;
        bool is_there = pen_path_exists(path) && pen_file_read(path, 4096, &said, NULL) == PEN_OK &&
                        strchr(pen_text_view(&said), '\n') != NULL;
        const char *digits = strstr(pen_text_view(&said), before), *given = strstr(pen_text_view(&said), between);
        is_there = is_there && digits != NULL && given != NULL &&
                   pen_parse_int64(digits + strlen(before), strcspn(digits + strlen(before), "/"), &number);
        if (is_there) {
            (void)snprintf(token, 128, "%.64s", given + strlen(between));
            *port = (int)number;
        }
        pen_text_deinit(&said);
        if (is_there) {
            return true;
        }
        (void)nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
    }
    return false;
}

static void the_server_speaks_http(void)
{
    static char answer[1 << 20], request[4096];
    char token[128], cookie[128] = "";
    int port = 0;
    struct program_result result;
    if (access(pen_test_program(), X_OK) != 0) {
        PEN_SKIP("the program is not built");
    }
    program_run(pen_test_directory(), "ui --root . --listen nowhere", &result);
    const bool is_built = strstr(pen_text_view(&result.err), "libmicrohttpd") == NULL;
    PEN_CHECK(!is_built || result.exit_code == 2);
    program_deinit(&result);
    if (!is_built) {
        PEN_SKIP("built without libmicrohttpd");
    }
    pid_t program = program_start(pen_test_directory(), "ui --root . --port 0");
    PEN_CHECK(read_address(program, &port, token));
    (void)snprintf(request, sizeof request, "GET / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n\r\n", port);
    exchange(port, request, answer, sizeof answer);
    PEN_CHECK_CONTAINS(answer, "HTTP/1.1 403");
    (void)snprintf(request, sizeof request,
                   "GET /?token=%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n\r\n", token, port);
    exchange(port, request, answer, sizeof answer);
    PEN_CHECK_CONTAINS(answer, "HTTP/1.1 303");
    const char *given = strstr(answer, "Set-Cookie: ");
    PEN_CHECK(given != NULL);
    if (given != NULL) {
        given += strlen("Set-Cookie: ");
        (void)snprintf(cookie, sizeof cookie, "%.*s", (int)strcspn(given, ";"), given);
    }
    (void)snprintf(request, sizeof request,
                   "GET / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nCookie: %s\r\nConnection: close\r\n\r\n", port, cookie);
    exchange(port, request, answer, sizeof answer);
    PEN_CHECK_CONTAINS(answer, "HTTP/1.1 200");
    PEN_CHECK_CONTAINS(answer, "</html>");
    (void)snprintf(request, sizeof request,
                   "GET / HTTP/1.1\r\nHost: evil.example:%d\r\nCookie: %s\r\nConnection: close\r\n\r\n", port, cookie);
    exchange(port, request, answer, sizeof answer);
    PEN_CHECK_CONTAINS(answer, "HTTP/1.1 403");
    (void)snprintf(request, sizeof request,
                   "GET /p/%%2e%%2e HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nCookie: %s\r\nConnection: close\r\n\r\n", port,
                   cookie);
    exchange(port, request, answer, sizeof answer);
    PEN_CHECK_CONTAINS(answer, "HTTP/1.1 404");
    (void)snprintf(request, sizeof request,
                   "POST / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nOrigin: http://127.0.0.1:%d\r\nCookie: %s\r\n"
                   "Content-Length: 6\r\nConnection: close\r\n\r\nform=x",
                   port, port, cookie);
    exchange(port, request, answer, sizeof answer);
    PEN_CHECK_CONTAINS(answer, "HTTP/1.1 403");
    exchange(port, "\x16\x03\x01 nonsense\r\n\r\n", answer, sizeof answer);
    (void)kill(program, SIGTERM);
    program_finish(pen_test_directory(), program, &result);
    PEN_CHECK_EQ_I64(result.exit_code, 0);
    program_deinit(&result);
}

PEN_SUITE(ui, PEN_CASE(strangers_are_refused), PEN_CASE(secrets_are_of_one_server),
          PEN_CASE(answers_have_their_headers), PEN_CASE(addresses_reach_nothing_else),
          PEN_CASE(fields_are_decoded_once), PEN_CASE(no_header_is_made_by_a_value), PEN_CASE(a_run_has_its_pages),
          PEN_CASE(a_page_shows_how_far_its_run_is), PEN_CASE(documents_are_those_of_the_verbs),
          PEN_CASE(the_server_speaks_http));
