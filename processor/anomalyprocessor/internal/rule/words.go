package rule

import (
	"io"
	"math"
	"strconv"
	"strings"
	"text/template"
	"text/template/parse"
)

// say fills a template in with numbers and with the attributes of what was judged.
func say(t *template.Template, facts Facts, numbers map[string]any) string {
	var said strings.Builder
	if err := t.Funcs(template.FuncMap{"attribute": facts.Attribute}).Execute(&said, numbers); err != nil {
		return err.Error()
	}
	return strings.Join(strings.Fields(said.String()), " ")
}

// template parses a text, checks that it uses only known names, and tries it.
func (c *compiler) template(text Text) *template.Template {
	noAttribute := template.FuncMap{"attribute": func(string) string { return "" }}
	t, err := template.New(c.definition.Name).Funcs(helpers).Funcs(noAttribute).Option("missingkey=error").Parse(text.Source)
	if err != nil {
		c.failf(text.Line, "%v", err)
		return nil
	}
	unknown := false
	for _, name := range fields(t.Root) {
		if _, ok := c.env[name]; !ok {
			c.failf(text.Line, "unknown name %q%s", name, Suggest(name, sortedKeys(c.env)))
			unknown = true
		}
	}
	if unknown {
		return nil
	}
	if err := t.Execute(io.Discard, c.env); err != nil {
		c.failf(text.Line, "%v", err)
	}
	return t
}

// fields returns the names that a template reads from its data.
func fields(node parse.Node) []string {
	var found []string
	pipe := func(p *parse.PipeNode) {
		if p != nil {
			for _, command := range p.Cmds {
				found = append(found, fields(command)...)
			}
		}
	}
	branch := func(b *parse.BranchNode) {
		pipe(b.Pipe)
		found = append(found, fields(b.List)...)
		if b.ElseList != nil {
			found = append(found, fields(b.ElseList)...)
		}
	}
	switch n := node.(type) {
	case *parse.ListNode:
		for _, child := range n.Nodes {
			found = append(found, fields(child)...)
		}
	case *parse.ActionNode:
		pipe(n.Pipe)
	case *parse.PipeNode:
		pipe(n)
	case *parse.CommandNode:
		for _, argument := range n.Args {
			found = append(found, fields(argument)...)
		}
	case *parse.IfNode:
		branch(&n.BranchNode)
	case *parse.WithNode:
		branch(&n.BranchNode)
	case *parse.RangeNode:
		branch(&n.BranchNode)
	case *parse.FieldNode:
		found = append(found, n.Ident[0])
	}
	return found
}

// helpers are the functions of templates, besides attribute, which reads an attribute of what is judged. All take
// numbers in the base unit of the vocabulary: seconds, bytes, shares of 1.
var helpers = template.FuncMap{
	"bytes":        formatBytes,
	"count":        formatCount,
	"decimal":      func(x float64) string { return decimals(x, 0) },
	"milliseconds": func(s float64) string { return grouped(s*1000) + " ms" },
	"number":       formatNumber,
	"percent":      formatPercent,
	"roundUp":      roundUp,
	"roundUpBytes": roundUpBytes,
	"seconds":      formatSeconds,
	"setting":      formatSetting,
}

// formatSeconds: 0.4 s, 6.3 s, 45 s, 12 min, 3.5 h.
func formatSeconds(s float64) string {
	switch {
	case s < 9.95:
		return decimals(s, 1) + " s"
	case s < 120:
		return decimals(s, 0) + " s"
	case s < 2*3600:
		return decimals(s/60, 0) + " min"
	default:
		return decimals(s/3600, 1) + " h"
	}
}

// formatBytes: 512 B, 1.5 KiB, 820 MiB, 3.2 GiB.
func formatBytes(b float64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}
	unit := 0
	for b >= 1000 && unit < len(units)-1 {
		b /= 1024
		unit++
	}
	if unit == 0 || b >= 9.95 {
		return decimals(b, 0) + " " + units[unit]
	}
	return decimals(b, 1) + " " + units[unit]
}

// formatPercent: 0.4 %, 12 %, 340 %.
func formatPercent(share float64) string {
	if percent := share * 100; percent < 0.95 {
		return decimals(percent, 1) + " %"
	}
	return decimals(share*100, 0) + " %"
}

// formatNumber: 2.5, 16, 1,200.
func formatNumber(x float64) string {
	if math.Abs(x) < 9.95 {
		return decimals(x, 1)
	}
	return grouped(x)
}

// formatCount: 1 task, 1,200 tasks. A plural that is not the noun and s is given too.
func formatCount(x float64, noun string, plural ...string) string {
	switch {
	case math.Round(x) == 1:
		return "1 " + noun
	case len(plural) > 0:
		return grouped(x) + " " + plural[0]
	}
	return grouped(x) + " " + noun + "s"
}

// formatSetting writes bytes as a Spark property takes them: 700m, 6g.
func formatSetting(b float64) string {
	for _, unit := range []struct {
		bytes float64
		name  string
	}{{1 << 30, "g"}, {1 << 20, "m"}, {1 << 10, "k"}} {
		if b >= unit.bytes && math.Mod(b, unit.bytes) == 0 {
			return decimals(b/unit.bytes, 0) + unit.name
		}
	}
	return decimals(b, 0)
}

// roundUpBytes returns the next amount of memory that a person would choose: a power of two up to 128 MiB, then
// multiples of 128 MiB up to 1 GiB, of 512 MiB up to 8 GiB, and of 1 GiB.
func roundUpBytes(b float64) float64 {
	const mebibyte, gibibyte = 1 << 20, 1 << 30
	step := float64(gibibyte)
	switch {
	case b <= 128*mebibyte:
		step = max(math.Exp2(math.Ceil(math.Log2(b))), mebibyte)
	case b <= gibibyte:
		step = 128 * mebibyte
	case b <= 8*gibibyte:
		step = 512 * mebibyte
	}
	return math.Ceil(b/step) * step
}

// roundUp returns the next number that a person would choose: 1, 1.5, 2, 3, 4, 5, 6 or 8 times a power of ten.
func roundUp(x float64) float64 {
	if x <= 0 {
		return 0
	}
	power := math.Pow(10, math.Floor(math.Log10(x)))
	for _, choice := range []float64{1, 1.5, 2, 3, 4, 5, 6, 8} {
		if x <= choice*power*(1+1e-9) {
			return choice * power
		}
	}
	return 10 * power
}

// decimals writes a number with at most so many decimals and no trailing zeros.
func decimals(x float64, n int) string {
	s := strconv.FormatFloat(x, 'f', n, 64)
	if n > 0 {
		s = strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// grouped writes a whole number with commas between thousands.
func grouped(x float64) string {
	s := decimals(math.Abs(x), 0)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	if x < 0 {
		return "-" + s
	}
	return s
}
