/* Every case of tests/cases, answered without a network.
 * SPDX-License-Identifier: MIT */
#include "support/cases.h"
#include "support/service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check_case(void **state)
{
    const test_case *const one = *state;
    char message[CASE_MESSAGE_SIZE];
    test_service service = service_open();
    const api_response reply = service_post(&service, one->path, one->request);
    const bool accepted = case_accepts(one, reply.status, reply.body, reply.body_size, message);
    service_close(&service);
    if (!accepted)
        fail_msg("%s: %s", one->name, message);
}

int main(void)
{
    test_cases cases = cases_load();
    struct CMUnitTest *const tests = calloc(cases.count, sizeof *tests);
    for (size_t i = 0; i < cases.count; i++)
        tests[i] = (struct CMUnitTest){
            .name = cases.cases[i].name, .test_func = check_case, .initial_state = &cases.cases[i]};
    const int failed = _cmocka_run_group_tests("cases", tests, cases.count, NULL, NULL);
    free(tests);
    cases_free(&cases);
    return failed;
}
