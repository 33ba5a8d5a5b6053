/* The writer lock: an open-file-description lock, so it dies with its holder and with nothing else. The text in the
 * file only serves the message. */
#include "core/files.h"
#include "core/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void read_holder(int fd, char *out, size_t capacity)
{
    ssize_t got = pread(fd, out, capacity - 1, 0);
    size_t size = got > 0 ? (size_t)got : 0;
    while (size > 0 && (out[size - 1] == '\n' || out[size - 1] == '\0')) {
        size--;
    }
    out[size] = '\0';
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)out[i] < 0x20) {
            out[i] = ' ';
        }
    }
}

static void write_holder(int fd)
{
    char host[65] = "";
    char now[PEN_TIME_BYTES];
    char text[160];
    (void)gethostname(host, sizeof host - 1);
    int length = snprintf(text, sizeof text, "pid %ld on host %s since %s\n", (long)getpid(), host, pen_clock_utc(now));
    if (length > 0 && ftruncate(fd, 0) == 0) {
        ssize_t written = pwrite(fd, text, (size_t)length, 0);
        (void)written;
    }
}

pen_status pen_lock_take(struct pen_lock *lock, const char *path, struct pen_error *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (fd < 0) {
        int number = errno;
        PEN_FAIL(err, pen_status_from_errno(number), "%s: cannot open the lock: %s", path, strerror(number));
    }
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_OFD_SETLK, &whole) != 0) {
        int number = errno;
        char holder[160];
        read_holder(fd, holder, sizeof holder);
        (void)close(fd);
        if (number == EAGAIN || number == EACCES) {
            PEN_FAIL(err, PEN_ERR_BUSY, "%s is held by %s; wait for it or stop it", path,
                     holder[0] == '\0' ? "another process" : holder);
        }
        PEN_FAIL(err, PEN_ERR_IO, "%s: cannot lock: %s", path, strerror(number));
    }
    write_holder(fd);
    lock->fd = fd;
    return PEN_OK;
}

pen_status pen_lock_holder(const char *path, int64_t *pid, struct pen_error *err)
{
    char holder[160];
    *pid = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT) {
        return PEN_OK;
    }
    if (fd < 0) {
        int number = errno;
        PEN_FAIL(err, pen_status_from_errno(number), "%s: cannot open the lock: %s", path, strerror(number));
    }
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int result = fcntl(fd, F_OFD_GETLK, &whole);
    int number = errno;
    read_holder(fd, holder, sizeof holder);
    (void)close(fd);
    if (result != 0) {
        PEN_FAIL(err, PEN_ERR_IO, "%s: cannot ask who holds it: %s", path, strerror(number));
    }
    const char *digits = strncmp(holder, "pid ", 4) == 0 ? holder + 4 : "";
    if (whole.l_type != F_UNLCK && !pen_parse_int64(digits, strcspn(digits, " "), pid)) {
        *pid = -1; /* it was taken this moment: its holder has not said so yet */
    }
    return PEN_OK;
}

void pen_lock_release(struct pen_lock *lock)
{
    if (lock->fd >= 0) {
        (void)close(lock->fd);
        lock->fd = -1;
    }
}
