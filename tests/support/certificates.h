/* Certificates for tests, signed by themselves, of this machine's loopback addresses.
 * SPDX-License-Identifier: MIT */
#ifndef SUPPORT_CERTIFICATES_H
#define SUPPORT_CERTIFICATES_H

/* Writes "NAME.pem" and "NAME-key.pem" to the scratch folder. */
void certificate_write(const char *name, unsigned char serial);

#endif
