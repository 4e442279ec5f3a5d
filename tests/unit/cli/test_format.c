/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Go templates: what scripts in public repositories ask of docker, and what is wrong. */
#include "cli/format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A container and an image as `inspect` shows them, as far as the templates below look. */
static const char document[] =
	"{\"Id\":\"sha256:0123456789abcdef\",\"Name\":\"/web\",\"RestartCount\":3,\"Size\":12345678,"
	"\"Created\":\"2026-01-02T03:04:05Z\",\"RepoTags\":[\"a:1\",\"b:2\"],\"RepoDigests\":[],"
	"\"State\":{\"Status\":\"running\",\"Running\":true,\"Pid\":4242,\"ExitCode\":0,"
	"\"Health\":{\"Status\":\"healthy\",\"Log\":[{\"ExitCode\":1},{\"ExitCode\":0}]}},"
	"\"Config\":{\"Image\":\"nginx\",\"Env\":[\"PATH=/bin\",\"A=b\"],\"Cmd\":[\"nginx\",\"-g\",\"daemon off;\"],"
	"\"Entrypoint\":null,\"Labels\":{\"com.example.b\":\"2\",\"com.example.a\":\"1\"},\"User\":\"\","
	"\"ExposedPorts\":{\"80/tcp\":{}},\"WorkingDir\":\"/srv\"},"
	"\"NetworkSettings\":{\"IPAddress\":\"172.17.0.2\",\"Networks\":{\"bridge\":{\"IPAddress\":\"172.17.0.2\"},"
	"\"other\":{\"IPAddress\":\"10.0.0.3\"}},\"Ports\":{\"443/tcp\":null,"
	"\"80/tcp\":[{\"HostIp\":\"0.0.0.0\",\"HostPort\":\"8080\"}]}},"
	"\"Mounts\":[{\"Type\":\"volume\",\"Source\":\"/s\",\"Destination\":\"/d\",\"RW\":true},"
	"{\"Type\":\"bind\",\"Source\":\"/x\",\"Destination\":\"/y\",\"RW\":false}],"
	"\"RootFS\":{\"Type\":\"layers\",\"Layers\":[\"sha256:1\",\"sha256:2\"]},"
	"\"Ratio\":1.5,\"Big\":18446744073709551615}";

static struct arena arena;
static const struct json *data;
static struct err err;

static int setup(void **state)
{
	err = ERR_INIT;
	return json_parse(&arena, document, strlen(document), &data, &err);
}

static int teardown(void **state)
{
	arena_clear(&arena);
	return 0;
}

static int apply(const char *text, char **ret)
{
	const struct format *format;
	size_t len;
	int r;

	err = ERR_INIT;
	r = format_parse(&arena, text, &format, &err);
	return r < 0 ? r : format_apply(format, &arena, data, ret, &len, &err);
}

static void assert_all(const char *const (*rows)[2], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char *found;

		if (apply(rows[i][0], &found) < 0)
			fail_msg("%s: %s", rows[i][0], err.text);
		if (strcmp(found, rows[i][1]) != 0)
			fail_msg("%s: \"%s\" instead of \"%s\"", rows[i][0], found, rows[i][1]);
	}
}

