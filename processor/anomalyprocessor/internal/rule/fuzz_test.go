package rule

import (
	"os"
	"path/filepath"
	"testing"
)

// Whatever stands in a file of rules, it is refused with an error or gives rules that judge without a panic.
func FuzzParse(f *testing.F) {
	f.Add([]byte(slow))
	files, err := filepath.Glob("../catalog/*.yaml")
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		definitions, err := Parse("fuzz.yaml", content)
		if err != nil {
			return
		}
		for _, definition := range definitions {
			r, err := Compile(definition)
			if err != nil {
				continue
			}
			facts := known{rule: r, numbers: map[string]float64{}}
			for i, input := range r.Inputs {
				facts.numbers[input.Name] = float64(i * 1000)
			}
			r.Judge(facts)
			r.Words(facts)
		}
	})
}
