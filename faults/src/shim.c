// Faults at system calls, by LD_PRELOAD. FAULT_PLAN in the environment says which: "<plan id> <nth call> <fault> <path>",
// where the fault is an errno's number, "short" or "hang:<milliseconds>". Calls on files below the path are counted from the
// time at which the plan's id changes: write, fdatasync, fsync, close, open for writing, unlink, mkdir, rename.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long plan_id = -1, count = 0;

/* 0: go on; a positive number: fail with it; -1: short; -2: was hanging, go on. */
static int fault_for(const char *path) {
  const char *plan = getenv("FAULT_PLAN");
  if (!plan || !path) return 0;
  long id, nth;
  char what[32], below[4096];
  if (sscanf(plan, "%ld %ld %31s %4095s", &id, &nth, what, below) != 4) return 0;
  if (strncmp(path, below, strlen(below)) != 0) return 0;
  pthread_mutex_lock(&lock);
  if (id != plan_id) {
    plan_id = id;
    count = 0;
  }
  count += 1;
  int is_meant = count == nth;
  pthread_mutex_unlock(&lock);
  if (!is_meant) return 0;
  const char *file = getenv("FAULT_TOLD");
  if (file) {
    int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd >= 0) {
      dprintf(fd, "%ld", id);
      close(fd);
    }
  }
  if (!strncmp(what, "hang:", 5)) {
    long ms = atol(what + 5);
    struct timespec left = {ms / 1000, (ms % 1000) * 1000000L};
    while (nanosleep(&left, &left) != 0) {
    }
    return -2;
  }
  return !strcmp(what, "short") ? -1 : atoi(what);
}

static int fault_at(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, sizeof path - 1);
  if (n < 0) return 0;
  path[n] = 0;
  return fault_for(path);
}

#define NEXT(result, name, ...)       \
  static result (*next)(__VA_ARGS__); \
  if (!next) next = dlsym(RTLD_NEXT, name);
#define FAIL_OR(asked, call)   \
  {                            \
    int number = (asked);      \
    if (number > 0) {          \
      errno = number;          \
      return -1;               \
    }                          \
    return call;               \
  }

ssize_t write(int fd, const void *b, size_t n) {
  NEXT(ssize_t, "write", int, const void *, size_t)
  int fault = fault_at(fd);
  if (fault == -1 && n > 1) n /= 2;
  FAIL_OR(fault, next(fd, b, n))
}
ssize_t pwrite64(int fd, const void *b, size_t n, off_t o) {
  NEXT(ssize_t, "pwrite64", int, const void *, size_t, off_t)
  int fault = fault_at(fd);
  if (fault == -1 && n > 1) n /= 2;
  FAIL_OR(fault, next(fd, b, n, o))
}
ssize_t pwrite(int fd, const void *b, size_t n, off_t o) {
  return pwrite64(fd, b, n, o);
}
ssize_t writev(int fd, const struct iovec *v, int c) {
  NEXT(ssize_t, "writev", int, const struct iovec *, int)
  FAIL_OR(fault_at(fd), next(fd, v, c))
}
int fdatasync(int fd) {
  NEXT(int, "fdatasync", int)
  FAIL_OR(fault_at(fd), next(fd))
}
int fsync(int fd) {
  NEXT(int, "fsync", int)
  FAIL_OR(fault_at(fd), next(fd))
}
int close(int fd) {
  NEXT(int, "close", int)
  int fault = fault_at(fd);
  int result = next(fd); /* Linux closes the descriptor, whatever it says. */
  FAIL_OR(fault, result)
}
int unlink(const char *path) {
  NEXT(int, "unlink", const char *)
  FAIL_OR(fault_for(path), next(path))
}
int mkdir(const char *path, mode_t mode) {
  NEXT(int, "mkdir", const char *, mode_t)
  FAIL_OR(fault_for(path), next(path, mode))
}
int rename(const char *from, const char *to) {
  NEXT(int, "rename", const char *, const char *)
  FAIL_OR(fault_for(from), next(from, to))
}
static int open_with(const char *name, const char *path, int flags, mode_t mode) {
  int (*next)(const char *, int, ...) = dlsym(RTLD_NEXT, name);
  if (flags & (O_WRONLY | O_RDWR)) {
    int fault = fault_for(path);
    if (fault > 0) {
      errno = fault;
      return -1;
    }
  }
  return next(path, flags, mode);
}
int open(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t mode = va_arg(rest, mode_t);
  va_end(rest);
  return open_with("open", path, flags, mode);
}
int open64(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t mode = va_arg(rest, mode_t);
  va_end(rest);
  return open_with("open64", path, flags, mode);
}
