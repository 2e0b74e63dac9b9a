/* What serving costs: a small convolution over HTTP against an empty libmicrohttpd reply, in turn.
 * SPDX-License-Identifier: MIT */
#include <microhttpd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 7, SECONDS = 2, CONNECTIONS = 16, URL_SIZE = 128 };

typedef struct {
    const char *name;
    const char *path;
    const char *script; /* of wrk; NULL: a plain GET */
    char base[URL_SIZE];
    double rates[ROUNDS];
} contender;

/* One body for wrk: 28x28 input, 5x5 weight, as JSON text or with binary tensors behind it. */
static const char binary_script[] =
    "local ffi = require('ffi')\n"
    "local floats = ffi.new('float[809]')\n"
    "for i = 0, 808 do floats[i] = math.sin(i) end\n"
    "local json = '{\"input\":{\"shape\":[28,28],\"datatype\":\"FP32\",\"parameters\":"
    "{\"binary_data_size\":3136}},\"weight\":{\"shape\":[5,5],\"datatype\":\"FP32\",\"parameters\":"
    "{\"binary_data_size\":100}}}'\n"
    "wrk.method = 'POST'\n"
    "wrk.body = json .. ffi.string(floats, 3236)\n"
    "wrk.headers['Content-Type'] = 'application/octet-stream'\n"
    "wrk.headers['Inference-Header-Content-Length'] = tostring(#json)\n";

static const char json_script[] =
    "local function matrix(size)\n"
    "  local rows = {}\n"
    "  for i = 1, size do\n"
    "    local row = {}\n"
    "    for j = 1, size do row[j] = string.format('%.9g', math.sin(i * size + j)) end\n"
    "    rows[i] = '[' .. table.concat(row, ',') .. ']'\n"
    "  end\n"
    "  return '[' .. table.concat(rows, ',') .. ']'\n"
    "end\n"
    "wrk.method = 'POST'\n"
    "wrk.body = '{\"input\":' .. matrix(28) .. ',\"weight\":' .. matrix(5) .. '}'\n"
    "wrk.headers['Content-Type'] = 'application/json'\n";

static void fail(const char *what)
{
    fprintf(stderr, "service_bench: %s\n", what);
    exit(1);
}

/* Not in the first call, before the request's end: libmicrohttpd would close the connection. */
static enum MHD_Result answer_empty(void *context, struct MHD_Connection *connection,
                                    const char *url, const char *method, const char *version,
                                    const char *upload, size_t *upload_size, void **state)
{
    (void)url, (void)method, (void)version, (void)upload, (void)upload_size;
    if (*state != NULL)
        return MHD_queue_response(connection, MHD_HTTP_OK, context);
    *state = context;
    return MHD_YES;
}

static struct MHD_Daemon *start_empty(struct MHD_Response *response, char base[URL_SIZE])
{
    const unsigned threads = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
    struct MHD_Daemon *const daemon =
        MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, answer_empty, response,
                         MHD_OPTION_THREAD_POOL_SIZE, threads < 4 ? threads : 4, MHD_OPTION_END);
    if (daemon == NULL)
        fail("the empty server does not start");
    const union MHD_DaemonInfo *const info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
    snprintf(base, URL_SIZE, "http://127.0.0.1:%d", (int)info->port);
    return daemon;
}

static pid_t start_layerd(char base[URL_SIZE])
{
    int channel[2];
    if (pipe(channel) != 0)
        fail("no pipe");
    const char *const out = getenv("OUT");
    char path[256];
    snprintf(path, sizeof path, "%s/layerd", out ? out : "build/release");
    const pid_t child = fork();
    if (child == 0) {
        dup2(channel[1], STDOUT_FILENO);
        if (freopen("/dev/null", "w", stderr) == NULL)
            _exit(126);
        execl(path, path, "--listen", "127.0.0.1:0", "--drain-delay", "0", (char *)NULL);
        _exit(127);
    }
    close(channel[1]);
    FILE *const lines = fdopen(channel[0], "r");
    char line[256];
    if (child < 0 || lines == NULL || fgets(line, sizeof line, lines) == NULL)
        fail("layerd does not start");
    const char *const url = strstr(line, "http://");
    if (url == NULL)
        fail("layerd does not say where it listens");
    snprintf(base, URL_SIZE, "%.*s", (int)strcspn(url, " \n"), url);
    return child;
}

static double load(const contender *target)
{
    char script[] = "/tmp/layerd-wrk-XXXXXX", command[512], line[256];
    const int file = mkstemp(script);
    const char *const text = target->script ? target->script : "";
    if (file < 0 || write(file, text, strlen(text)) != (ssize_t)strlen(text))
        fail("no temporary file");
    close(file);
    snprintf(command, sizeof command, "wrk -t1 -c%d -d%ds -s %s %s%s", CONNECTIONS, SECONDS, script,
             target->base, target->path);
    double rate = 0;
    bool refused = false; /* told by wrk: a Lua function that saw every reply would cost more than
                             serving it */
    FILE *const output = popen(command, "r");
    while (output && fgets(line, sizeof line, output)) {
        sscanf(line, "Requests/sec: %lf", &rate);
        refused |= strstr(line, "Non-2xx") != NULL;
    }
    const int status = output ? pclose(output) : -1;
    unlink(script);
    if (status != 0 || rate == 0 || refused)
        fail("wrk is missing, or was answered with an error");
    return rate;
}

static int by_value(const void *left, const void *right)
{
    const double difference = *(const double *)left - *(const double *)right;
    return (difference > 0) - (difference < 0);
}

static double median(double values[ROUNDS])
{
    qsort(values, ROUNDS, sizeof values[0], by_value);
    return values[ROUNDS / 2];
}

int main(void)
{
    contender contenders[] = {
        {.name = "empty libmicrohttpd reply", .path = "/"},
        {.name = "layerd GET /v2/health/live", .path = "/v2/health/live"},
        {.name = "layerd conv 28x28 by 5x5, binary", .path = "/v1/conv", .script = binary_script},
        {.name = "layerd conv 28x28 by 5x5, JSON", .path = "/v1/conv", .script = json_script}};
    enum { COUNT = sizeof contenders / sizeof contenders[0] };

    char base[URL_SIZE];
    const pid_t layerd = start_layerd(base);
    for (int i = 1; i < COUNT; i++)
        memcpy(contenders[i].base, base, sizeof base);
    struct MHD_Response *const empty =
        MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    struct MHD_Daemon *const daemon = start_empty(empty, contenders[0].base);

    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < COUNT; i++)
            contenders[i].rates[round] = load(&contenders[i]);

    printf("\nServing, %d connections, wrk on the same machine, median of %d x %d s:\n\n",
           CONNECTIONS, ROUNDS, SECONDS);
    printf("| request | per second | of the empty reply |\n|---|---:|---:|\n");
    const double baseline = median(contenders[0].rates);
    for (int i = 0; i < COUNT; i++) {
        const double rate = i ? median(contenders[i].rates) : baseline;
        printf("| %s | %.0f | %.2f |\n", contenders[i].name, rate, rate / baseline);
    }

    MHD_stop_daemon(daemon);
    MHD_destroy_response(empty);
    kill(layerd, SIGTERM);
    waitpid(layerd, NULL, 0);
    return 0;
}
