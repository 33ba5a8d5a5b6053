/* What follows a run: commands with what they are told, a mail through sendmail and through an SMTP server, a webhook;
 * and that none of them changes the run. The servers are processes of this test. */
#include "core/log.h"
#include "tests/orchestrator/chores.h"
#include "tests/orchestrator/program.h"
#include "tests/pen_test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FAILS "middle: {act: fail}\n"
#define FAILED "source=cached middle=failed side=skipped last=skipped push=skipped run=failed"
#define AGAIN "source=cached middle=cached side=cached last=cached push=succeeded run=succeeded"
#define RAN "source=succeeded middle=succeeded side=succeeded last=succeeded push=succeeded run=succeeded"

static void expect_run(int line, const char *more, pen_status wanted, const char *words)
{
    struct pen_error err = PEN_ERROR_INIT;
    struct pen_text said = {0};
    pen_status status = chore_run(more, NULL, &said, &err);
    if (status != wanted || strcmp(pen_text_view(&said), words) != 0) {
        pen_test_fail(__FILE__, line, "expected %s: %s\nfound %s: %s\n%s", pen_status_name(wanted), words,
                      pen_status_name(status), pen_text_view(&said), err.message);
    }
    pen_text_deinit(&said);
}
#define EXPECT_RUN(...) expect_run(__LINE__, __VA_ARGS__)

static void expect_file(int line, const char *name, const char *wanted)
{
    char path[PEN_PATH_BYTES];
    struct pen_text text = {0};
    chore_read(chore_path(path, name), &text);
    if (strcmp(pen_text_view(&text), wanted) != 0) {
        pen_test_fail(__FILE__, line, "%s: expected\n%s\nfound\n%s", name, wanted, pen_text_view(&text));
    }
    pen_text_deinit(&text);
}
#define EXPECT_FILE(...) expect_file(__LINE__, __VA_ARGS__)

static void expect_in_file(int line, const char *name, const char *part)
{
    char path[PEN_PATH_BYTES];
    struct pen_text text = {0};
    chore_read(chore_path(path, name), &text);
    if (strstr(pen_text_view(&text), part) == NULL) {
        pen_test_fail(__FILE__, line, "%s: expected '%s' in\n%s", name, part, pen_text_view(&text));
    }
    pen_text_deinit(&text);
}
#define EXPECT_IN_FILE(...) expect_in_file(__LINE__, __VA_ARGS__)

/* ---- commands ---- */

static void commands_follow_by_how_the_run_ended(void)
{
    static const char hooks[] = "on_success: [echo success $PENSTOCK_RUN $PENSTOCK_STATUS >>told, echo more >>told]\n"
                                "on_failure: 'echo \"failure $PENSTOCK_NODE: $PENSTOCK_MESSAGE\" >>told'\n"
                                "on_exit: 'echo exit $PENSTOCK_PIPELINE $PENSTOCK_STATUS >>told'\n";
    char more[1024];
    (void)setenv("PENSTOCK_NODE", "from outside", 1);
    EXPECT_RUN(hooks, PEN_OK, RAN);
    EXPECT_FILE("told", "success run-1 succeeded\nmore\nexit chores succeeded\n");
    (void)snprintf(more, sizeof more, "%s%s", hooks, FAILS);
    EXPECT_RUN(more, PEN_ERR_DATA, FAILED);
    (void)unsetenv("PENSTOCK_NODE");
    EXPECT_IN_FILE("told", "failure middle: ");
    EXPECT_IN_FILE("told", "exit chores failed\n");
    EXPECT_IN_FILE("root/runs/run-2/hooks.json", "\"hook\": \"on_failure\"");
}

static void expect_status(const char *part)
{
    struct program_result result;
    if (access(pen_test_program(), X_OK) != 0) {
        return;
    }
    program_run(pen_test_directory(), "status run-1 --root root", &result);
    PEN_CHECK_EQ_I64(result.exit_code, 0);
    PEN_CHECK_CONTAINS(pen_text_view(&result.out), part);
    program_deinit(&result);
}

/* A hook that fails, dies or says something: the run stays what it was, and it is told. */
static void a_hook_that_fails_changes_nothing(void)
{
    EXPECT_RUN("on_success: [echo out; echo err >&2; exit 3, kill -9 $$]\n", PEN_OK, RAN);
    EXPECT_FILE("root/runs/run-1/hooks.log", "out\nerr\n");
    EXPECT_IN_FILE("root/runs/run-1/hooks.json", "ended with code 3");
    EXPECT_IN_FILE("root/runs/run-1/hooks.json", "died of signal 9");
    expect_status("on_success failed: 'echo out; echo err >&2; exit 3' ended with code 3; what it said: ");
    EXPECT_RUN("on_success: [true]\n", PEN_OK, AGAIN);
}

/* The root is free by then. */
static void a_hook_may_take_the_root(void)
{
    EXPECT_RUN("on_exit: flock --nonblock root/metadata/lock echo free >told\n", PEN_OK, RAN);
    EXPECT_FILE("told", "free\n");
}

static void on_terminate(int number)
{
    (void)number;
    pen_cancel_request();
}

