// Makes system calls on the files of a log fail or hang. Preload it with LD_PRELOAD.
// FAULTY_FILES: part of the paths that it is about. FAULTY_CALLS: the path of a file that says which calls fail and how,
// a line for each: "<call> <what> <argument>". The call is write, fdatasync, fsync or fstat; what is "error" with an error
// number, "hang" with milliseconds, "short" with bytes, or "zero". "<call> once-error <n>" fails once and empties the file.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static int concerns(int fd) {
  const char *part = getenv("FAULTY_FILES");
  char link[64], path[4096];
  if (!part) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return strstr(path, part) != NULL;
}

static int fault(const char *call, char *what, long *argument) {
  const char *file = getenv("FAULTY_CALLS");
  char text[512] = {0}, name[32], *rest = NULL;
  if (!file) return 0;
  int fd = (int)syscall(SYS_openat, AT_FDCWD, file, O_RDONLY, 0);
  if (fd < 0) return 0;
  syscall(SYS_read, fd, text, sizeof text - 1);
  syscall(SYS_close, fd);
  for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
    if (sscanf(line, "%31s %31s %ld", name, what, argument) == 3 && !strcmp(name, call)) {
      if (!strcmp(what, "once-error")) {
        fd = (int)syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_TRUNC, 0);
        if (fd >= 0) syscall(SYS_close, fd);
      }
      return 1;
    }
  }
  return 0;
}

static void hang(long ms) {
  struct timespec left = {ms / 1000, (ms % 1000) * 1000000L};
  while (nanosleep(&left, &left) != 0) {
  }
}

#define INJECT(call, real, real_short)                                          \
  char what[32];                                                                \
  long argument = 0;                                                            \
  if (concerns(fd) && fault(call, what, &argument)) {                           \
    if (!strcmp(what, "error") || !strcmp(what, "once-error")) {                \
      errno = (int)argument;                                                    \
      return -1;                                                                \
    }                                                                           \
    if (!strcmp(what, "hang")) hang(argument);                                  \
    if (!strcmp(what, "zero")) return 0;                                        \
    if (!strcmp(what, "short")) return real_short;                              \
  }                                                                             \
  return real;

ssize_t write(int fd, const void *bytes, size_t count) {
  static ssize_t (*next)(int, const void *, size_t);
  if (!next) next = dlsym(RTLD_NEXT, "write");
  INJECT("write", next(fd, bytes, count),
         next(fd, bytes, count > (size_t)argument ? (size_t)argument : count))
}

int fdatasync(int fd) {
  static int (*next)(int);
  if (!next) next = dlsym(RTLD_NEXT, "fdatasync");
  INJECT("fdatasync", next(fd), next(fd))
}

int fsync(int fd) {
  static int (*next)(int);
  if (!next) next = dlsym(RTLD_NEXT, "fsync");
  INJECT("fsync", next(fd), next(fd))
}