static void test_what_scripts_ask(void **state)
{
	static const char *const rows[][2] = {
		{ "{{.Id}}", "sha256:0123456789abcdef" },
		{ "{{.Name}}", "/web" },
		{ "{{ .State.Status }}", "running" },
		{ "{{.State.Running}}", "true" },
		{ "{{.State.Pid}}", "4242" },
		{ "{{.State.ExitCode}}", "0" },
		{ "{{.State.Health.Status}}", "healthy" },
		{ "{{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}", "healthy" },
		{ "{{if .State.Paused}}paused{{else}}not paused{{end}}", "not paused" },
		{ "{{.NetworkSettings.IPAddress}}", "172.17.0.2" },
		{ "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}",
		  "172.17.0.210.0.0.3" },
		{ "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}",
		  "172.17.0.2 10.0.0.3 " },
		{ "{{range $net, $conf := .NetworkSettings.Networks}}{{$net}}={{$conf.IPAddress}} {{end}}",
		  "bridge=172.17.0.2 other=10.0.0.3 " },
		{ "{{range $k, $v := .NetworkSettings.Networks}}{{printf \"%s\\n\" $k}}{{end}}",
		  "bridge\nother\n" },
		{ "{{(index (index .NetworkSettings.Ports \"80/tcp\") 0).HostPort}}", "8080" },
		{ "{{ (index .NetworkSettings.Ports \"80/tcp\" 0).HostPort }}", "8080" },
		{ "{{range $p, $conf := .NetworkSettings.Ports}}{{if $conf}}{{$p}} -> "
		  "{{(index $conf 0).HostPort}}{{end}}{{end}}",
		  "80/tcp -> 8080" },
		{ "{{range $p, $conf := .NetworkSettings.Ports}}{{with $conf}}{{(index . 0).HostPort}}{{end}}{{end}}",
		  "8080" },
		{ "{{json .Mounts}}",
		  "[{\"Type\":\"volume\",\"Source\":\"/s\",\"Destination\":\"/d\",\"RW\":true},"
		  "{\"Type\":\"bind\",\"Source\":\"/x\",\"Destination\":\"/y\",\"RW\":false}]" },
		{ "{{json .State.Health.Status}}", "\"healthy\"" },
		{ "{{.Config.Image}}", "nginx" },
		{ "{{json .Config.Labels}}", "{\"com.example.b\":\"2\",\"com.example.a\":\"1\"}" },
		{ "{{index .Config.Labels \"com.example.a\"}}", "1" },
		{ "{{index .Config.Labels \"missing\"}}", "" },
		{ "{{ index .RepoTags 0 }}", "a:1" },
		{ "{{index .RepoDigests}}", "[]" },
		{ "{{if .RepoDigests}}{{index .RepoDigests 0}}{{end}}", "" },
		{ "{{join .RepoTags \", \"}}", "a:1, b:2" },
		{ "{{join .Config.Cmd \" \"}}", "nginx -g daemon off;" },
		{ "{{.Config.Env}}", "[PATH=/bin A=b]" },
		{ "{{range .Config.Env}}{{println .}}{{end}}", "PATH=/bin\nA=b\n" },
		{ "{{range $index, $value := .Config.Env}}{{if eq (index (split $value \"=\") 0) \"A\"}}"
		  "{{range $i, $part := (split $value \"=\")}}{{if gt $i 0}}{{print $part}}{{end}}{{end}}{{end}}{{end}}",
		  "b" },
		{ "{{range .Mounts}}{{.Source}}:{{.Destination}} {{end}}", "/s:/d /x:/y " },
		{ "{{ range .Mounts }}{{ if eq .Type \"volume\" }}{{ .Source }}{{ end }}{{ end }}",
		  "/s" },
		{ "{{range .Mounts}}{{if not .RW}}{{.Destination}}{{end}}{{end}}", "/y" },
		{ "{{len .RootFS.Layers}}", "2" },
		{ "{{.RootFS.Layers}}", "[sha256:1 sha256:2]" },
		{ "{{range .RootFS.Layers}}{{.}}\n{{end}}", "sha256:1\nsha256:2\n" },
		{ "{{upper .State.Status}} {{.Name | lower}} {{title \"ab cd\"}}",
		  "RUNNING /web Ab Cd" },
		{ "{{slice .Name 1}}", "web" },
		{ "{{slice .Id 7 19}}", "0123456789ab" },
		{ "{{truncate .Id 10}}", "sha256:012" },
		{ "{{.Size}}", "12345678" },
		{ "{{range $k, $v := .Config.ExposedPorts}}{{$k}}{{end}}", "80/tcp" },
		{ "{{.Config.ExposedPorts}}", "map[80/tcp:map[]]" },
		{ "{{.Config.Labels}}", "map[com.example.a:1 com.example.b:2]" },
		{ "{{with .State}}{{.Pid}} {{$.Name}}{{end}}", "4242 /web" },
		{ "{{if and .State.Running (eq .State.Health.Status \"healthy\")}}up{{end}}",
		  "up" },
		{ "{{if or .State.Dead .State.Running}}x{{end}}", "x" },
		{ "{{if ne .State.ExitCode 0}}failed{{else if ge .RestartCount 3}}often{{else}}fine{{end}}",
		  "often" },
		{ "{{range .State.Health.Log}}{{if eq .ExitCode 0}}ok{{else}}bad {{end}}{{end}}",
		  "bad ok" },
		{ "{{.Name}}\t{{.Config.WorkingDir}}", "/web\t/srv" },
		{ "{{printf \"%-8s|%8s|%d|%q|%v|%%\" .State.Status .Config.Image .State.Pid .Name .State.Running}}",
		  "running |   nginx|4242|\"/web\"|true|%" },
		{ "{{.Config.Entrypoint}}", "<nil>" },
		{ "{{json .}}", document },
	};

	assert_all(rows, ARRAY_LEN(rows));
}