/* Ends once a node hangs and SIGTERM came. */
static void run_until_terminated(void)
{
    const struct sigaction action = {.sa_handler = on_terminate};
    struct pen_error err = PEN_ERROR_INIT;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)sigaction(SIGTERM, &action, NULL);
    _exit(chore_run("middle: {act: hang}\non_success: echo success >>told\non_failure: echo failure >>told\n"
                    "on_exit: echo $PENSTOCK_STATUS $PENSTOCK_NODE >>told\n",
                    NULL, NULL, &err) == PEN_ERR_CANCELLED
              ? 0
              : 1);
}

static void a_cancelled_run_has_its_exit_alone(void)
{
    static const struct timespec nap = {.tv_nsec = 5000000};
    char path[PEN_PATH_BYTES];
    int state = 0;
    (void)chore_path(path, "root/runs/run-1/middle/notes/value.txt"); /* the case's folder is there from here on */
    (void)fflush(NULL);
    pid_t process = fork();
    if (process == 0) {
        run_until_terminated();
    }
    while (!pen_path_exists(path)) {
        PEN_REQUIRE(waitpid(process, &state, WNOHANG) == 0);
        (void)nanosleep(&nap, NULL);
    }
    (void)kill(process, SIGTERM);
    PEN_CHECK(waitpid(process, &state, 0) == process && state == 0);
    EXPECT_FILE("told", "cancelled middle\n");
}

/* ---- mail ---- */

static void a_mail_goes_through_sendmail(void)
{
    char path[PEN_PATH_BYTES];
    chore_write(chore_path(path, "sendmail"), "#!/bin/sh\necho \"$@\" >arguments\ncat >mail\n");
    PEN_CHECK(chmod(path, 0755) == 0);
    (void)setenv("PENSTOCK_SENDMAIL", path, 1);
    EXPECT_RUN("notify: {mail: {to: [a@example.org, b@example.org], from: p@example.org}}\n", PEN_OK, RAN);
    EXPECT_FILE("mail", ""); /* failures only */
    EXPECT_RUN("notify: {mail: {to: [a@example.org, b@example.org], from: p@example.org}}\n" FAILS, PEN_ERR_DATA,
               FAILED);
    EXPECT_FILE("arguments", "-t -i\n");
    EXPECT_IN_FILE("mail", "From: p@example.org\nTo: a@example.org, b@example.org\n"
                           "Subject: penstock: chores run-2 failed in middle\nDate: ");
    EXPECT_IN_FILE("mail", "\n\npipeline  chores\nrun       run-2\nstatus    failed\nnode      middle\nmessage   ");
    (void)setenv("PENSTOCK_SENDMAIL", "./not-there", 1);
    EXPECT_RUN("notify: {on: [success], mail: {to: [a@example.org]}}\n", PEN_OK, AGAIN);
    EXPECT_IN_FILE("root/runs/run-3/hooks.json", "set PENSTOCK_SENDMAIL, or mail.smtp");
    (void)unsetenv("PENSTOCK_SENDMAIL");
}

/* ---- servers ---- */

/* Is the secret in a file, or in any of a folder? */
static bool is_in(const char *name)
{
    char line[PEN_PATH_BYTES + 64], path[PEN_PATH_BYTES];
    (void)snprintf(line, sizeof line, "grep -rq s3cret '%s'", chore_path(path, name));
    return system(line) == 0;
}

