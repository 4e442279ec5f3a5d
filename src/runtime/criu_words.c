/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What checkpoint and restore understand in the same way. */
#include "runtime/criu.h"

#include "spec/annotations.h"

#include <string.h>

const char *criu_config_file(const struct key_value_list *annotations)
{
	static const char *const files[] = { "/etc/criu/tare.conf", "/etc/criu/runc.conf" };

	for (size_t i = 0; i < annotations->n; i++) {
		if (strcmp(annotations->items[i].key, ANNOTATION_CRIU_CONFIG) == 0)
			return annotation_value(annotations, ANNOTATION_CRIU_CONFIG);
	}
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		if (access(files[i], F_OK) == 0)
			return files[i];
	}
	return NULL;
}

int criu_cgroup_mode(const char *word, int32_t *ret, struct err *err)
{
	static const struct {
		const char *word;
		enum criu_cgroup_mode mode;
	} modes[] = {
		{ "soft", CRIU_CGROUPS_SOFT },
		{ "full", CRIU_CGROUPS_FULL },
		{ "strict", CRIU_CGROUPS_STRICT },
		{ "ignore", CRIU_CGROUPS_IGNORE },
	};

	*ret = CRIU_CGROUPS_DEFAULT;
	if (!word)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		if (strcmp(modes[i].word, word) == 0) {
			*ret = modes[i].mode;
			return 0;
		}
	}
	err_user(err, "unknown word \"%s\" for \"--manage-cgroups-mode\"", word);
	return err_hint(err, "it is soft, full, strict or ignore");
}
