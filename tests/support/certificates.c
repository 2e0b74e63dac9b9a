/* Certificates for tests.
 * SPDX-License-Identifier: MIT */
#include "support/certificates.h"

#include "support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <time.h>

static void must(int status)
{
    if (status < 0)
        fail_msg("GnuTLS: %s", gnutls_strerror(status));
}

static void write_text(const char *name, const char *end, gnutls_datum_t *text)
{
    char file[64];
    snprintf(file, sizeof file, "%s%s", name, end);
    scratch_write(file, (const char *)text->data);
    gnutls_free(text->data);
}

static void describe(gnutls_x509_crt_t certificate, unsigned char serial)
{
    static const unsigned char here[] = {127, 0, 0, 1};
    must(gnutls_x509_crt_set_version(certificate, 3));
    must(gnutls_x509_crt_set_serial(certificate, &serial, 1));
    must(gnutls_x509_crt_set_activation_time(certificate, time(NULL) - 3600));
    must(gnutls_x509_crt_set_expiration_time(certificate, time(NULL) + 24 * 3600));
    must(gnutls_x509_crt_set_dn(certificate, "CN=layerd test", NULL));
    must(gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_IPADDRESS, here, sizeof here,
                                              GNUTLS_FSAN_SET));
    must(gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_DNSNAME, "localhost", 9,
                                              GNUTLS_FSAN_APPEND));
}

void certificate_write(const char *name, unsigned char serial)
{
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t certificate;
    gnutls_datum_t text;
    must(gnutls_x509_privkey_init(&key));
    must(gnutls_x509_crt_init(&certificate));
    must(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
                                      GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0));
    describe(certificate, serial);
    must(gnutls_x509_crt_set_key(certificate, key));
    must(gnutls_x509_crt_sign2(certificate, certificate, key, GNUTLS_DIG_SHA256, 0));
    must(gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM, &text));
    write_text(name, ".pem", &text);
    must(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &text));
    write_text(name, "-key.pem", &text);
    gnutls_x509_crt_deinit(certificate);
    gnutls_x509_privkey_deinit(key);
}