static int listen_here(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    PEN_CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&address, size) == 0 && listen(fd, 4) == 0);
    PEN_CHECK(getsockname(fd, (struct sockaddr *)&address, &size) == 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static void say(FILE *peer, const char *text)
{
    (void)fputs(text, peer);
    (void)fflush(peer);
}

/* One request: all of it to the file, then the answer. */
static void serve_http(FILE *peer, FILE *heard, const char *answer)
{
    char line[4096];
    long length = 0;
    while (fgets(line, sizeof line, peer) != NULL && strcmp(line, "\r\n") != 0) {
        (void)fputs(line, heard);
        if (strncasecmp(line, "Content-Length:", 15) == 0) {
            length = strtol(line + 15, NULL, 10);
        }
    }
    for (long i = 0; i < length; i++) {
        (void)fputc(fgetc(peer), heard);
    }
    say(peer, answer);
}

/* A conversation: lines to the file. */
static void serve_smtp(FILE *peer, FILE *heard, const char *greeting)
{
    char line[4096];
    bool in_data = false;
    say(peer, greeting);
    while (fgets(line, sizeof line, peer) != NULL) {
        (void)fputs(line, heard);
        if (in_data) {
            in_data = strcmp(line, ".\r\n") != 0;
            say(peer, in_data ? "" : "250 taken\r\n");
        } else {
            in_data = strncmp(line, "DATA", 4) == 0;
            say(peer, in_data ? "354 go on\r\n" : strncmp(line, "QUIT", 4) == 0 ? "221 bye\r\n" : "250 fine\r\n");
        }
    }
}

/* A process that serves connections until it is killed; what it hears goes to <the case's folder>/heard. */
static pid_t start_server(void (*serve)(FILE *peer, FILE *heard, const char *words), const char *words, int *port)
{
    char path[PEN_PATH_BYTES];
    int fd = listen_here(port);
    (void)chore_path(path, "heard");
    (void)fflush(NULL);
    pid_t server = fork();
    while (server == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        FILE *peer = fdopen(accept(fd, NULL, NULL), "r+"), *heard = fopen(path, "ae");
        if (peer == NULL || heard == NULL) {
            _exit(1);
        }
        serve(peer, heard, words);
        (void)fclose(heard); /* before the peer hears the end */
        (void)fclose(peer);
    }
    (void)close(fd);
    return server;
}

static void stop_server(pid_t server)
{
    (void)kill(server, SIGKILL);
    (void)waitpid(server, NULL, 0);
}

static void a_webhook_gets_a_document(void)
{
    char more[512], path[PEN_PATH_BYTES];
    int port = 0;
    if (!PEN_HAS_CURL) {
        PEN_SKIP("built without libcurl");
    }
    pid_t server =
        start_server(serve_http, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", &port);
    chore_write(chore_path(path, "headers"), "Authorization: Bearer s3cret\nX-Team: water\n");
    (void)snprintf(more, sizeof more,
                   "notify: {on: [success], webhook: {url: 'http://127.0.0.1:%d/hook', headers_file: headers}}\n",
                   port);
    EXPECT_RUN(more, PEN_OK, RAN);
    stop_server(server);
    EXPECT_IN_FILE("heard", "POST /hook HTTP/1.1\r\n");
    EXPECT_IN_FILE("heard", "Authorization: Bearer s3cret\r\n");
    EXPECT_IN_FILE("heard", "X-Team: water\r\n");
    EXPECT_IN_FILE("heard", "Content-Type: application/json\r\n");
    EXPECT_IN_FILE("heard", "{\"schema\":1,\"text\":\"penstock: chores run-1 succeeded\",\"pipeline\":\"chores\",");
    EXPECT_IN_FILE("root/runs/run-1/hooks.json", "\"ok\": true");
    PEN_CHECK(!is_in("root"));
}

static void a_webhook_that_refuses_is_told(void)
{
    char more[256];
    int port = 0;
    if (!PEN_HAS_CURL) {
        PEN_SKIP("built without libcurl");
    }
    pid_t server = start_server(serve_http, "HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", &port);
    (void)snprintf(more, sizeof more, "notify: {on: [success], webhook: {url: 'http://127.0.0.1:%d/'}}\n", port);
    EXPECT_RUN(more, PEN_OK, RAN);
    stop_server(server);
    EXPECT_IN_FILE("root/runs/run-1/hooks.json", "500");
    EXPECT_RUN(more, PEN_OK, AGAIN);
    EXPECT_IN_FILE("root/runs/run-2/hooks.json", "onnect"); /* nobody is there any more */
}

static void a_mail_goes_to_a_server(void)
{
    char more[512], path[PEN_PATH_BYTES];
    int port = 0;
    if (!PEN_HAS_CURL) {
        PEN_SKIP("built without libcurl");
    }
    pid_t server = start_server(serve_smtp, "220 here\r\n", &port);
    (void)snprintf(more, sizeof more,
                   "notify: {on: [success], mail: {to: [a@example.org, b@example.org], from: p@example.org, "
                   "smtp: 'smtp://127.0.0.1:%d'}}\n",
                   port);
    EXPECT_RUN(more, PEN_OK, RAN);
    EXPECT_IN_FILE("heard", "MAIL FROM:<p@example.org>");
    EXPECT_IN_FILE("heard", "RCPT TO:<a@example.org>");
    EXPECT_IN_FILE("heard", "RCPT TO:<b@example.org>");
    EXPECT_IN_FILE("heard", "Subject: penstock: chores run-1 succeeded\r\n");
    EXPECT_IN_FILE("heard", "\r\n\r\npipeline  chores\r\nrun       run-1\r\n");
    EXPECT_IN_FILE("root/runs/run-1/hooks.json", "\"ok\": true");
    /* A password is not told to a server that does not encrypt. */
    chore_write(chore_path(path, "password"), "s3cret\n");
    (void)snprintf(more, sizeof more,
                   "notify: {on: [success], mail: {to: [a@example.org], from: p@example.org, user: me, "
                   "password_file: password, smtp: 'smtp://127.0.0.1:%d'}}\n",
                   port);
    EXPECT_RUN(more, PEN_OK, AGAIN);
    stop_server(server);
    EXPECT_IN_FILE("root/runs/run-2/hooks.json", "\"ok\": false");
    PEN_CHECK(!is_in("root") && !is_in("heard"));
}

PEN_SUITE(hooks, PEN_CASE(commands_follow_by_how_the_run_ended), PEN_CASE(a_hook_that_fails_changes_nothing),
          PEN_CASE(a_hook_may_take_the_root), PEN_CASE(a_cancelled_run_has_its_exit_alone),
          PEN_CASE(a_mail_goes_through_sendmail), PEN_CASE(a_webhook_gets_a_document),
          PEN_CASE(a_webhook_that_refuses_is_told), PEN_CASE(a_mail_goes_to_a_server));
