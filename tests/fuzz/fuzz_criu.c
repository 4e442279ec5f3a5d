/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What CRIU answers: any bytes are a response or are none; what is taken from them has an end. */
#include "runtime/criu_message.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A copy of the very size, so that a byte too much is noticed. */
	uint8_t *copy = malloc(size ? size : 1);
	struct criu_response response;

	memcpy(copy, data, size);
	if (criu_response_read(copy, size, &response) == 0) {
		if (response.type < 0 || !memchr(response.script, '\0', sizeof(response.script)) ||
		    !memchr(response.message, '\0', sizeof(response.message)))
			__builtin_trap();
	}
	free(copy);
	return 0;
}
