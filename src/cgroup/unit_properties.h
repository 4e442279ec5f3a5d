/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The limits of a container in systemd's words, for the unit that holds it.
 *
 * What is translated is the list of writes that the file manager makes of linux.resources (knobs.h): for each file one row
 * says which property is the same thing. So `unified` and the converted values are covered, and a file without a row is
 * one that systemd neither knows nor touches. The writes are made all the same: systemd rounds some values, and what it has no
 * property for has to come from somewhere. The property is what stays in force when systemd writes again, after
 * `systemctl daemon-reload` for example.
 *
 * Rows: K-4, K-18; systemd.resource-control(5)
 */
#ifndef TARE_CGROUP_UNIT_PROPERTIES_H
#define TARE_CGROUP_UNIT_PROPERTIES_H

#include "cgroup/knobs.h"
#include "cgroup/unit.h"

/* unit_properties_of_writes() - append what the @n writes are as properties; the last one for a file counts */
void unit_properties_of_writes(struct arena *arena, const struct cgroup_write *writes, size_t n,
			       struct unit_property_list *list);

/*
 * unit_properties_of_devices() - append the device rules, as far as a list of what is allowed can say them
 *
 * systemd's filter and ours both have to agree, so ours makes up for what the list can't say; then nothing is appended, and
 * systemd allows everything.
 * Return: 0; -EINVAL
 */
int unit_properties_of_devices(struct arena *arena, const struct config_device_rule_list *rules,
			       struct unit_property_list *list, struct err *err) MUST_CHECK;

/* unit_properties_reset_devices() - append what makes a running unit forget its list; the new one has to follow */
void unit_properties_reset_devices(struct arena *arena, struct unit_property_list *list);

/*
 * unit_property_of_annotation() - one that the user wrote: org.systemd.property.NAME with a value in GVariant's text form
 * @name:  what follows the prefix; "...Sec" with a number becomes "...USec", in microseconds
 *
 * Takes the place of a property of that name. Those that say what the unit is and who is in it are refused.
 * Return: 0; -EINVAL and *err
 */
int unit_property_of_annotation(struct arena *arena, const char *name, const char *value,
				struct unit_property_list *list, struct err *err) MUST_CHECK;

#endif
