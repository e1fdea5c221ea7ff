package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const distribution = "../dist/otelcol-sparkmodel"

// Every configuration that users start from is accepted by the distribution that `make build` builds.
func TestConfigurations(t *testing.T) {
	files, err := filepath.Glob("../config/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	t.Setenv("DEMO_INTERVAL", "1s")
	for _, name := range []string{"DEMO_YARN", "DEMO_HISTORY", "DEMO_SINK", "DEMO_WEBHOOK", "SLACK_URL"} {
		t.Setenv(name, "http://127.0.0.1:1")
	}
	t.Setenv("STATE_DIRECTORY", t.TempDir())
	t.Setenv("SMTP_PASSWORD", "secret")
	t.Setenv("ALERTMANAGER_PASSWORD", "secret")
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			out, err := exec.CommandContext(t.Context(), distribution, "validate", "--config", file).CombinedOutput()
			require.NoError(t, err, "%s", out)
		})
	}
}

// A wrong configuration is refused with everything that is wrong with it.
func TestWrongConfiguration(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), distribution, "validate", "--config", "../config/yarn.yaml",
		"--set", "receivers::sparkmodel::cluster_name=", "--set", "receivers::sparkmodel::yarn::endpoints=[rm:8088]").CombinedOutput()
	require.Error(t, err)
	assert.Contains(t, string(out), "cluster_name must not be empty")
	assert.Contains(t, string(out), "yarn::endpoints[0]")
}

// Somebody else's ocb manifest takes the components by the lines that the README shows.
func TestManifest(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	lines := regexp.MustCompile("(?s)## Take the components.*?```yaml\n(.*?)```").FindSubmatch(readme)
	require.NotNil(t, lines, "the README shows no manifest")
	repository, err := filepath.Abs("..")
	require.NoError(t, err)

	dir := t.TempDir()
	manifest := filepath.Join(dir, "manifest.yaml")
	require.NoError(t, os.WriteFile(manifest, []byte(`
dist: {name: mine, module: example.com/mine, output_path: `+filepath.Join(dir, "mine")+`}
replaces: ["github.com/otelcol-sparkmodel/otelcol-sparkmodel => `+repository+`"]
`+string(lines[1])), 0o600))
	build := exec.CommandContext(t.Context(), "go", "tool", "-modfile=internal/tools/go.mod", "builder", "--config", manifest)
	build.Dir = ".."
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	out, err = exec.CommandContext(t.Context(), filepath.Join(dir, "mine", "mine"), "components").Output()
	require.NoError(t, err)
	for _, component := range []string{"name: sparkmodel", "name: anomaly", "name: alert"} {
		assert.True(t, strings.Contains(string(out), component), "%s is missing:\n%s", component, out)
	}
}
