/* A program that a test starts.
 * SPDX-License-Identifier: MIT */
#include "support/child.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { STEP_MILLISECONDS = 2, CEILING_SECONDS = 300, COULD_NOT_EXEC = 127 };

static void sleep_a_step(void)
{
    nanosleep(&(struct timespec){.tv_nsec = STEP_MILLISECONDS * 1000000L}, NULL);
}

bool wait_until(bool (*condition)(void *context), void *context)
{
    for (int step = 0; step < CEILING_SECONDS * 1000 / STEP_MILLISECONDS; step++) {
        if (condition(context))
            return true;
        sleep_a_step();
    }
    return condition(context);
}

/* The environment of a child, allocated before the fork. */
static const char **environment_of(const char *const more[])
{
    size_t count = 0, more_count = 0;
    while (environ[count] != NULL)
        count++;
    while (more != NULL && more[more_count] != NULL)
        more_count++;
    const char **const list = calloc(count + more_count + 1, sizeof *list);
    if (list == NULL)
        abort();
    size_t kept = 0;
    for (size_t index = 0; index < count; index++)
        if (strncmp(environ[index], "LAYERD_", 7) != 0)
            list[kept++] = environ[index];
    for (size_t index = 0; index < more_count; index++)
        list[kept++] = more[index];
    return list;
}

static void become(const char *const arguments[], const char **environment, int output, int errors)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_DFL);
    const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (dup2(nothing, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0 &&
        dup2(errors, STDERR_FILENO) >= 0)
        execvpe(arguments[0], (char *const *)arguments, (char *const *)environment);
    _exit(COULD_NOT_EXEC);
}

child child_start(const char *const arguments[], const char *const environment[], int errors)
{
    child process = {.output = memfd_create("stdout", MFD_CLOEXEC), .errors = -1};
    if (errors < 0)
        errors = process.errors = memfd_create("stderr", MFD_CLOEXEC);
    const char **const variables = environment_of(environment);
    process.pid = fork();
    if (process.pid == 0)
        become(arguments, variables, process.output, errors);
    free((void *)variables);
    return process;
}

int child_wait(child *process, int seconds)
{
    for (int step = 0; step <= seconds * 1000 / STEP_MILLISECONDS; step++) {
        int status = 0;
        if (process->pid > 0 && waitpid(process->pid, &status, WNOHANG) == process->pid) {
            process->pid = 0;
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }
        sleep_a_step();
    }
    return CHILD_NO_EXIT;
}

bool child_runs(const child *process)
{
    siginfo_t facts = {0};
    return process->pid > 0 &&
           waitid(P_PID, (id_t)process->pid, &facts, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           facts.si_pid == 0;
}

void child_destroy(child *process)
{
    if (process->pid > 0) {
        kill(process->pid, SIGKILL);
        waitpid(process->pid, NULL, 0);
    }
    close(process->output);
    if (process->errors >= 0)
        close(process->errors);
    *process = (child){.output = -1, .errors = -1};
}

char *child_text(int file)
{
    struct stat facts = {0};
    fstat(file, &facts);
    char *const text = calloc((size_t)facts.st_size + 1, 1);
    if (text == NULL)
        abort();
    size_t read_count = 0;
    while (read_count < (size_t)facts.st_size) {
        const ssize_t step =
            pread(file, text + read_count, (size_t)facts.st_size - read_count, (off_t)read_count);
        if (step <= 0)
            break;
        read_count += (size_t)step;
    }
    return text;
}
