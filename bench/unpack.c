/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unpack STORE (DIGEST DIFF-ID)... - the layers of these blobs, as `tare run` unpacks what it finds in its store. */
#include "image/layers.h"

#include <stdio.h>

int main(int argc, char **argv)
{
	defer_store struct store store = STORE_INIT;
	struct err err = ERR_INIT;
	int r = argc < 2 ? -1 : store_open(argv[1], &store, &err);

	for (int i = 2; r == 0 && i + 1 < argc; i += 2) {
		const struct layer_request request = { .blob = argv[i],
						       .diff_id = argv[i + 1],
						       .limit = UINT64_MAX };
		struct layer_result result;

		r = layers_unpack(&store, &request, &result, &err);
	}
	if (r < 0)
		fprintf(stderr, "%s\n", err.text);
	return r < 0;
}
