/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long config_read() takes: the least and the median time for each file, its pages touched for the first time in
 * every round, as in a real start. Prints one line a file.
 *
 * Usage: read CONFIG.JSON...
 */
#include "spec/config.h"

#include <stdio.h>
#include <time.h>

enum { ROUNDS = 501 };

static double now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static int by_time(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return left < right ? -1 : left > right;
}

static int measure(const char *path, const char *text, size_t len)
{
	double times[ROUNDS];
	struct config *config;
	struct err err;

	for (int i = 0; i < ROUNDS; i++) {
		struct arena arena = { 0 };
		double start = now_us();
		int r = config_read(&arena, text, len, &config, &err);

		times[i] = now_us() - start;
		arena_clear(&arena);
		if (r < 0) {
			fprintf(stderr, "read \"%s\": %s\n", path, err.text);
			return 1;
		}
	}
	qsort(times, ROUNDS, sizeof(times[0]), by_time);
	printf("%-40s %7zu bytes  min %6.1f us  median %6.1f us\n", path, len, times[0],
	       times[ROUNDS / 2]);
	return 0;
}

int main(int argc, char **argv)
{
	static char text[CONFIG_MAX_BYTES];
	int r = 0;

	for (int i = 1; i < argc && !r; i++) {
		FILE *file = fopen(argv[i], "re");

		if (!file) {
			perror(argv[i]);
			return 1;
		}
		r = measure(argv[i], text, fread(text, 1, sizeof(text), file));
		fclose(file);
	}
	return r;
}
