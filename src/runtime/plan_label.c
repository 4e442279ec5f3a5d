/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AppArmor and SELinux. A process is labelled by what it writes to its own files below /proc/self/attr, which takes effect
 * at its next execve(); a mount by an option with the label. All of it is asked for by the config, and refused where
 * the module isn't enabled: a container without the confinement that was asked for must not start.
 *
 * Spec: config.md "Linux Process", apparmorProfile, selinuxLabel; config-linux.md "Mount Label"
 */
#include "runtime/plan_label.h"

#include "spec/annotations.h"

#include <string.h>

/* Without AppArmor everything is unconfined, so that profile needs nobody. */
#define UNCONFINED "unconfined"

static const char *given(const char *text)
{
	return text && text[0] ? text : NULL;
}

static const char *apparmor_profile(const struct planner_state *s)
{
	const char *profile = given(s->config->process.apparmor_profile);

	return profile && (s->facts->apparmor || strcmp(profile, UNCONFINED) != 0) ? profile : NULL;
}

static int not_enabled(struct err *err, const char *what, const char *label, const char *module,
		       const char *pointer)
{
	err_user(err, "%s \"%s\": %s is not enabled on this host", what, label, module);
	err_hint(err, "leave it out, or empty");
	return err_at(err, pointer);
}

/* The mount option for labels, from the annotation of podman's. */
static const char *context_option(const struct planner_state *s)
{
	static const char *const options[] = { "context", "fscontext", "defcontext",
					       "rootcontext" };
	const char *asked = annotation_value(&s->config->annotations, ANNOTATION_MOUNT_CONTEXT);

	if (!asked)
		return options[0];
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		if (strcmp(asked, options[i]) == 0)
			return options[i];
	}
	return NULL;
}

static int check_mount_label(const struct planner_state *s, const char *label, struct err *err)
{
	if (!s->facts->selinux)
		return not_enabled(err, "label mounts", label, "SELinux", "/linux/mountLabel");
	/* It stands in quotes among a filesystem's options, for it has commas. */
	if (strchr(label, '"')) {
		err_user(err, "label mounts \"%s\": a label has no quotes", label);
		return err_at(err, "/linux/mountLabel");
	}
	if (!context_option(s)) {
		err_user(err, "label mounts by \"%s\": there is no such option",
			 annotation_value(&s->config->annotations, ANNOTATION_MOUNT_CONTEXT));
		err_hint(err, "context, fscontext, defcontext and rootcontext are there");
		return err_at(err, "/annotations/" ANNOTATION_MOUNT_CONTEXT);
	}
	return 0;
}

/* plan_labels() - can the labels be honoured at all? The steps come later, where they belong. */
int plan_labels(struct planner_state *s, struct err *err)
{
	const char *selinux = given(s->config->process.selinux_label);
	const char *mount = given(s->config->linux_.mount_label);

	if (apparmor_profile(s) && !s->facts->apparmor)
		return not_enabled(err, "apply AppArmor profile", apparmor_profile(s), "AppArmor",
				   "/process/apparmorProfile");
	if (selinux && !s->facts->selinux)
		return not_enabled(err, "set SELinux label", selinux, "SELinux",
				   "/process/selinuxLabel");
	return mount ? check_mount_label(s, mount, err) : 0;
}

static struct step *add_label(struct planner_state *s, enum step_who who, const char *file,
			      const char *text, const char *pointer)
{
	struct step *step = plan_add(s->plan, who, STEP_LABEL, pointer);

	step->in[0] = s->slots.proc;
	step->u.label.file = file;
	step->u.label.text = plan_strdup(s->plan, text);
	return step;
}

void label_keys(struct planner_state *s, enum step_who who)
{
	const char *label = given(s->config->process.selinux_label);

	if (label)
		add_label(s, who, "keycreate", label, "/process/selinuxLabel");
}

void label_process(struct planner_state *s, enum step_who who)
{
	const char *selinux = given(s->config->process.selinux_label);
	const char *profile = apparmor_profile(s);
	struct step *step;

	if (profile) {
		step = add_label(s, who, "apparmor/exec", plan_printf(s->plan, "exec %s", profile),
				 "/process/apparmorProfile");
		step->u.label.old_file = "exec";
	}
	if (selinux)
		add_label(s, who, "exec", selinux, "/process/selinuxLabel");
}

/* How the kernel lets a filesystem be labelled; all others take an option. */
static const struct {
	const char *fstype;
	bool by_xattr; /* else not at all */
} special[] = {
	{ "proc", false },    { "sysfs", false }, { "cgroup", false },
	{ "cgroup2", false }, { "mqueue", true },
};

const char *label_mount_data(struct planner_state *s, const char *fstype, const char *data,
			     const char **ret_label)
{
	const char *label = given(s->config->linux_.mount_label);

	*ret_label = NULL;
	if (!label)
		return data;
	for (size_t i = 0; i < ARRAY_LEN(special); i++) {
		if (strcmp(fstype, special[i].fstype) != 0)
			continue;
		*ret_label = special[i].by_xattr ? plan_strdup(s->plan, label) : NULL;
		return data;
	}
	return plan_printf(s->plan, "%s%s%s=\"%s\"", data ? data : "", data && data[0] ? "," : "",
			   context_option(s), label);
}
