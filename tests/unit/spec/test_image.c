/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The documents of an image as registries and builders write them, and what is refused of them. */
#include "spec/image.h"
#include "spec/media_type.h"

#include "case.h"

#define D(c)                     "sha256:" c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c
#define A                        D("aa")
#define B                        D("bb")
#define C                        D("cc")
#define OCI(kind)                "application/vnd.oci.image." kind
#define DOCKER(k)                "application/vnd.docker." k
#define DESC(type, digest, size) "{'mediaType':'" type "','digest':'" digest "','size':" size "}"
#define CONFIG                   DESC(OCI("config.v1+json"), A, "2")

/* ---- what is read ----------------------------------------------------------------------------------------------- */

static void test_index(void **state)
{
	static const char doc[] = "{'schemaVersion':2,'mediaType':'" OCI(
		"index.v1+json") "','manifests':["
				 "{'mediaType':'" OCI(
					 "manifest.v1+json") "','digest':'" A
							     "','size':9223372036854775807,"
							     "'platform':{'os':'linux','architecture':'arm','variant':'v7','os.features':['x']},"
							     "'annotations':{'a':'b'}}," DESC(
								     OCI("manifest.v1+json"), B,
								     "0") "],'vendor.own':{'x':1}}";
	struct arena arena = { 0 };
	struct err err = ERR_INIT;
	struct image_index index;
	const char *text;
	size_t len;

	text = case_text(doc, &len);
	if (image_index_read(&arena, "index", text, len, &index, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(index.manifests.n, 2);
	assert_string_equal(index.manifests.items[0].digest, A);
	assert_true(index.manifests.items[0].size == INT64_MAX);
	assert_true(index.manifests.items[0].platform.set);
	assert_string_equal(index.manifests.items[0].platform.variant, "v7");
	assert_string_equal(index.manifests.items[0].platform.os_features.items[0], "x");
	assert_string_equal(index.manifests.items[0].annotations.items[0].value, "b");
	assert_false(index.manifests.items[1].platform.set);
	assert_null(index.manifests.items[1].platform.os);
	assert_false(index.subject.set);
	arena_clear(&arena);
}

static void test_manifest(void **state)
{
	static const char doc[] = "{'schemaVersion':2,'mediaType':'" DOCKER(
		"distribution.manifest.v2+json") "',"
						 "'config':" DESC(
							 DOCKER("container.image.v1+json"), A,
							 "7") ","
							      "'layers':[" DESC(
								      DOCKER("image.rootfs.diff.tar.gzip"),
								      B,
								      "8") ","
									   "{'mediaType':'" DOCKER(
										   "image.rootfs.foreign.diff.tar.gzip") "','digest':'" C
															 "','size':9,"
															 "'urls':['https://r.example/x']}],'subject':" DESC(
																 OCI("manifest.v1+json"),
																 C,
																 "1") "}";
	struct arena arena = { 0 };
	struct image_manifest manifest;
	struct err err = ERR_INIT;
	const char *text;
	size_t len;

	text = case_text(doc, &len);
	if (image_manifest_read(&arena, "manifest", text, len, &manifest, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(manifest.config.digest, A);
	assert_int_equal(manifest.layers.n, 2);
	assert_int_equal(manifest.layers.items[1].size, 9);
	assert_string_equal(manifest.layers.items[1].urls.items[0], "https://r.example/x");
	assert_true(media_type_find(manifest.layers.items[1].media_type)->foreign);
	assert_false(media_type_find(manifest.layers.items[0].media_type)->foreign);
	assert_true(manifest.subject.set);
	assert_string_equal(manifest.subject.digest, C);
	arena_clear(&arena);
}

static void test_config(void **state)
{
	static const char doc[] =
		"{'architecture':'amd64','os':'linux','created':'2026-01-02T03:04:05Z','author':'',"
		"'container':'x','docker_version':'1','config':{'Hostname':'','User':'www:7','Env':['PATH=/bin','A='],"
		"'Cmd':['sh'],'Entrypoint':null,'ExposedPorts':{'80/tcp':{},'53/udp':{}},'Volumes':{'/data':{}},"
		"'WorkingDir':'/w','StopSignal':'SIGQUIT','Labels':{'k':'v'},'OnBuild':['RUN x'],'Shell':['bash','-c'],"
		"'StopTimeout':0,'Healthcheck':{'Test':['CMD','true'],'Interval':30000000000,'Retries':3}},"
		"'rootfs':{'type':'layers','diff_ids':['" A "','" B "']},"
		"'history':[{'created_by':'a'},{'created_by':'b','empty_layer':true},{'comment':'c'}]}";
	struct arena arena = { 0 };
	struct err err = ERR_INIT;
	struct image_config config;
	const struct image_process *p = &config.process;
	const char *text;
	size_t len;

	text = case_text(doc, &len);
	if (image_config_read(&arena, "config", text, len, &config, &err) < 0)
		fail_msg("%s at %s", err.text, err.pointer);
	assert_string_equal(config.platform.architecture, "amd64");
	assert_null(config.author);
	assert_string_equal(p->user, "www:7");
	assert_int_equal(p->env.n, 2);
	assert_int_equal(p->entrypoint.n, 0);
	assert_int_equal(p->exposed_ports.n, 2);
	assert_string_equal(p->exposed_ports.items[1], "53/udp");
	assert_string_equal(p->volumes.items[0], "/data");
	assert_string_equal(p->labels.items[0].key, "k");
	assert_string_equal(p->on_build.items[0], "RUN x");
	assert_true(p->stop_timeout_s.set);
	assert_int_equal(p->stop_timeout_s.v, 0);
	assert_true(p->healthcheck.interval_ns == 30000000000);
	assert_int_equal(p->healthcheck.retries, 3);
	assert_int_equal(config.diff_ids.n, 2);
	assert_true(config.history.items[1].empty_layer);
	arena_clear(&arena);
}

/* A vendor may add what he likes. */
static void test_many_unknown_names_are_no_reason_to_refuse(void **state)
{
	static char doc[65536];
	struct arena arena = { 0 };
	struct err err = ERR_INIT;
	struct image_manifest manifest;
	size_t len = (size_t)sprintf(doc, "{\"schemaVersion\":2,\"layers\":[]");
	const char *config;
	size_t config_len;

	for (int i = 0; i < 2000; i++)
		len += (size_t)sprintf(doc + len, ",\"x-%d\":%d", i, i);
	config = case_text(",'config':" CONFIG "}", &config_len);
	memcpy(doc + len, config, config_len);
	assert_int_equal(
		image_manifest_read(&arena, "manifest", doc, len + config_len, &manifest, &err), 0);
	arena_clear(&arena);
}

static void test_media_types(void **state)
{
	assert_int_equal(media_type_find(MEDIA_OCI_LAYER "+zstd")->compression, COMPRESSION_ZSTD);
	assert_int_equal(media_type_find(DOCKER("image.rootfs.diff.tar.gzip"))->kind, MEDIA_LAYER);
	assert_int_equal(media_type_find(DOCKER("image.rootfs.diff.tar.gzip"))->compression,
			 COMPRESSION_GZIP);
	assert_int_equal(media_type_find("application/vnd.in-toto+json")->kind, MEDIA_OTHER);
	assert_int_equal(media_type_find(NULL)->kind, MEDIA_OTHER);
	assert_string_equal(media_type_accept(0), MEDIA_OCI_INDEX);
	assert_string_equal(media_type_accept(3), DOCKER("distribution.manifest.v2+json"));
	assert_null(media_type_accept(4));
}

/* ---- what is refused -------------------------------------------------------------------------------------------- */

enum document { INDEX, MANIFEST, IMAGE };

#define MAN(members) "{'schemaVersion':2," members "}"
#define IMG(members) "{'os':'linux','architecture':'arm64'," members "}"
#define ROOTFS       "'rootfs':{'type':'layers','diff_ids':['" A "']}"

static const struct {
	enum document document;
	const char *doc, *pointer, *text;
} refusals[] = {
	{ INDEX, "[]", "", "expected an object, got an array" },
	{ INDEX, "{'schemaVersion':1,'manifests':[]}", "/schemaVersion",
	  "expected an integer from 2 to 2, got 1" },
	{ INDEX, "{'manifests':[]}", "", "\"schemaVersion\" is missing" },
	{ INDEX, "{'schemaVersion':2}", "", "\"manifests\" is missing" },
	{ INDEX, "{'schemaVersion':2,'manifests':[],'mediaType':'" OCI("manifest.v1+json") "'}",
	  "/mediaType", "is the type of something else" },
	{ INDEX, "{'schemaVersion':2,'manifests':[],'layers':[]}", "",
	  "it is an index and a manifest at once" },
	{ INDEX, "{'schemaVersion':2,'manifests':[" DESC("", A, "1") "]}", "/manifests/0/mediaType",
	  "must not be empty" },
	{ INDEX, "{'schemaVersion':2,'manifests':[" DESC("t", "sha256:12", "1") "]}",
	  "/manifests/0/digest", "\"sha256:12\" is no digest: a sha256 has 64 digits" },
	{ INDEX, "{'schemaVersion':2,'manifests':[" DESC("t", "md5:12", "1") "]}",
	  "/manifests/0/digest", "the algorithms that can be verified are sha256 and sha512" },
	{ INDEX, "{'schemaVersion':2,'manifests':[" DESC("t", A, "-1") "]}", "/manifests/0/size",
	  "expected an integer from 0 to 9223372036854775807, got -1" },
	{ INDEX, "{'schemaVersion':2,'manifests':[" DESC("t", A, "9223372036854775808") "]}",
	  "/manifests/0/size", "expected an integer from 0 to 9223372036854775807" },
	{ INDEX, "{'schemaVersion':2,'manifests':[{'mediaType':'t','digest':'" A "'}]}",
	  "/manifests/0", "\"size\" is missing" },
	{ INDEX, "{'schemaVersion':2,'manifests':[],'manifests':[]}", "", "twice" },
	{ MANIFEST, MAN("'layers':[]"), "", "\"config\" is missing" },
	{ MANIFEST, MAN("'config':" CONFIG), "", "\"layers\" is missing" },
	{ MANIFEST, MAN("'config':" CONFIG ",'layers':[],'manifests':[]"), "",
	  "it is an index and a manifest at once" },
	{ MANIFEST, MAN("'config':" CONFIG ",'layers':[],'mediaType':'" OCI("index.v1+json") "'"),
	  "/mediaType", "is the type of something else" },
	{ MANIFEST, MAN("'config':" CONFIG ",'layers':[],'mediaType':'text/plain'"), "/mediaType",
	  "\"text/plain\" is the type of something else" },
	{ MANIFEST, MAN("'config':" CONFIG ",'layers':[null]"), "/layers/0",
	  "expected an object, got null" },
	{ IMAGE, "{}", "", "\"os\" is missing" },
	{ IMAGE, "{'os':'linux'," ROOTFS "}", "", "\"architecture\" is missing" },
	{ IMAGE, IMG("'config':{}"), "", "\"rootfs\" is missing" },
	{ IMAGE, IMG("'rootfs':{'type':'layers'}"), "/rootfs", "\"diff_ids\" is missing" },
	{ IMAGE, IMG("'rootfs':{'type':'blocks','diff_ids':[]}"), "/rootfs/type",
	  "expected \"layers\", got \"blocks\"" },
	{ IMAGE, IMG("'rootfs':{'type':'layers','diff_ids':['x']}"), "/rootfs/diff_ids/0",
	  "\"x\" is no digest" },
	{ IMAGE, IMG(ROOTFS ",'history':[{},{}]"), "/history",
	  "it tells of 2 layers, but rootfs.diff_ids has 1" },
	{ IMAGE, IMG(ROOTFS ",'config':{'Env':['=x']}"), "/config/Env/0",
	  "a variable without a name" },
	{ IMAGE, IMG(ROOTFS ",'config':{'Cmd':'sh'}"), "/config/Cmd",
	  "expected an array, got \"sh\"" },
	{ IMAGE, IMG(ROOTFS ",'config':{'Volumes':['/a']}"), "/config/Volumes",
	  "expected an object, got an array" },
	{ IMAGE, IMG(ROOTFS ",'config':{'Healthcheck':{'Interval':-1}}"),
	  "/config/Healthcheck/Interval", "expected an integer from 0 to" },
	{ IMAGE, IMG(ROOTFS ",'config':{'Labels':{'a':1}}"), "/config/Labels/a",
	  "expected a string, got 1" },
};

static int read_as(enum document document, struct arena *arena, const char *text, size_t len,
		   struct err *err)
{
	union {
		struct image_index index;
		struct image_manifest manifest;
		struct image_config config;
	} out;

	if (document == INDEX)
		return image_index_read(arena, "it", text, len, &out.index, err);
	if (document == MANIFEST)
		return image_manifest_read(arena, "it", text, len, &out.manifest, err);
	return image_config_read(arena, "it", text, len, &out.config, err);
}

static void test_refused_with_place_and_reason(void **state)
{
	struct arena arena = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		struct err err = ERR_INIT;
		size_t len;
		const char *text = case_text(refusals[i].doc, &len);

		if (read_as(refusals[i].document, &arena, text, len, &err) != -EINVAL)
			fail_msg("%s should have been refused", refusals[i].doc);
		if (strcmp(err.pointer, refusals[i].pointer) != 0 ||
		    !strstr(err.text, refusals[i].text))
			fail_msg("%s: \"%s\" at \"%s\"", refusals[i].doc, err.text, err.pointer);
		assert_string_equal(err.document, *err.pointer ? "it" : "");
	}
	arena_clear(&arena);
}

static void test_too_large(void **state)
{
	size_t len = IMAGE_MANIFEST_MAX_BYTES + 1;
	char *text = calloc(1, len);
	struct arena arena = { 0 };
	struct err err = ERR_INIT;
	struct image_index index;

	assert_int_equal(image_index_read(&arena, "index of r.example/a", text, len, &index, &err),
			 -EINVAL);
	assert_string_equal(
		err.text,
		"read index of r.example/a: 4194305 bytes are more than the limit of 4194304");
	arena_clear(&arena);
	free(text);
}

static void test_too_many_layers(void **state)
{
	static char doc[(IMAGE_LAYERS_MAX + 1) * 160 + 1024];
	size_t len, part_len;
	struct arena arena = { 0 };
	struct image_manifest manifest;
	struct err err = ERR_INIT;
	const char *part;

	part = case_text("{'schemaVersion':2,'config':" CONFIG ",'layers':[", &part_len);
	memcpy(doc, part, part_len);
	len = part_len;
	part = case_text("," DESC("t", A, "1"), &part_len);
	for (int i = 0; i <= IMAGE_LAYERS_MAX; i++) {
		memcpy(doc + len, part + (i == 0), part_len - (i == 0));
		len += part_len - (i == 0);
	}
	memcpy(doc + len, "]}", 2);
	assert_int_equal(image_manifest_read(&arena, "it", doc, len + 2, &manifest, &err), -EINVAL);
	assert_string_equal(err.pointer, "/layers");
	assert_non_null(strstr(err.text, "501 layers are more than the limit of 500"));
	arena_clear(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_index),
		cmocka_unit_test(test_manifest),
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_many_unknown_names_are_no_reason_to_refuse),
		cmocka_unit_test(test_media_types),
		cmocka_unit_test(test_refused_with_place_and_reason),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_too_many_layers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
