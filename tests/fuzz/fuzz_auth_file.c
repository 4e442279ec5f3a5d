/* SPDX-License-Identifier: GPL-2.0-or-later */
/* auth.json and policy.json with anything; what was stored is found again, and what was taken out is not. */
#include "registry/auth_file.h"
#include "registry/policy.h"
#include "promise.h"

#include <string.h>

static const struct json *edit(struct arena *arena, const struct json *root,
			       const struct credential *credential)
{
	char *text = auth_edit(arena, root, "r.example", credential);
	const struct json *edited;
	struct err err = ERR_INIT;

	if (!text)
		return root;
	PROMISE(json_parse(arena, text, strlen(text), &edited, &err) == 0);
	return edited;
}

static void fuzz_auth(struct arena *arena, const struct json *root)
{
	struct credential stored = { .username = "u", .password = "p:q" }, found = { 0 };
	struct err err = ERR_INIT;

	(void)auth_helper(root, "r.example");
	(void)auth_general_helper(root);
	if (auth_lookup(arena, root, "r.example", "ns/a", &found, &err) > 0)
		PROMISE(found.identity_token || (found.username && found.password));
	if (root->type != JSON_OBJECT)
		return;
	root = edit(arena, root, &stored);
	PROMISE(auth_lookup(arena, root, "r.example", NULL, &found, &err) == 1);
	PROMISE(!strcmp(found.username, "u") && !strcmp(found.password, "p:q"));
	root = edit(arena, root, NULL);
	PROMISE(auth_lookup(arena, root, "r.example", NULL, &found, &err) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct reference name = { .registry = "a.r.example",
					       .path = "ns/a",
					       .tag = "t" };
	defer_arena struct arena arena = { 0 };
	struct err err = ERR_INIT;
	const struct json *root;
	struct policy policy;

	if (json_parse(&arena, (const char *)data, size, &root, &err) == 0)
		fuzz_auth(&arena, root);
	if (policy_read(&arena, "policy.json", (const char *)data, size, &policy, &err) == 0 &&
	    policy_check_registry(&policy, &name, &err) < 0)
		PROMISE(err.code == -EACCES && err.text[0]);
	return 0;
}
