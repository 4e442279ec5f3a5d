/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random profiles, and the calls with which a profile is probed. The same seed gives the same profile everywhere. */
#ifndef TARE_TESTS_SECCOMP_RANDOM_H
#define TARE_TESTS_SECCOMP_RANDOM_H

#include "base/arena.h"
#include "spec/config.h"

#include <linux/seccomp.h>

struct random {
	uint64_t state;
};

uint32_t random_next(struct random *random);
uint32_t random_below(struct random *random, uint32_t n);

struct random_wish {
	uint32_t arches; /* choose among these */
	bool peer_names; /* only names that libseccomp knows */
	/* no two rules of one call can match the same arguments, so that no precedence is involved */
	bool disjoint;
	unsigned rules; /* at most */
};

/* random_profile() - fill @ret_config, in the arena */
void random_profile(struct random *random, struct arena *arena, const struct random_wish *wish,
		    struct config_seccomp *ret_config);

/*
 * probe_each() - call @probe for every number of every architecture that has a rule, and for the numbers at the edges of
 * each, with arguments at and around every bound that a rule of that call has
 * @data->args: as in 64-bit registers; probe_layout() puts them as a big-endian kernel would
 *
 * Return: the sum of what @probe returned, stopping at the first negative
 */
typedef int probe_fn(void *context, const struct seccomp_data *data);
long probe_each(struct random *random, const struct config_seccomp *config, probe_fn *probe,
		void *context);

/* probe_call() - the same for one number of one architecture */
long probe_call(struct random *random, const struct config_seccomp *config, enum seccomp_arch arch,
		uint32_t number, probe_fn *probe, void *context);

/* probe_layout() - the same call as the words lie in memory where @data->arch is at home */
struct seccomp_data probe_layout(const struct seccomp_data *data);

#endif