static void test_the_language(void **state)
{
	static const char *const rows[][2] = {
		{ "", "" },
		{ "no action", "no action" },
		{ "a {{- /* nothing */ -}} b", "ab" },
		{ " {{- .Name -}} \n x", "/webx" },
		{ "{{$x := .Name}}{{$x}}{{$x = \"y\"}}{{$x}}", "/weby" },
		{ "{{$x := 1}}{{if true}}{{$x = 2}}{{end}}{{$x}}", "2" },
		{ "{{if $x := .Name}}{{$x}}{{end}}", "/web" },
		{ "{{range .RepoDigests}}x{{else}}none{{end}}", "none" },
		{ "{{range $i, $t := .RepoTags}}{{if $i}},{{end}}{{$t}}{{end}}", "a:1,b:2" },
		{ "{{range .RepoTags}}{{.}}{{break}}{{end}}", "a:1" },
		{ "{{range .Config.Env}}{{if eq . \"A=b\"}}{{continue}}{{end}}{{.}}{{end}}",
		  "PATH=/bin" },
		{ "{{`raw \\n`}} {{\"a\\tb\"}} {{-3}} {{true}}", "raw \\n a\tb -3 true" },
		{ "{{\"a,b\" | split \",\" | len}}", "1" },
		{ "{{len (split \"a,b\" \",\")}}", "2" },
		{ "{{.Ratio}} {{.Big}}", "1.5 18446744073709551615" },
		{ "{{pad .Name 1 2}}|", " /web  |" },
		{ "{{print 1 2 \"a\" \"b\" 3}}", "1 2ab3" },
		{ "{{printf \"%x %s\" 255 \"a\"}}", "ff a" },
		{ "{{json (slice .RepoTags 1)}}", "[\"b:2\"]" },
		{ "{{eq 1 2 1}}{{eq \"a\" \"b\"}}{{lt 1 2}}{{le 2 2}}{{gt \"b\" \"a\"}}",
		  "truefalsetruetruetrue" },
		{ "{{with .Missing}}x{{else}}y{{end}}{{if .A.B.C}}x{{end}}{{json .Missing}}",
		  "ynull" },
		{ "{{with $x := .State}}{{$x.Pid}}{{end}}", "4242" },
		{ "{{if eq .Config.User \"\"}}root{{end}}", "root" },
	};

	assert_all(rows, ARRAY_LEN(rows));
}

static void test_what_is_wrong(void **state)
{
	static const char *const rows[][3] = {
		{ "{{.Nmae}}", "there is no \"Nmae\"", "did you mean .Name?" },
		{ "{{.State.Statsu}}", "there is no \"Statsu\"", "did you mean .Status?" },
		{ "{{upper .Missing}}", "there is no \"Missing\"", "" },
		{ "{{Name}}", "character 3: unknown function \"Name\"", ".Name" },
		{ "{{.Name", "an action is not closed by \"}}\"", "" },
		{ "{{if .Name}}x", "{{end}} is missing", "" },
		{ "{{end}}", "nothing to end here", "" },
		{ "{{if}}x{{end}}", "something is missing", "" },
		{ "{{.Name | }}", "something is missing", "" },
		{ "{{(.Name}}", "a parenthesis is not closed", "" },
		{ "{{\"x}}", "a quote is not closed", "" },
		{ "{{/* x}}", "a comment is not closed", "" },
		{ "{{.Name 1}}", "what is no function has arguments", "" },
		{ "{{$x}}", "variable \"$x\" is not set", "" },
		{ "{{$x = 1}}", "variable \"$x\" is not set", "" },
		{ "{{index .RepoTags 5}}", "index: there is nothing at this place", "" },
		{ "{{index .RepoTags \"a\"}}", "a list has numbers as keys", "" },
		{ "{{.Name.First}}", "\"First\" is asked of something that has no members", "" },
		{ "{{range .Name}}{{end}}", "range over something that is no list", "" },
		{ "{{len 1}}", "it has no length", "" },
		{ "{{join .RepoTags}}", "join: so many arguments it doesn't take", "" },
		{ "{{lt 1 \"a\"}}", "things of different types", "" },
		{ "{{printf \"%s\"}}", "too few arguments", "" },
		{ "{{printf \"x\" 1}}", "too many arguments", "" },
		{ "{{1x}}", "no integer", "" },
		{ "{{99999999999999999999}}", "no integer", "" },
		{ "{{.Name}", "not understood", "" },
		{ "{{pad .Name 2000 0}}", "so many blanks", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *found = NULL;

		if (apply(rows[i][0], &found) != -EINVAL)
			fail_msg("%s: should be refused, is \"%s\"", rows[i][0], found);
		if (!strstr(err.text, rows[i][1]) || !strstr(err.hint, rows[i][2]))
			fail_msg("%s: %s (%s)", rows[i][0], err.text, err.hint);
	}
}

static void test_depth_and_size_have_limits(void **state)
{
	static char text[4 * 200 + 1];
	char *found;

	for (int i = 0; i < 200; i++)
		memcpy(text + 4 * i, i ? "((((" : "{{((", 4);
	assert_int_equal(apply(text, &found), -EINVAL);
	assert_non_null(strstr(err.text, "too many parentheses in each other"));
	text[0] = '\0';
	for (int i = 0; i < 25; i++)
		strcat(text, "{{range $.RepoTags}}");
	for (int i = 0; i < 25; i++)
		strcat(text, "{{end}}");
	assert_int_equal(apply(text, &found), -EINVAL);
	assert_non_null(strstr(err.text, "it takes more than 1000000 steps"));
	assert_int_equal(
		apply("{{range $.RepoTags}}{{range $.RepoTags}}{{pad . 900 900}}{{end}}{{end}}",
		      &found),
		0);
	assert_int_equal(strlen(found), 4 * 1803);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_scripts_ask),
		cmocka_unit_test(test_the_language),
		cmocka_unit_test(test_what_is_wrong),
		cmocka_unit_test(test_depth_and_size_have_limits),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
