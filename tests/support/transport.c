/* What carries HTTP in tests.
 * SPDX-License-Identifier: MIT */
#include "support/transport.h"

#include "support/certificates.h"
#include "support/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is(const char *name)
{
    const char *const wanted = getenv("TRANSPORT");
    return wanted != NULL && strcmp(wanted, name) == 0;
}

bool transport_is_tls(void)
{
    return is("tls");
}

const char *transport_authority(void)
{
    return scratch_path("transport.pem");
}

static void choose_certificate(const char *variables[])
{
    static char certificate[160], key[160];
    if (certificate[0] == '\0') {
        certificate_write("transport", 1);
        snprintf(certificate, sizeof certificate, "LAYERD_TLS_CERTIFICATE=%s",
                 transport_authority());
        snprintf(key, sizeof key, "LAYERD_TLS_KEY=%s", scratch_path("transport-key.pem"));
    }
    variables[0] = certificate;
    variables[1] = key;
}

static void choose_path(const char *variables[])
{
    static char listen[160];
    static int count;
    char name[32];
    snprintf(name, sizeof name, "%d.sock", count++ % 32);
    snprintf(listen, sizeof listen, "LAYERD_LISTEN=unix:%s", scratch_path(name));
    variables[0] = listen;
}

const char *const *transport_environment(void)
{
    static const char *variables[3];
    if (transport_is_tls())
        choose_certificate(variables);
    else if (is("unix"))
        choose_path(variables);
    return variables;
}
