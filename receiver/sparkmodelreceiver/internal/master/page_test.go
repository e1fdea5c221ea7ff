package master

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestLinkTo(t *testing.T) {
	for name, tt := range map[string]struct{ page, want string }{
		"link":           {`<li><strong><a href="http://driver:4040">Application Detail UI</a></strong></li>`, "http://driver:4040"},
		"on lines":       {"<a\n class=x href='http://driver:4040' >\n Application Detail UI\n</a>", "http://driver:4040"},
		"escaped":        {`<a href="http://driver:4040/?a=1&amp;b=2">Application Detail UI</a>`, "http://driver:4040/?a=1&b=2"},
		"among others":   {`<a href="/">Spark</a><a href="http://a">Application Detail UI</a><a href="http://b">Application Detail UI</a>`, "http://a"},
		"after a link":   {`<a href="http://other">stdout</a> Application Detail UI`, ""},
		"a name":         {`<li>&lt;a href="http://evil"&gt;Application Detail UI&lt;/a&gt;</li>`, ""},
		"in a script":    {`<script>"<a href='http://evil'>Application Detail UI</a>"</script>`, ""},
		"in a comment":   {`<!-- <a href="http://evil">Application Detail UI</a> -->`, ""},
		"no target":      {`<a>Application Detail UI</a>`, ""},
		"ended":          {`<a href="http://history/history/app-1">Application History UI</a>`, ""},
		"UI is disabled": {`<li><strong>Application UI:</strong> Disabled</li>`, ""},
		"cut off":        {`<a href="http://driver:4040">Applic`, ""},
		"no page":        {"\x00\xff<a href=", ""},
		"empty":          {"", ""},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, tt.want, linkTo([]byte(tt.page), driverLink)) })
	}
}

func FuzzLinkTo(f *testing.F) {
	f.Add([]byte(`<a href="http://driver:4040">Application Detail UI</a>`))
	f.Add([]byte(`<a href=x><b></b>Application Detail UI`))
	f.Fuzz(func(t *testing.T, page []byte) {
		if linkTo(page, driverLink) != "" && !strings.Contains(string(page), "<") {
			t.Fatalf("%q has no link", page)
		}
	})
}
